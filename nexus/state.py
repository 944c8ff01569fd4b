"""The customer as the bank knows them: now from the read models, then from the facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import connection

from nexus.columns import containing, json_object
from nexus.facts import Fact, facts_of
from nexus.ingest import ensure_position, ingested_position
from sentinel.public import run_statement

# More than one is all that anybody asks about those who share an address.
_SHARING_MAX = 2


class CustomerUnknown(LookupError):
    """No such customer is known to this legal entity (at the time asked about)."""

    code = "customer_unknown"
    is_retryable = False

    def __init__(self, customer_id: str) -> None:
        super().__init__(customer_id)
        self.customer_id = customer_id


@dataclass(frozen=True, slots=True)
class AccountView:
    """An account with what it holds, in minor units; `available` leaves out what is on hold."""

    account_id: UUID
    iban: str
    kind: str
    currency: str
    name: str
    status: str
    booked_minor_units: int
    held_minor_units: int

    @property
    def available_minor_units(self) -> int:
        """Return what can be spent before any overdraft."""
        return self.booked_minor_units - self.held_minor_units


@dataclass(frozen=True, slots=True)
class CardView:
    """A card, by its last four digits."""

    card_id: UUID
    account_id: UUID
    last_four: str
    scheme: str
    product: str
    status: str
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class PayeeView:
    """Somebody the customer pays, since when they are known, and where to call them back."""

    payee_id: UUID
    name: str
    iban: str
    added_on: date
    is_trusted: bool
    phone: str = ""


@dataclass(frozen=True, slots=True)
class CustomerState:
    """Everything a screen needs of one customer, with the position it was read at.

    `is_current` is False when the position asked for could not be reached yet: the balances are
    then older than the caller knows of, and must not be shown as current.
    """

    customer_id: UUID
    party: Mapping[str, object]
    accounts: tuple[AccountView, ...]
    cards: tuple[CardView, ...]
    payees: tuple[PayeeView, ...]
    position: str
    is_current: bool


def customer_state(
    *,
    customer_id: UUID,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    at_least: str | None = None,
) -> CustomerState:
    """Return a customer's state now, or as of a time, as it was known at a time.

    Args:
        customer_id: the party of the customer.
        as_of: valid time; None is now.
        known_at: transaction time; None is everything known by now.
        at_least: a feed position this state must include (an outcome's `position`).

    Raises:
        CustomerUnknown: this legal entity knows no such customer (at that time).
    """
    is_current = ensure_position(position=at_least) if at_least else True
    subject = f"party:{customer_id}"
    facts = facts_of(subjects=[subject], as_of=as_of, known_at=known_at)
    parties: Sequence[Fact] = [fact for fact in facts if fact.name == "party"]
    if not parties and facts:
        # Who somebody is was true before the bank was told of it; what they held then stands above.
        parties = facts_of(subjects=[subject], name="party", known_at=known_at)
    if not parties:
        raise CustomerUnknown(str(customer_id))
    accounts = tuple(_accounts(customer_id, facts, as_of, known_at))
    return CustomerState(
        customer_id=customer_id,
        party=_mapping(parties[0]),
        accounts=accounts,
        cards=tuple(_card(_mapping(fact)) for fact in facts if fact.name == "card"),
        payees=tuple(_payees(facts)),
        position=ingested_position(),
        is_current=is_current,
    )


def _accounts(
    customer_id: UUID,
    facts: Sequence[Fact],
    as_of: datetime | None,
    known_at: datetime | None,
) -> list[AccountView]:
    if as_of is None and known_at is None:
        return _present_accounts(customer_id)
    opened = [_mapping(fact) for fact in facts if fact.name == "account"]
    balances = _balances_then([UUID(str(each["account_id"])) for each in opened], as_of, known_at)
    return [
        AccountView(
            account_id=UUID(str(each["account_id"])),
            iban=str(each["iban"]),
            kind=str(each["kind"]),
            currency=str(each["currency"]),
            name=str(each["name"]),
            status=str(each["status"]),
            booked_minor_units=balances.get(UUID(str(each["account_id"])), 0),
            held_minor_units=0,
        )
        for each in opened
    ]


def _present_accounts(customer_id: UUID) -> list[AccountView]:
    rows = run_statement(
        sql="""
        SELECT account_id, iban, kind, currency, name, status, booked_minor_units,
               held_minor_units
          FROM nexus_account_state
         WHERE customer_id = %s
         ORDER BY kind, iban
        """,
        parameters=[customer_id],
    )
    return [AccountView(*row) for row in rows]


def _balances_then(
    accounts: Sequence[UUID], as_of: datetime | None, known_at: datetime | None
) -> dict[UUID, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT account_id, sum(amount_minor_units)::bigint
              FROM nexus_transaction
             WHERE account_id = ANY(%s)
               AND booked_at <= coalesce(%s::timestamptz, clock_timestamp())
               AND known_from <= coalesce(%s::timestamptz, clock_timestamp())
             GROUP BY account_id
            """,
            [list(accounts), as_of, known_at],
        )
        return dict(cursor.fetchall())


def payees_of(*, customer_id: UUID) -> tuple[PayeeView, ...]:
    """Return the people and companies a customer has named to pay, by name."""
    return tuple(_payees(facts_of(subjects=[f"party:{customer_id}"], name="payee")))


def _payees(facts: Sequence[Fact]) -> list[PayeeView]:
    payees = [
        PayeeView(
            payee_id=UUID(str(value["payee_id"])),
            name=str(value["name"]),
            iban=str(value["iban"]),
            added_on=date.fromisoformat(str(value["added_on"])),
            is_trusted=bool(value["is_trusted"]),
            phone=str(value.get("phone", "")),
        )
        for value in (_mapping(fact) for fact in facts if fact.name == "payee")
    ]
    return sorted(payees, key=lambda payee: payee.name.casefold())


def _card(value: Mapping[str, object]) -> CardView:
    expires = value.get("expires_on")
    return CardView(
        card_id=UUID(str(value["card_id"])),
        account_id=UUID(str(value["account_id"])),
        last_four=str(value["last_four"]),
        scheme=str(value["scheme"]),
        product=str(value["product"]),
        status=str(value["status"]),
        expires_on=date.fromisoformat(str(expires)) if expires else None,
    )


def find_customers(*, text: str, limit: int = 20) -> tuple[Mapping[str, object], ...]:
    """Return the customers whose name, town or IBAN contains a text, for the employee's search."""
    pattern = containing(text)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT attributes FROM nexus_node
             WHERE kind = 'party'
               AND (attributes->>'name' ILIKE %s OR attributes->>'city' ILIKE %s
                    OR customer_id IN (SELECT customer_id FROM nexus_account_state
                                        WHERE iban ILIKE %s))
             ORDER BY attributes->>'family_name', attributes->>'name'
             LIMIT %s
            """,
            [pattern, pattern, pattern.replace(" ", ""), limit],
        )
        return tuple(json_object(row[0]) for row in cursor.fetchall())


def customers_at(*, email: str) -> tuple[UUID, ...]:
    """Return the customers with an e-mail address on record; capitals make no difference."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT customer_id FROM nexus_node WHERE kind = 'party' AND customer_id IS NOT NULL"
            " AND entity = frontline_entity() AND lower(attributes->>'email') = lower(%s)"
            " AND %s <> '' ORDER BY customer_id LIMIT %s",
            [email, email, _SHARING_MAX],
        )
        return tuple(row[0] for row in cursor.fetchall())


def _mapping(fact: Fact) -> Mapping[str, object]:
    assert isinstance(fact.value, dict)
    return fact.value
