"""A small sample bank for tests that commit, and the people of the story."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections

import nexus.public
import orchestration.public
import sentinel.public
from deploy.sample.people import customers_of
from deploy.sample.seeding import seed
from deploy.sample.story import MERIDIAN_NL, sample_id
from orchestration.public import Card, Reply
from sentinel.vocabulary import Principal
from tests import postgres

CUSTOMERS = 4
SEED = 7


@dataclass
class Clock:
    """The time of the test, never earlier than the database's."""

    offset: timedelta = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def later(self, **step: float) -> None:
        self.offset += timedelta(**step)


@dataclass
class Chat:
    """A customer in a conversation."""

    principal: Principal
    clock: Clock
    id: UUID = field(default_factory=uuid4)
    tokens: list[str] = field(default_factory=list)

    def says(self, text: str, *attachments: orchestration.public.Attachment) -> Reply:
        return orchestration.public.handle_message(
            conversation_id=self.id,
            principal=self.principal,
            text=text,
            attachments=attachments,
            at=self.clock.now(),
            on_token=self.tokens.append,
        )

    def answers(self, card: Card, **answer: object) -> Reply:
        return orchestration.public.answer_card(
            conversation_id=self.id,
            principal=self.principal,
            card_id=card.id,
            answer=answer,
            at=self.clock.now(),
        )

    def code(self) -> str:
        return sentinel.public.authenticator_code(
            principal_id=self.principal.id, at=self.clock.now()
        )

    def cards(self, kind: str | None = None) -> tuple[Card, ...]:
        listed = orchestration.public.cards(
            conversation_id=self.id, principal=self.principal, at=self.clock.now()
        )
        return tuple(card for card in listed if kind in (None, card.kind))


@dataclass
class Bank:
    """The sample bank of one test."""

    clock: Clock
    anna: Principal
    employees: dict[str, Principal]

    def chat(self) -> Chat:
        return Chat(self.anna, self.clock)

    @property
    def customer_id(self) -> UUID:
        return UUID(self.anna.id.removeprefix("customer:"))

    def balance(self) -> int:
        """Return what Anna's current account holds in the ledger, in cents."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT credits_posted - debits_posted FROM ledger_account"
                " WHERE party_id = %s AND kind = 'customer_current'",
                [self.customer_id],
            )
            return cursor.fetchone()[0]

    def transfers(self) -> int:
        """Return how many transfers the ledger holds."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM ledger_transfer")
            return cursor.fetchone()[0]

    def know(self) -> None:
        """Let Nexus take in what happened."""
        while nexus.public.ingest_once(limit=2000).ingested:
            pass


@pytest.fixture(scope="session")
def seeded_template(django_db_setup, django_db_blocker) -> Iterator[str]:
    """Make the sample bank once; every test works on a copy of it."""
    name = f"{postgres.name}_seeded"
    with django_db_blocker.unblock():
        seed(customers=CUSTOMERS, number=SEED, at=datetime.now(UTC), say=lambda words: None)
        with sentinel.public.legal_entity(entity=MERIDIAN_NL.entity):
            orchestration.public.publish_journeys()
        connections.close_all()
    _copy(postgres.name, name)
    postgres.databases.clone(postgres.name)
    yield name
    postgres.databases.drop(name)


@pytest.fixture(scope="module")
def _empty_afterwards(seeded_template) -> Iterator[None]:
    """Give other modules the empty database back that they expect."""
    yield
    connections.close_all()
    postgres.databases.clone(postgres.name)


@pytest.fixture
def bank(seeded_template, _empty_afterwards, django_db_blocker) -> Iterator[Bank]:
    """Commits are real here, as Sentinel keeps what must survive in transactions of its own."""
    _copy(seeded_template, postgres.name)
    clock = Clock()
    with django_db_blocker.unblock():
        with sentinel.public.legal_entity(entity=MERIDIAN_NL.entity):
            people = customers_of(MERIDIAN_NL, CUSTOMERS, SEED)
            anna = next(each for each in people if each.username == "anna")
            yield Bank(clock, _customer(anna.party_id, clock), _employees(clock))
        connections.close_all()


def _copy(source: str, target: str) -> None:
    connections.close_all()
    postgres.databases.copy(source, target)


def _customer(party_id: UUID, clock: Clock) -> Principal:
    return Principal(
        id=f"customer:{party_id}",
        kind="customer",
        person_id=str(sample_id(MERIDIAN_NL.entity, "person", party_id)),
        entity=MERIDIAN_NL.entity,
        roles=("customer",),
        authenticated_at=clock.now(),
        methods=("pwd",),
    )


def _employees(clock: Clock) -> dict[str, Principal]:
    return {
        each.username: Principal(
            id=f"employee:{sample_id(MERIDIAN_NL.entity, 'employee', each.username)}",
            kind="employee",
            person_id=str(sample_id(MERIDIAN_NL.entity, "person", each.username)),
            entity=MERIDIAN_NL.entity,
            roles=(each.role,),
            authenticated_at=clock.now(),
            methods=("pwd",),
        )
        for each in MERIDIAN_NL.employees
    }
