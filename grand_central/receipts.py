"""What a connector gives back: a receipt, or the core's refusal in words a customer understands."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sentinel.vocabulary import Money, Outcome


class CoreRefused(Exception):
    """The system of record refused; nothing moved. `words` are for the customer."""

    is_retryable = False

    def __init__(self, code: str, words: str) -> None:
        super().__init__(code, words)
        self.code, self.words = code, words


class OutcomeUnknown(Exception):
    """The system of record did not answer; ask `outcome_of` before trying again."""

    code = "outcome_unknown"
    is_retryable = False

    def __init__(self, idempotency_key: str) -> None:
        super().__init__(idempotency_key)
        self.idempotency_key = idempotency_key


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done: `position` is what a reader of the feed must have reached to see it.

    `items` holds one status per item of a batch, in their order. `balance` is that of the debtor's
    account after it. `outcome` is what was put on record; the gateway always gives it.
    """

    status: str
    reference: str
    position: str
    words: str
    balance: Money | None = None
    items: tuple[str, ...] = ()
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Execution:
    """The core's own statement that a token was carried out."""

    action_kind: str
    status: str
    reference: str
    position: str


_NOTHING = "Nothing has been paid."

REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "insufficient_funds": f"There is not enough money in this account. {_NOTHING}",
        "account_unknown": f"We do not know this account number. {_NOTHING}",
        "account_closed": f"One of the two accounts is closed. {_NOTHING}",
        "account_blocked": f"This account is blocked for payments. {_NOTHING}",
        "account_not_empty": "An account can be closed when it is empty. It is still open.",
        "same_account": f"This is the account the money would come from. {_NOTHING}",
        "currency_mismatch": f"This account has another currency. {_NOTHING}",
        "amount_refused": f"This amount cannot be paid. {_NOTHING}",
        "text_refused": f"The text of this payment cannot be sent. {_NOTHING}",
        "credit_refused": f"The receiving account cannot take this amount. {_NOTHING}",
        "not_due": f"The date of this payment lies in the future. {_NOTHING}",
        "exists_with_different": f"This payment was given to us before, differently. {_NOTHING}",
        "no_redemption": f"This was not authorised. {_NOTHING}",
        "hold_unknown": f"We do not know what was set aside. {_NOTHING}",
        "hold_already_resolved": f"This was paid out or released before. {_NOTHING}",
        "hold_expired": f"The time for which this was set aside is over. {_NOTHING}",
        "exceeds_hold": f"This is more than was set aside. {_NOTHING}",
        "card_unknown": "We do not know this card. Nothing has changed.",
        "card_expired": "This card has expired. Nothing has changed.",
        "party_unknown": "We do not know this customer. Nothing has changed.",
        "payload_missing": "Something was missing from this instruction. Nothing has changed.",
        "payload_refused": "Something in this instruction is not right. Nothing has changed.",
        "core_busy": f"The bank was busy with the same accounts. {_NOTHING} Please try again.",
        "list_refused": "This list is not the one that was announced. Nothing has changed.",
        "card_refused": "The card company has refused this. Nothing has changed there.",
        "not_executed": "The other company could not be reached. Nothing has changed there.",
    }
)
_ELSEWHERE = "The other company has refused this. Nothing has changed there."


def refused(code: str) -> CoreRefused:
    """Return the refusal of a code that the core knows."""
    return CoreRefused(code, REFUSALS[code])


def words_of(code: str) -> str:
    """Return the bank's own words for a refusal; what another system calls it is not repeated."""
    return REFUSALS.get(code, _ELSEWHERE)
