"""The facts about a payment that the fraud score looks at, and the numbers made of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sentinel.vocabulary import Provenance

MISSING: Final = -1.0
_ROUND_TO_MINOR_UNITS: Final = 10_000


@dataclass(frozen=True, slots=True)
class PaymentFeatures:
    """What is known about a payment when it is scored; `None` means unknown.

    Amounts are in minor units of the account's currency, `hour` is local, 0 to 23. The last-day
    figures leave this payment out.
    """

    amount_minor_units: int
    median_amount_minor_units: int | None = None
    p95_amount_minor_units: int | None = None
    is_new_payee: bool = False
    payee_age_days: int | None = None
    is_payee_iban_changed: bool = False
    is_new_country: bool = False
    iban_source: Provenance = Provenance.UNKNOWN
    hour: int = 12
    payments_last_day: int = 0
    sum_last_day_minor_units: int = 0
    account_age_days: int | None = None


def _ratio(amount: int, base: int | None) -> float:
    return amount / base if base else MISSING


def _days(days: int | None) -> float:
    return MISSING if days is None else float(max(0, days))


def numbers_of(features: PaymentFeatures) -> Mapping[str, float]:
    """Return the numbers the model reads, by name."""
    amount = features.amount_minor_units
    is_round = amount >= _ROUND_TO_MINOR_UNITS and amount % _ROUND_TO_MINOR_UNITS == 0
    is_new = features.is_new_payee
    return {
        "amount": amount / 100,
        "amount_over_median": _ratio(amount, features.median_amount_minor_units),
        "amount_over_p95": _ratio(amount, features.p95_amount_minor_units),
        "payee_age_days": 0.0 if is_new else _days(features.payee_age_days),
        "is_new_payee": float(is_new),
        "is_payee_iban_changed": float(features.is_payee_iban_changed),
        "is_new_country": float(features.is_new_country),
        "is_iban_from_document": float(features.iban_source == Provenance.DOCUMENT),
        "hour": float(features.hour),
        "payments_last_day": float(features.payments_last_day),
        "sum_last_day_over_median": _ratio(
            features.sum_last_day_minor_units, features.median_amount_minor_units
        ),
        "is_round_amount": float(is_round),
        "account_age_days": _days(features.account_age_days),
    }
