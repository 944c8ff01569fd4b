"""The payment form: what was typed becomes typed parameters with their sources, or words. Pure."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from stdnum import iban as iban_rules
from stdnum.exceptions import ValidationError

import nexus.public
from interaction.widgets.accounts import AccountLine
from sentinel.vocabulary import Money, Provenance, Source

REMITTANCE_MAX, NAME_MAX = 140, 70
# More than any payment could be, and far less than what a 64-bit amount holds.
AMOUNT_MAX_MINOR_UNITS = 10**12
DAYS_AHEAD_MAX = 365
NEW_PAYEE = "new"
_GROUPED = re.compile(
    r"(?P<whole>[0-9]{1,3}(?:([., \u00a0])[0-9]{3})(?:\2[0-9]{3})*)(?P<rest>[.,][0-9]{1,2})?"
)
# "1.250" is a thousand to some and a bit over one to others; money is not guessed.
_AMBIGUOUS = re.compile(r"[0-9]{1,3}[.,][0-9]{3}")
_PLAIN = re.compile(r"(?P<whole>[0-9]{1,15})(?P<rest>[.,][0-9]{1,2})?")


class FormRefused(ValueError):
    """The form cannot be sent on; `errors` are (field id, words) in the order of the page."""

    code = "form_refused"
    is_retryable = True

    def __init__(self, errors: tuple[tuple[str, str], ...]) -> None:
        super().__init__(errors)
        self.errors = errors


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """A payment as a person asked for it: parameters of `payments.transfer` and their sources."""

    parameters: Mapping[str, object]
    sources: Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form may choose from: the customer's own accounts and payees, and the day."""

    accounts: Sequence[AccountLine]
    payees: Sequence[nexus.public.PayeeView]
    today: date
    reference: str


def amount_minor_units(typed: str, *, exponent: int) -> int:
    """Return a typed amount in minor units.

    Raises:
        ValueError: with words for the customer: no amount, too precise, nothing, or too large.
    """
    text = typed.strip().removeprefix("€").strip()
    found = _PLAIN.fullmatch(text) or _GROUPED.fullmatch(text)
    if found is None or _AMBIGUOUS.fullmatch(text):
        raise ValueError(_why_no_amount(text))
    decimals = (found["rest"] or "")[1:]
    if len(decimals) > exponent:
        raise ValueError("This currency has no decimals.")
    whole = re.sub(r"\D", "", found["whole"])
    amount = int(whole + decimals.ljust(exponent, "0"))
    if amount == 0:
        raise ValueError("Enter an amount above zero.")
    if amount > AMOUNT_MAX_MINOR_UNITS:
        raise ValueError("That is more than one payment can carry.")
    return amount


def _why_no_amount(text: str) -> str:
    if not text:
        return "Enter the amount."
    if text.startswith(("-", "\N{MINUS SIGN}")):
        return "Enter an amount above zero."
    if re.fullmatch(r"[0-9]+[.,][0-9]{3,}", text):
        return "An amount has at most two decimals; write thousands without a separator."
    if re.fullmatch(r"[0-9]{16,}([.,][0-9]+)?", text):
        return "That is more than one payment can carry."
    return "Enter the amount in digits, for example 120.00."


def read_order(*, typed: Mapping[str, str], choices: Choices) -> PaymentOrder:
    """Return the payment a form asks for.

    Raises:
        FormRefused: with every field that is wrong, and why.
    """
    errors: list[tuple[str, str]] = []
    source = Source(Provenance.CUSTOMER_TYPED, choices.reference)
    chosen = Source(Provenance.CUSTOMER_SELECTED, choices.reference)
    account = _account(typed, choices, errors)
    payee = _payee(typed, choices, errors)
    amount = _amount(typed, account, errors)
    remittance = _line(typed.get("remittance", ""))
    if len(remittance) > REMITTANCE_MAX:
        errors.append(("remittance", f"A description has at most {REMITTANCE_MAX} characters."))
    day = _day(typed, choices.today, errors)
    if errors or account is None or payee is None or amount is None or day is None:
        raise FormRefused(tuple(errors))
    name, iban, is_known = payee
    payee_source = chosen if is_known else source
    return PaymentOrder(
        parameters={
            "debtor_account_id": str(account.id),
            "creditor_name": name,
            "creditor_iban": iban,
            "amount": {"minor_units": amount.minor_units, "currency": amount.currency},
            "remittance": remittance,
            "execution_date": day.isoformat(),
        },
        sources={
            "debtor_account_id": chosen,
            "creditor_name": payee_source,
            "creditor_iban": payee_source,
            "amount": source,
            "remittance": source,
            "execution_date": chosen,
        },
    )


def _account(
    typed: Mapping[str, str], choices: Choices, errors: list[tuple[str, str]]
) -> AccountLine | None:
    wanted = typed.get("account", "")
    found = next((each for each in choices.accounts if str(each.id) == wanted), None)
    if found is None or not found.can_pay:
        errors.append(("account", "Choose the account to pay from."))
    return found


def _payee(
    typed: Mapping[str, str], choices: Choices, errors: list[tuple[str, str]]
) -> tuple[str, str, bool] | None:
    wanted = typed.get("payee", "")
    known = next((each for each in choices.payees if str(each.payee_id) == wanted), None)
    if known is not None:
        return known.name, known.iban, True
    if wanted != NEW_PAYEE:
        errors.append(("payee", "Choose who to pay."))
        return None
    name, iban = _line(typed.get("name", "")), "".join(typed.get("iban", "").split()).upper()
    if not name or len(name) > NAME_MAX:
        errors.append(("name", "Enter the name of the account holder."))
    try:
        # National rules differ by bank; the flow asks the bank's own directory again.
        iban_rules.validate(iban, check_country=False)
    except ValidationError:
        errors.append(("iban", "That is not a valid account number: a digit may be wrong."))
    return name, iban, False


def _amount(
    typed: Mapping[str, str], account: AccountLine | None, errors: list[tuple[str, str]]
) -> Money | None:
    currency = account.balance.currency if account else "EUR"
    try:
        minor_units = amount_minor_units(
            typed.get("amount", ""), exponent=Money(0, currency).exponent
        )
    except ValueError as error:
        errors.append(("amount", str(error)))
        return None
    return Money(minor_units, currency)


def _day(typed: Mapping[str, str], today: date, errors: list[tuple[str, str]]) -> date | None:
    wanted = typed.get("execution_date", "")
    try:
        day = date.fromisoformat(wanted) if wanted else today
    except ValueError:
        errors.append(("execution_date", "Enter a date."))
        return None
    if not 0 <= (day - today).days <= DAYS_AHEAD_MAX:
        errors.append(("execution_date", "Choose today or a day within a year."))
        return None
    return day


def _line(text: str) -> str:
    composed = unicodedata.normalize("NFC", text)
    kept = "".join(
        " " if unicodedata.category(letter)[0] in {"C", "Z"} else letter for letter in composed
    )
    return " ".join(kept.split())
