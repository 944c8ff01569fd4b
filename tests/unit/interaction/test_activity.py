"""Bookings in days, spending in bars."""

from datetime import UTC, date, datetime
from uuid import UUID

import nexus.public
from interaction.widgets.activity import category_name, days, month_before, spending_view
from sentinel.vocabulary import Money

NOVEMBER, OCTOBER = date(2026, 11, 1), date(2026, 10, 1)


def _booking(number: int, day: date, amount: int, name: str = "Shop") -> nexus.public.Booking:
    return nexus.public.Booking(
        id=number,
        transfer_id=UUID(int=number),
        account_id=UUID(int=1),
        amount_minor_units=amount,
        currency="EUR",
        booked_at=datetime(2026, 11, 1, tzinfo=UTC),
        booking_date=day,
        counterparty_name=name,
        counterparty_iban="",
        remittance="",
        category="eating_out",
        end_to_end_id="",
        decision_id=None,
    )


def _spent(month: date, category: str, amount: int, currency: str = "EUR") -> nexus.public.Spent:
    return nexus.public.Spent(month, category, currency, amount, 1)


def test_bookings_are_grouped_by_day_in_their_order() -> None:
    today, before = date(2026, 11, 21), date(2026, 11, 20)

    grouped = days([_booking(3, today, -5), _booking(2, today, 7), _booking(1, before, -1)])

    assert [(each.day, [line.money.minor_units for line in each.lines]) for each in grouped] == [
        (today, [-5, 7]),
        (before, [-1]),
    ]


def test_a_booking_without_a_name_is_named_by_its_category() -> None:
    ((line,),) = (each.lines for each in days([_booking(1, date(2026, 11, 21), -5, name="")]))

    assert (line.name, line.note) == ("Eating out", "Eating out")


def test_bars_compare_this_month_with_the_month_before() -> None:
    spent = [
        _spent(NOVEMBER, "housing", 100_000),
        _spent(NOVEMBER, "groceries", 25_000),
        _spent(OCTOBER, "groceries", 50_000),
        _spent(OCTOBER, "travel", 999_000),
        _spent(NOVEMBER, "housing", 7, currency="USD"),
    ]

    view = spending_view(spent, month=NOVEMBER, currency="EUR")

    assert view.total == Money(125_000, "EUR")
    assert view.before == Money(1_049_000, "EUR")
    assert [(bar.name, bar.share, bar.share_before) for bar in view.bars] == [
        ("Housing", 100, 0),
        ("Groceries", 25, 50),
    ]


def test_a_little_is_never_drawn_as_nothing() -> None:
    view = spending_view(
        [_spent(NOVEMBER, "housing", 1_000_000), _spent(NOVEMBER, "gifts", 1)],
        month=NOVEMBER,
        currency="EUR",
    )

    assert [bar.share for bar in view.bars] == [100, 1]


def test_the_month_before_january_is_december() -> None:
    assert month_before(month=date(2026, 1, 1)) == date(2025, 12, 1)
    assert month_before(month=date(2026, 3, 1)) == date(2026, 2, 1)


def test_categories_are_words() -> None:
    assert category_name(category="eating_out") == "Eating out"
