"""Puts the bookings of each day in the order in which the bank's own balance column grew.

The file gives no times. Within a day and an account, the row whose balance follows from the
balance before it comes next.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby

from deploy.berka.reading import BerkaBooking

# The bank rounded every balance to tenths of a crown, so that one step may be off by as much.
STEP_TOLERANCE = 10


def in_order(bookings: Iterable[BerkaBooking]) -> list[BerkaBooking]:
    """Return all bookings by day; those of one account and day follow the balance column."""
    by_account = sorted(bookings, key=lambda each: (each.account, each.on))
    ordered: list[BerkaBooking] = []
    for _, of_account in groupby(by_account, key=lambda each: each.account):
        ordered.extend(_chained(list(of_account)))
    # Sorting is stable: within a day and an account the order stays.
    return sorted(ordered, key=lambda each: each.on)


def _chained(bookings: list[BerkaBooking]) -> Iterator[BerkaBooking]:
    balance = 0
    for _, of_day in groupby(bookings, key=lambda each: each.on):
        left = list(of_day)
        while left:
            following = min(left, key=lambda each: abs(balance + each.amount - each.balance))
            left.remove(following)
            balance = following.balance
            yield following
