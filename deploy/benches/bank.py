"""A bank for the benches: one legal entity, many customers with money, made through Sentinel."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID, uuid4

from django.db import transaction

import grand_central.public
import nexus.public
import sentinel.public
from deploy.rulebook import shipped_bundles
from deploy.sample.batches import Mandate
from deploy.sample.screening import load_lists
from deploy.sample.seeding import SAMPLE_LIST
from sentinel.vocabulary import Action, DecisionToken, Fact, Principal, Provenance, Source

ENTITY = "bench-nl"
NO_LIMIT_MINOR = 10**14
_SEED = Principal("system:seed", "system", "", ENTITY, roles=("system",))
_MUST_NOT_OVERDRAW = 1
_WEALTH_MINOR = 10**9


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer with one account that has money in it."""

    party_id: UUID
    account_id: UUID
    iban: str

    @property
    def principal(self) -> Principal:
        """Return the customer as somebody who acts."""
        return Principal(
            id=f"customer:{self.party_id}",
            kind="customer",
            person_id=str(self.party_id),
            entity=ENTITY,
            roles=("customer",),
            authenticated_at=now(),
            methods=("pwd",),
        )


def sequence_log() -> None:
    """Sequence what was recorded, as the tick does: a log left behind refuses what is of risk."""
    while sentinel.public.run_sequencer_once():
        pass


def now() -> datetime:
    """Return the present; a bench is an edge of its own."""
    return datetime.now(UTC)


def open_bank(*, customers: int) -> tuple[Customer, ...]:
    """Install genesis, open the books and give every customer an account with money."""
    sentinel.public.install_genesis(
        entity=sentinel.public.LegalEntity(ENTITY, "Bench Bank", "NL", "EUR"),
        bundles=shipped_bundles(),
        at=now(),
        caps={"daily_outgoing": NO_LIMIT_MINOR, "approval_threshold": NO_LIMIT_MINOR},
    )
    with sentinel.public.legal_entity(entity=ENTITY):
        return _populate(customers)


def _populate(count: int) -> tuple[Customer, ...]:
    made = tuple(
        Customer(
            uuid4(),
            uuid4(),
            grand_central.public.iban_of(
                country="NL", bank_code="MRDN", account=f"{5_000_000 + number:010}"
            ),
        )
        for number in range(count)
    )
    today = now().date()
    _do(
        "bank.open",
        {
            "name": "Bench Bank",
            "country": "NL",
            "bank_code": "MRDN",
            "currency": "EUR",
            "business_date": today.isoformat(),
        },
    )
    _batch("parties.register", [_party(each) for each in made])
    equity = uuid4()
    _batch(
        "accounts.open", [_own_account(equity, "equity", 1), _own_account(uuid4(), "clearing", 2)]
    )
    _batch("accounts.open", [_account(each) for each in made])
    funding = [
        grand_central.public.PostingItem(uuid4(), equity, each.account_id, _WEALTH_MINOR, "EUR")
        for each in made
    ]
    _batch("ledger.post_batch", funding, total=_WEALTH_MINOR * count)
    return made


def open_savings(customers: Sequence[Customer]) -> dict[UUID, str]:
    """Give customers a second account each, and return its IBAN by party."""
    made = {
        each.party_id: grand_central.public.iban_of(
            country="NL", bank_code="MRDN", account=f"{6_000_000 + number:010}"
        )
        for number, each in enumerate(customers)
    }
    with sentinel.public.legal_entity(entity=ENTITY):
        _batch(
            "accounts.open",
            [
                replace(
                    _account(each),
                    id=uuid4(),
                    iban=made[each.party_id],
                    kind="customer_savings",
                    name="Savings account",
                )
                for each in customers
            ],
        )
    return made


def _party(customer: Customer) -> grand_central.public.PartyItem:
    return grand_central.public.PartyItem(
        id=customer.party_id,
        kind="person",
        name="Bench Customer",
        given_name="Bench",
        family_name="Customer",
        birth_date=None,
        email="",
        phone="",
        street="",
        postal_code="",
        city="",
        country="NL",
        segment="retail",
    )


def _account(customer: Customer) -> grand_central.public.AccountItem:
    return grand_central.public.AccountItem(
        id=customer.account_id,
        iban=customer.iban,
        code=1,
        currency="EUR",
        kind="customer_current",
        name="Current account",
        holder_name="Bench Customer",
        party_id=customer.party_id,
        flags=_MUST_NOT_OVERDRAW,
        opened_on=now().date(),
    )


def _own_account(account_id: UUID, kind: str, number: int) -> grand_central.public.AccountItem:
    return grand_central.public.AccountItem(
        id=account_id,
        iban=grand_central.public.iban_of(country="NL", bank_code="MRDN", account=f"{number:010}"),
        code=9,
        currency="EUR",
        kind=kind,
        name=kind,
        holder_name="Bench Bank",
        party_id=None,
        flags=0,
        opened_on=now().date(),
    )


