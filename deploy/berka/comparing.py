"""Compares the ledger's balance after each booking with the bank's own column, and says why not."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from deploy.berka.ordering import STEP_TOLERANCE
from deploy.berka.reading import BerkaBooking

EQUAL = "equal to the bank's column"
ROUNDED = "differs by what the bank's rounding to 0.10 adds up to"
AFTER_CUT = "on the file's last day, within which it ends: rows of that day are missing"
AFTER_GAP = "follows a step the bank's own column does not explain: rows are missing in the file"
AFTER_LOSS = "follows a booking that the ledger refused"
NOT_POSTED = "not posted"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many bookings ended in which way, and how many accounts are explained to the last row."""

    bookings: Mapping[str, int]
    accounts: int
    accounts_explained: int

    @property
    def differing(self) -> int:
        """How many balances are not what the bank's column says."""
        return sum(count for reason, count in self.bookings.items() if reason != EQUAL)


def compare(
    by_account: Mapping[UUID, Sequence[BerkaBooking]],
    balances: Mapping[UUID, Mapping[int, int]],
) -> Comparison:
    """Return the comparison; `balances` holds the ledger's balance after each booking's number."""
    if not by_account:
        return Comparison({}, 0, 0)
    counted: Counter[str] = Counter()
    last_day = max(booking.on for bookings in by_account.values() for booking in bookings)
    explained = 0
    for account, bookings in by_account.items():
        reasons = _reasons(bookings, balances.get(account, {}), last_day)
        counted.update(reasons)
        explained += all(reason in {EQUAL, ROUNDED} for reason in reasons)
    return Comparison(dict(counted), len(by_account), explained)


def _reasons(
    bookings: Sequence[BerkaBooking], balances: Mapping[int, int], last_day: date
) -> list[str]:
    """Return how each booking of one account compares, in their order."""
    reasons: list[str] = []
    before, steps_off, gap = 0, 0, ""
    for booking in bookings:
        step = booking.balance - before - booking.amount
        if abs(step) > STEP_TOLERANCE and not gap:
            gap = AFTER_CUT if booking.on == last_day else AFTER_GAP
        steps_off += step != 0
        before = booking.balance
        ours = balances.get(booking.number)
        if ours is None:
            reasons.append(NOT_POSTED)
        elif ours == booking.balance:
            reasons.append(EQUAL)
        elif gap:
            reasons.append(gap)
        elif abs(ours - booking.balance) <= STEP_TOLERANCE * steps_off:
            reasons.append(ROUNDED)
        else:
            reasons.append(AFTER_LOSS)
    return reasons
