"""Invent labelled payments from a seed: common sense for a model, not a bank's own fraud."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from intelligence.capabilities.fraud.features import PaymentFeatures, numbers_of
from sentinel.vocabulary import Provenance

FRAUD_SHARE: Final = 0.01
_SCHEMES: Final = ("invoice", "takeover", "persuaded")
_SCHEME_SHARES: Final = (0.35, 0.4, 0.25)
_LEGITIMATE_HOURS: Final = np.array(
    [2, 1, 1, 1, 1, 2, 6, 14, 26, 34, 36, 34, 34, 32, 30, 30, 32, 38, 42, 44, 40, 28, 14, 6],
    dtype=float,
)
_SOURCES: Final = (
    Provenance.SYSTEM_OF_RECORD,
    Provenance.CUSTOMER_TYPED,
    Provenance.DOCUMENT,
    Provenance.CUSTOMER_SELECTED,
)


@dataclass(frozen=True, slots=True)
class Simulated:
    """Invented payments: one row of numbers each, and whether each is fraud."""

    names: tuple[str, ...]
    rows: NDArray[np.float64]
    is_fraud: NDArray[np.bool_]


class _Teller:
    """Draws one payment after another from one generator."""

    def __init__(self, seed: int) -> None:
        self._chance = np.random.default_rng(seed)

    def _flip(self, share: float) -> bool:
        return bool(self._chance.random() < share)

    def _base(self) -> tuple[int, int, int]:
        median = int(np.exp(self._chance.normal(8.6, 0.6)))
        p95 = int(median * (4 + 8 * self._chance.random()))
        age = int(self._chance.exponential(1_500)) + 10
        return median, p95, age

    def _round(self, amount: float, share: float) -> int:
        whole = max(50, int(amount))
        return max(10_000, round(whole / 10_000) * 10_000) if self._flip(share) else whole

    def legitimate(self) -> PaymentFeatures:
        """Return an honest payment: mostly to known payees, in the day, of usual size."""
        median, p95, age = self._base()
        is_new = self._flip(0.14)
        is_large = self._flip(0.14)
        amount = (p95 if is_large else median) * float(np.exp(self._chance.normal(0, 0.7)))
        shares = (0.05, 0.6, 0.2, 0.15) if is_new else (0.72, 0.1, 0.05, 0.13)
        count = int(self._chance.poisson(0.7))
        known_days = int(self._chance.exponential(300)) + 1
        return PaymentFeatures(
            amount_minor_units=self._round(amount, 0.12),
            median_amount_minor_units=None if self._flip(0.03) else median,
            p95_amount_minor_units=p95,
            is_new_payee=is_new,
            payee_age_days=0 if is_new else known_days,
            is_payee_iban_changed=not is_new and self._flip(0.004),
            is_new_country=self._flip(0.06 if is_new else 0.004),
            iban_source=_SOURCES[int(self._chance.choice(4, p=shares))],
            hour=int(self._chance.choice(24, p=_LEGITIMATE_HOURS / _LEGITIMATE_HOURS.sum())),
            payments_last_day=count,
            sum_last_day_minor_units=int(
                count * median * float(np.exp(self._chance.normal(0, 0.5)))
            ),
            account_age_days=age,
        )

    def fraudulent(self) -> PaymentFeatures:
        """Return a fraud: a swapped IBAN on an invoice, a taken-over account, a persuaded payer."""
        median, p95, age = self._base()
        scheme = str(self._chance.choice(_SCHEMES, p=_SCHEME_SHARES))
        is_invoice, is_takeover = scheme == "invoice", scheme == "takeover"
        is_new = self._flip(0.35 if is_invoice else 0.95)
        size = p95 * float(np.exp(self._chance.normal(0.2 if is_invoice else 0.5, 0.6)))
        shares = (0.02, 0.13, 0.8, 0.05) if is_invoice else (0.05, 0.75, 0.1, 0.1)
        night = (
            _LEGITIMATE_HOURS.max() - _LEGITIMATE_HOURS + 4 if is_takeover else _LEGITIMATE_HOURS
        )
        count = int(self._chance.poisson(4.0 if is_takeover else 1.0))
        return PaymentFeatures(
            amount_minor_units=self._round(size, 0.1 if is_invoice else 0.45),
            median_amount_minor_units=None if self._flip(0.05) else median,
            p95_amount_minor_units=p95,
            is_new_payee=is_new,
            payee_age_days=0 if is_new else int(self._chance.exponential(200)) + 1,
            is_payee_iban_changed=is_invoice and not is_new and self._flip(0.95),
            is_new_country=self._flip(0.35),
            iban_source=_SOURCES[int(self._chance.choice(4, p=shares))],
            hour=int(self._chance.choice(24, p=night / night.sum())),
            payments_last_day=count,
            sum_last_day_minor_units=int(
                count * p95 * float(np.exp(self._chance.normal(-0.5, 0.5)))
            ),
            account_age_days=int(age * (0.3 if self._flip(0.3) else 1.0)),
        )


def simulate(*, payments: int, seed: int) -> Simulated:
    """Return invented payments, the same for a seed; about one in a hundred is fraud."""
    teller = _Teller(seed)
    frauds = round(payments * FRAUD_SHARE)
    made = [teller.legitimate() for _ in range(payments - frauds)]
    made += [teller.fraudulent() for _ in range(frauds)]
    numbers = [numbers_of(features) for features in made]
    names = tuple(numbers[0])
    rows = np.array([[one[name] for name in names] for one in numbers])
    is_fraud = np.array([False] * (payments - frauds) + [True] * frauds)
    return Simulated(names, rows, is_fraud)
