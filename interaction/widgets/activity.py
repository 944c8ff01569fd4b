"""Bookings as a customer reads them: in days, in months, in categories. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from uuid import UUID

import nexus.public
from sentinel.vocabulary import Money

BARS_MAX = 6
_DRAWN = {
    "groceries": "wallet",
    "salary": "in",
    "housing": "home",
    "rent": "home",
    "transfer": "transfer",
    "savings": "transfer",
}


@dataclass(frozen=True, slots=True)
class BookingLine:
    """One booking as a row."""

    transfer_id: UUID
    account_id: UUID
    name: str
    note: str
    category: str
    drawn: str
    money: Money
    is_pending: bool


@dataclass(frozen=True, slots=True)
class Day:
    """The bookings of one day, newest first."""

    day: date
    lines: tuple[BookingLine, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """What one category took this month, and in the month before; shares in percent."""

    name: str
    category: str
    money: Money
    before: Money
    share: int
    share_before: int


@dataclass(frozen=True, slots=True)
class Spending:
    """This month's spending, by category, largest first."""

    month: date
    total: Money
    before: Money
    bars: tuple[Bar, ...]


def days(bookings: Iterable[nexus.public.Booking]) -> tuple[Day, ...]:
    """Return bookings, which come newest first, by the day they were booked on."""
    return tuple(
        Day(day, tuple(_line(each) for each in group))
        for day, group in groupby(bookings, key=lambda each: each.booking_date)
    )


def _line(booking: nexus.public.Booking) -> BookingLine:
    is_incoming = booking.amount_minor_units > 0
    return BookingLine(
        transfer_id=booking.transfer_id,
        account_id=booking.account_id,
        name=booking.counterparty_name or category_name(category=booking.category) or "Booking",
        note=booking.remittance or category_name(category=booking.category),
        category=category_name(category=booking.category),
        drawn=_DRAWN.get(booking.category, "in" if is_incoming else "out"),
        money=Money(booking.amount_minor_units, booking.currency),
        is_pending=False,
    )


def category_name(*, category: str) -> str:
    """Return a category as a word: "eating_out" is "Eating out"."""
    return category.replace("_", " ").capitalize()


def month_before(*, month: date) -> date:
    """Return the first day of the month before."""
    return month.replace(year=month.year - (month.month == 1), month=(month.month - 2) % 12 + 1)


def spending_view(spent: Sequence[nexus.public.Spent], *, month: date, currency: str) -> Spending:
    """Return one month's spending in one currency beside the month before."""
    earlier = month_before(month=month)
    now = _by_category(spent, month, currency)
    then = _by_category(spent, earlier, currency)
    largest = max([*now.values(), *(then.get(name, 0) for name in now), 1])
    ordered = sorted(now.items(), key=lambda item: (-item[1], item[0]))[:BARS_MAX]
    return Spending(
        month=month,
        total=Money(sum(now.values()), currency),
        before=Money(sum(then.values()), currency),
        bars=tuple(
            Bar(
                name=category_name(category=name),
                category=name,
                money=Money(amount, currency),
                before=Money(then.get(name, 0), currency),
                share=_share(amount, largest),
                share_before=_share(then.get(name, 0), largest),
            )
            for name, amount in ordered
        ),
    )


def _by_category(spent: Sequence[nexus.public.Spent], month: date, currency: str) -> dict[str, int]:
    return {
        each.category: each.minor_units
        for each in spent
        if each.month == month and each.currency == currency
    }


def _share(part: int, whole: int) -> int:
    # At least a sliver, so that something spent is never drawn as nothing.
    return max(1, round(100 * part / whole)) if part else 0
