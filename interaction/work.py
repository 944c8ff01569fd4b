"""What employees look up: customers, their money and their cases, within their legal entity."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

import nexus.public
import orchestration.public
import sentinel.public
from interaction.models import User
from sentinel.vocabulary import Money, Principal

_SEARCH_MIN = 2
_EMPLOYEE = "employee:"


class EmployeesOnly(PermissionError):
    """Only an employee may look this up."""

    code = "employees_only"
    is_retryable = False

    def __init__(self, principal_id: str) -> None:
        super().__init__(principal_id)
        self.principal_id = principal_id


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account as an employee reads it."""

    account_id: UUID
    name: str
    iban: str
    status: str
    balance: Money
    available: Money


@dataclass(frozen=True, slots=True)
class CustomerScreen:
    """A customer with everything one page about them shows."""

    customer_id: UUID
    party: Mapping[str, object]
    accounts: tuple[AccountRow, ...]
    cards: tuple[nexus.public.CardView, ...]
    payees: tuple[nexus.public.PayeeView, ...]
    is_current: bool


@dataclass(frozen=True, slots=True)
class BookingRow:
    """A booking with its amount as money."""

    booking_date: date
    counterparty_name: str
    remittance: str
    amount: Money


def customer_screen(
    *, customer_id: UUID, principal: Principal, at: datetime, as_of: datetime | None = None
) -> CustomerScreen:
    """Return one customer now, or as of a time, and record who looked.

    Raises:
        EmployeesOnly: the person asking is not an employee.
        NotForYourRole: they serve no customers and have no case of this one.
        nexus.public.CustomerUnknown: this legal entity knows no such customer.
    """
    _refuse_others(principal)
    orchestration.public.require_customer_reader(
        customer_id=customer_id, principal=principal, at=at
    )
    state = nexus.public.customer_state(customer_id=customer_id, as_of=as_of)
    return CustomerScreen(
        customer_id=customer_id,
        party=state.party,
        accounts=tuple(_account(account) for account in state.accounts),
        cards=state.cards,
        payees=state.payees,
        is_current=state.is_current,
    )


def customer_bookings(
    *, customer_id: UUID, principal: Principal, at: datetime, limit: int = 12
) -> tuple[BookingRow, ...]:
    """Return the newest bookings on all of a customer's accounts.

    Raises:
        EmployeesOnly: the person asking is not an employee.
        NotForYourRole: they serve no customers and have no case of this one.
    """
    _refuse_others(principal)
    orchestration.public.require_customer_reader(
        customer_id=customer_id, principal=principal, at=at
    )
    page = nexus.public.transactions(customer_id=customer_id, limit=limit)
    return tuple(
        BookingRow(
            booking_date=booking.booking_date,
            counterparty_name=booking.counterparty_name,
            remittance=booking.remittance,
            amount=Money(booking.amount_minor_units, booking.currency),
        )
        for booking in page.bookings
    )


def find_customers(*, text: str, principal: Principal) -> tuple[Mapping[str, object], ...]:
    """Return the customers whose name, town or IBAN contains a text of two letters or more.

    Those whom a person may not read are not among them.

    Raises:
        EmployeesOnly: the person asking is not an employee.
    """
    _refuse_others(principal)
    if len(text.strip()) < _SEARCH_MIN:
        return ()
    found = nexus.public.find_customers(text=text)
    readable = orchestration.public.readable_customers(
        customer_ids=[UUID(str(each["party_id"])) for each in found], principal=principal
    )
    return tuple(each for each in found if UUID(str(each["party_id"])) in readable)


def list_customers(
    *, text: str, principal: Principal, at: datetime, case_id: UUID | None = None
) -> tuple[Mapping[str, object], ...]:
    """Return customers as `find_customers` does, and write down that a list of them was read.

    What is decided later in the case it was read for sees that: nothing leaves the bank there.

    Raises:
        EmployeesOnly: the person asking is not an employee.
    """
    found = find_customers(text=text, principal=principal)
    if found:
        with transaction.atomic():
            sentinel.public.record_access(
                principal=principal,
                resource="customers:found",
                is_granted=True,
                at=at,
                data="customer_list",
                case_id=case_id,
            )
    return found


def names_of(*, principal_ids: Iterable[str | None]) -> Mapping[str, str]:
    """Return the names of those of these principals who are employees of this legal entity."""
    people = {
        principal_id.partition(":")[2]: principal_id
        for principal_id in principal_ids
        if principal_id and principal_id.startswith(_EMPLOYEE)
    }
    users = User.objects.filter(person_id__in=list(people))
    return {people[str(user.person_id)]: user.display_name for user in users}


def _refuse_others(principal: Principal) -> None:
    if principal.kind != "employee":
        raise EmployeesOnly(principal.id)


def _account(account: nexus.public.AccountView) -> AccountRow:
    return AccountRow(
        account_id=account.account_id,
        name=account.name,
        iban=account.iban,
        status=account.status,
        balance=Money(account.booked_minor_units, account.currency),
        available=Money(account.available_minor_units, account.currency),
    )
