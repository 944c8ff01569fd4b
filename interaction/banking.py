"""The customer's screens: read from Nexus and Orchestration, for the customer who asks only."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import nexus.public
import orchestration.public
from interaction.conversation import customer_of, reached_position
from interaction.widgets.accounts import AccountLine, CardLine, account_line, card_line
from interaction.widgets.activity import Day, Spending, days, month_before, spending_view
from sentinel.vocabulary import Principal

RECENT = 12
PAGE = 40


class AccountUnknown(LookupError):
    """This customer has no such account."""

    code = "account_unknown"
    is_retryable = False

    def __init__(self, account_id: UUID) -> None:
        super().__init__(str(account_id))


@dataclass(frozen=True, slots=True)
class Reading:
    """When something was read, and whether it holds everything the customer knows was done.

    Where `is_current` is False the figures are older than a payment the customer made: a screen
    says that it is updating and does not show them as the balance.
    """

    at: datetime
    position: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Home:
    """The overview: balances first."""

    reading: Reading
    accounts: tuple[AccountLine, ...]
    days: tuple[Day, ...]
    spending: Spending | None
    waiting: tuple[orchestration.public.PaymentView, ...]


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One account with a page of its bookings; `before` asks for the next page."""

    reading: Reading
    account: AccountLine
    days: tuple[Day, ...]
    before: str | None
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a customer has and whom they pay: accounts, cards and payees."""

    reading: Reading
    accounts: tuple[AccountLine, ...]
    cards: tuple[CardLine, ...]
    payees: tuple[nexus.public.PayeeView, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the customer asked an account page for."""

    search: str = ""
    category: str = ""
    direction: str = ""
    before: str | None = None


_WAITING = {"waiting_for_you", "in_review"}


def holdings(*, principal: Principal, at: datetime) -> Holdings:
    """Return the customer's accounts, cards and payees."""
    state = _state(principal)
    return Holdings(
        reading=Reading(at, state.position, state.is_current),
        accounts=tuple(account_line(each) for each in state.accounts),
        cards=tuple(card_line(each) for each in state.cards),
        payees=state.payees,
    )


def home(*, principal: Principal, at: datetime) -> Home:
    """Return the overview of the customer."""
    held = holdings(principal=principal, at=at)
    customer_id = customer_of(principal)
    recent = nexus.public.transactions(customer_id=customer_id, limit=RECENT)
    month = at.date().replace(day=1)
    spent = nexus.public.spending(
        customer_id=customer_id, since=month_before(month=month), until=at.date()
    )
    currency = held.accounts[0].balance.currency if held.accounts else ""
    waiting = payments(principal=principal, at=at)
    return Home(
        reading=held.reading,
        accounts=held.accounts,
        days=days(recent.bookings),
        spending=spending_view(spent, month=month, currency=currency) if currency else None,
        waiting=tuple(each for each in waiting if is_under_way(payment=each)),
    )


def account_page(
    *, principal: Principal, account_id: UUID, asked: Asked, at: datetime
) -> AccountPage:
    """Return one account of the customer with the bookings asked for.

    Raises:
        AccountUnknown: the customer has no such account.
    """
    held = holdings(principal=principal, at=at)
    account = next((each for each in held.accounts if each.id == account_id), None)
    if account is None:
        raise AccountUnknown(account_id)
    customer_id = customer_of(principal)
    page = nexus.public.transactions(
        customer_id=customer_id,
        account_id=account_id,
        filters=nexus.public.BookingFilter(
            search=asked.search,
            category=asked.category or None,
            direction=asked.direction or None,
        ),
        before=asked.before,
        limit=PAGE,
    )
    return AccountPage(
        reading=held.reading,
        account=account,
        days=days(page.bookings),
        before=page.before,
        categories=_categories(customer_id, at.date()),
    )


def payments(
    *, principal: Principal, at: datetime, limit: int = 50
) -> tuple[orchestration.public.PaymentView, ...]:
    """Return the customer's payments through this bank's flows, newest first."""
    return orchestration.public.payments(principal=principal, limit=limit, at=at)


def is_under_way(*, payment: orchestration.public.PaymentView) -> bool:
    """Say whether a payment still waits for the customer or for the bank's people."""
    return payment.state in _WAITING


def _state(principal: Principal) -> nexus.public.CustomerState:
    """Read at least as far as the last thing the customer was told was done."""
    customer_id = customer_of(principal)
    reached = reached_position(customer_id=customer_id)
    return nexus.public.customer_state(customer_id=customer_id, at_least=reached or None)


def _categories(customer_id: UUID, today: date) -> tuple[str, ...]:
    year_ago = today.replace(year=today.year - 1, day=1)
    spent = nexus.public.spending(customer_id=customer_id, since=year_ago, until=today)
    return tuple(sorted({each.category for each in spent}))
