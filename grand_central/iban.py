"""International bank account numbers: their one written form, and whether they can exist."""

from functools import lru_cache

from schwifty import IBAN
from schwifty.exceptions import SchwiftyException

LENGTH_MAX = 64


class InvalidIban(ValueError):
    """The text is no IBAN: wrong length for its country, wrong characters or check digits."""

    code = "iban_invalid"
    is_retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def canonical_iban(*, text: str) -> str:
    """Return an IBAN in capitals without spaces.

    Raises:
        InvalidIban: the text is no IBAN.
    """
    # Anything longer cannot be one, and must not cost more to refuse.
    if len(text) > LENGTH_MAX or not text.isascii():
        raise InvalidIban("not the characters or the length of an IBAN")
    return _canonical(text)


# Who pays is paid, and most people pay the same few.
@lru_cache(maxsize=4096)
def _canonical(text: str) -> str:
    try:
        return str(IBAN(text))
    except SchwiftyException as error:
        raise InvalidIban(type(error).__name__) from error


def iban_of(*, country: str, bank_code: str, account: str) -> str:
    """Return the IBAN of an account number at a bank, with its check digits.

    Raises:
        InvalidIban: the country has another structure.
    """
    try:
        return str(IBAN.generate(country, bank_code=bank_code, account_code=account))
    except SchwiftyException as error:
        raise InvalidIban(type(error).__name__) from error
