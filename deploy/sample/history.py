"""Two years of an invented life: salary, rent, bills, shops, savings, friends.

Each month of each customer follows from the seed alone, so that the same month is the same
whenever it is made, and a second run repeats nothing.
"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from random import Random
from uuid import UUID

from deploy.sample.merchants import BILLS, HABITS
from deploy.sample.people import Customer
from deploy.sample.story import MERIDIAN_NL, elsewhere_iban, sample_id
from grand_central.public import PostingItem

MONTHS = 24
_MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
# Nobody of the sample spends below this, in minor units.
_KEPT = 25_000


@dataclass(frozen=True, slots=True)
class Books:
    """The accounts of the bank itself that the history is posted against."""

    clearing: UUID
    equity: UUID
    equity_iban: str
    bank_name: str
    currency: str


@dataclass(frozen=True, slots=True)
class _Entry:
    """One booking before it has an id: `amount` in minor units, money out is negative."""

    on: date
    amount: int
    name: str
    iban: str
    words: str
    category: str
    other: UUID | None = None


def months_before(today: date) -> Iterator[tuple[int, int]]:
    """Yield year and month of the last two years, the current one included."""
    first = today.year * 12 + today.month - 1 - MONTHS
    for number in range(first, first + MONTHS + 1):
        yield divmod(number, 12)[0], number % 12 + 1


def history_of(
    customer: Customer, friends: Sequence[Customer], books: Books, seed: int, today: date
) -> Iterator[PostingItem]:
    """Yield what was booked on a customer's accounts before today, in order."""
    months = list(months_before(today))
    opened = date(*months[0], 1)
    yield _opening(customer, books, opened)
    balance = customer.opening
    for year, month in months:
        chance = Random(f"{seed}|{customer.party_id}|{year}-{month}")  # noqa: S311 - invented
        entries = sorted(_month(customer, friends, year, month, chance), key=lambda each: each.on)
        for number, entry in enumerate(entries):
            if entry.on >= today:
                break
            if entry.amount < 0 and balance + entry.amount < _KEPT:
                continue
            balance += entry.amount
            key = sample_id(customer.party_id, "booking", year, month, number)
            yield _posting(key, customer, entry, books)


def _opening(customer: Customer, books: Books, on: date) -> PostingItem:
    return PostingItem(
        id=sample_id(customer.party_id, "opening"),
        debit=books.equity,
        credit=customer.current_id,
        amount=customer.opening,
        currency=books.currency,
        booking=on,
        value=on,
        remittance="Balance brought over",
        name=books.bank_name,
        iban=books.equity_iban,
        category="transfer",
    )


def _posting(key: UUID, customer: Customer, entry: _Entry, books: Books) -> PostingItem:
    other = entry.other or books.clearing
    is_out = entry.amount < 0
    return PostingItem(
        id=key,
        debit=customer.current_id if is_out else other,
        credit=other if is_out else customer.current_id,
        amount=abs(entry.amount),
        currency=books.currency,
        booking=entry.on,
        value=entry.on,
        remittance=entry.words,
        name=entry.name,
        iban=entry.iban,
        category=entry.category,
    )


def _month(
    customer: Customer, friends: Sequence[Customer], year: int, month: int, chance: Random
) -> Iterator[_Entry]:
    days = monthrange(year, month)[1]
    label = f"{_MONTH_NAMES[month - 1]} {year}"
    yield _Entry(
        date(year, month, 1), -customer.rent, customer.landlord, customer.landlord_iban,
        f"Rent {label}", "housing",
    )  # fmt: skip
    yield _Entry(
        date(year, month, 24), customer.salary, customer.employer,
        elsewhere_iban("employer", customer.employer), f"Salary {label}", "salary",
    )  # fmt: skip
    saved = chance.randrange(5_000, max(10_000, customer.salary // 9), 500)
    yield _Entry(
        date(year, month, 26), -saved, customer.name, customer.savings_iban, "Savings", "savings",
        customer.savings_id,
    )  # fmt: skip
    yield from _bills(customer, year, month, label)
    yield from _shopping(days, year, month, chance)
    if friends and chance.random() < 0.6:
        friend = chance.choice(friends)
        words = chance.choice(("Dinner", "Concert tickets", "Shared present", "Weekend away"))
        yield _Entry(
            date(year, month, chance.randint(8, days)), -chance.randrange(1_000, 9_000, 50),
            friend.name, friend.current_iban, words, "transfer", friend.current_id,
        )  # fmt: skip


def _bills(customer: Customer, year: int, month: int, label: str) -> Iterator[_Entry]:
    """Yield the bills of a month; who has which, and at what price, does not change by month."""
    for number, bill in enumerate(BILLS):
        fixed = Random(f"{customer.party_id}|bill|{number}")  # noqa: S311 - invented
        if fixed.randrange(100) >= bill.share_percent:
            continue
        merchant = fixed.choice(bill.merchants)
        amount = fixed.randint(bill.least, bill.most)
        yield _Entry(
            date(year, month, bill.day), -amount, merchant, elsewhere_iban("shop", merchant),
            f"{bill.words} {label}", bill.category,
        )  # fmt: skip


def _shopping(days: int, year: int, month: int, chance: Random) -> Iterator[_Entry]:
    for habit in HABITS:
        for _ in range(chance.randint(habit.times_min, habit.times_max)):
            merchant = chance.choice(habit.merchants)
            # Small amounts are the usual ones.
            amount = int(habit.least + (habit.most - habit.least) * chance.random() ** 2)
            on = date(year, month, chance.randint(1, days))
            yield _Entry(
                on, -amount, merchant, elsewhere_iban("shop", merchant),
                f"Card payment {on:%d-%m}", habit.category,
            )  # fmt: skip


def friends_of(customer: Customer, everybody: Sequence[Customer]) -> tuple[Customer, ...]:
    """Return the few customers this one sometimes pays; Anna's are those of the story."""
    if customer.username == "anna" and customer.country == MERIDIAN_NL.country:
        return tuple(each for each in everybody if each.username in {"bob", "sophie"})
    chance = Random(f"{customer.party_id}|friends")  # noqa: S311 - invented
    others = [each for each in everybody if each is not customer]
    return tuple(chance.sample(others, k=min(2, len(others))))