def make_known() -> None:
    """Bring what the core knows into Nexus and load a list to screen against."""
    with sentinel.public.legal_entity(entity=ENTITY):
        while nexus.public.ingest_once().ingested:
            pass
        mandate = Mandate("screening", ENTITY, now())
        load_lists(mandate, [(SAMPLE_LIST, "sample", "Sample list")], is_sample=True)


def post_batch(
    items: Sequence[grand_central.public.PostingItem], *, total: int
) -> grand_central.public.Receipt:
    """Post many transfers under one permit and return the status of each."""
    return _batch("ledger.post_batch", items, total)


@dataclass(frozen=True, slots=True)
class Permitted:
    """A permitted batch, ready to be posted, once and soon."""

    action: Action
    token: DecisionToken
    lines: tuple[str, ...]

    def post(self) -> grand_central.public.Receipt:
        """Redeem the token, post what it permits and record the outcome in one transaction."""
        with transaction.atomic():
            return grand_central.public.execute(
                action=self.action, token=self.token, payload=self.lines
            )


def permit_batch(lines: tuple[str, ...], *, total: int) -> Permitted:
    """Have a batch of transfers decided, in a transaction of its own."""
    parameters = _batch_parameters(lines, total)
    proposed = _by_mandate("ledger.post_batch", parameters)
    with transaction.atomic():
        token = _permit(proposed, _SEED, (), "migration")
    return Permitted(proposed, token, lines)


def _batch(
    kind: str, items: Sequence[grand_central.public.BatchItem], total: int | None = None
) -> grand_central.public.Receipt:
    lines = tuple(item.line() for item in items)
    return _do(kind, _batch_parameters(lines, total), lines)


def _batch_parameters(lines: tuple[str, ...], total: int | None) -> dict[str, object]:
    parameters: dict[str, object] = {
        "batch_id": str(uuid4()),
        "items_root": grand_central.public.items_root(lines=lines),
        "count": len(lines),
    }
    if total is not None:
        parameters["total"] = {"minor_units": total, "currency": "EUR"}
    return parameters


def _do(
    kind: str, parameters: dict[str, object], lines: tuple[str, ...] | None = None
) -> grand_central.public.Receipt:
    return act(
        action=_by_mandate(kind, parameters),
        principal=_SEED,
        facts=(),
        purpose="migration",
        payload=lines,
    )


def _by_mandate(kind: str, parameters: dict[str, object]) -> Action:
    return action(kind, parameters, resource=f"bank:{ENTITY}", provenance=Provenance.SYSTEM)


def action(
    kind: str, parameters: dict[str, object], *, resource: str, provenance: Provenance
) -> Action:
    """Return a proposed action whose parameters all have one source."""
    return Action(
        kind=kind,
        parameters=parameters,
        resource=resource,
        case_id=uuid4(),
        idempotency_key=str(uuid4()),
        sources=dict.fromkeys(parameters, Source(provenance, "bench:1")),
    )


def act(
    *,
    action: Action,
    principal: Principal,
    facts: Sequence[Fact],
    purpose: str,
    payload: tuple[str, ...] | None = None,
) -> grand_central.public.Receipt:
    """Decide, redeem, carry out and record in one transaction, as `orchestration.act` does."""
    with transaction.atomic():
        token = _permit(action, principal, facts, purpose)
        return grand_central.public.execute(action=action, token=token, payload=payload)


def _permit(
    action: Action, principal: Principal, facts: Sequence[Fact], purpose: str
) -> DecisionToken:
    decision = sentinel.public.decide(
        action=action, principal=principal, facts=facts, purpose=purpose, at=now()
    )
    if decision.token is None:
        raise BenchDenied(f"{action.kind}: {decision.reasons}")
    return decision.token


class BenchDenied(Exception):
    """Sentinel did not permit what the bench needs; the bench would measure refusals."""

    code = "bench_denied"
    is_retryable = False

    def __init__(self, policies: str) -> None:
        super().__init__(policies)
        self.policies = policies


@lru_cache(maxsize=1)
def fact_values() -> tuple[tuple[str, str | int | bool], ...]:
    """Return what is known of a payment to the customer's other account: no second factor."""
    return (
        ("account_status", "open"),
        ("customer_status", "active"),
        ("own_account", True),
        ("creditor_own_account", True),
        ("screening_status", "clear"),
        ("screening_age_seconds", 60),
        ("fraud_score_permille", 12),
        ("fraud_band", "low"),
        ("payee_known", True),
        ("payee_iban_matches_known", True),
        ("name_check", "match"),
    )


def payment_facts() -> tuple[Fact, ...]:
    """Return the facts of one payment, seen just now."""
    seen = now()
    return tuple(Fact(name, value, "nexus_fact:bench", seen) for name, value in fact_values())
