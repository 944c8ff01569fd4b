"""When a payment needs no second factor: Sentinel's choice alone, and always on record. Pure."""

from collections.abc import Mapping

from sentinel.catalogue import ActionKind
from sentinel.facts import FactValue
from sentinel.vocabulary import Money

OWN_ACCOUNTS = "own_accounts"
TRUSTED_PAYEE = "trusted_payee"
LOW_VALUE = "low_value"
LOW_VALUE_MINOR_MAX = 3_000
LOW_VALUE_MINOR_SUM_MAX = 10_000
LOW_VALUE_COUNT_MAX = 5
LOW_VALUE_CURRENCY = "EUR"


def exemption_for(
    amount: Money | None,
    entry: ActionKind,
    facts: Mapping[str, FactValue],
    exempted: tuple[int, int],
) -> str:
    """Return the exemption that applies, or nothing.

    `exempted` is the sum and number of low-value payments since the last second factor.
    """
    if amount is None or not entry.payee_fields or facts.get("fraud_band") != "low":
        return ""
    if facts.get("creditor_own_account") is True:
        return OWN_ACCOUNTS
    if facts.get("payee_trusted") is True and facts.get("payee_iban_matches_known") is True:
        return TRUSTED_PAYEE
    return LOW_VALUE if _is_low_value(amount, exempted) else ""


def _is_low_value(amount: Money, exempted: tuple[int, int]) -> bool:
    used_minor, used_count = exempted
    return (
        amount.currency == LOW_VALUE_CURRENCY
        and 0 < amount.minor_units <= LOW_VALUE_MINOR_MAX
        and used_minor + amount.minor_units <= LOW_VALUE_MINOR_SUM_MAX
        and used_count < LOW_VALUE_COUNT_MAX
    )
