"""Event in, changes out. Pure: what Nexus holds follows from the feed alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from uuid import UUID, uuid5

from nexus.events import (
    AccountOpened,
    AccountStatusChanged,
    CardChanged,
    PartyRegistered,
    PayeeAdded,
    Payload,
    PostedTransfer,
    TransferPosted,
    moment_of,
)

FACT_NAMESPACE = UUID("6f1f0f5e-5d0e-4c7e-9f0b-5a3f5f0c9b11")


@dataclass(frozen=True, slots=True)
class Arrived:
    """One event of a feed with its typed payload."""

    event_id: UUID
    event_type: str
    occurred_at: datetime
    source: str
    payload: Payload


@dataclass(frozen=True, slots=True)
class NewFact:
    """A fact to keep: what of whom, valid since when, said by whom, for which class of use."""

    subject: str
    name: str
    value: object
    valid_from: datetime
    source: str
    event_id: UUID
    purpose_class: str
    key: str = ""
    valid_to: datetime | None = None
    confidence_permille: int = 1000
    is_retracted: bool = False

    @property
    def id(self) -> UUID:
        """Return the identity that makes a repeated fact the same row."""
        return uuid5(FACT_NAMESPACE, f"{self.event_id}|{self.subject}|{self.name}|{self.key}")


@dataclass(frozen=True, slots=True)
class NewNode:
    """The present picture of a thing; the newest wins."""

    id: str
    kind: str
    customer_id: UUID | None
    attributes: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class NewEdge:
    """A relation to keep, once."""

    source: str
    relation: str
    target: str
    valid_from: datetime
    event_id: UUID


@dataclass(frozen=True, slots=True)
class NewTransaction:
    """A booking on one account, as its owner sees it."""

    transfer_id: UUID
    account_id: UUID
    customer_id: UUID | None
    amount_minor_units: int
    currency: str
    booked_at: datetime
    counterparty_name: str
    counterparty_iban: str
    remittance: str
    category: str
    end_to_end_id: str
    decision_id: UUID | None


@dataclass(slots=True)
class Changes:
    """Everything one batch of events changes, gathered so that it is written set by set."""

    facts: list[NewFact] = field(default_factory=list)
    nodes: dict[str, NewNode] = field(default_factory=dict)
    edges: list[NewEdge] = field(default_factory=list)
    transactions: list[NewTransaction] = field(default_factory=list)
    accounts: list[AccountOpened] = field(default_factory=list)
    statuses: dict[UUID, str] = field(default_factory=dict)
    owners: dict[UUID, UUID | None] = field(default_factory=dict)
    held: dict[UUID, int] = field(default_factory=dict)
    topics: dict[UUID, set[str]] = field(default_factory=dict)
    posted: dict[UUID, list[PostedTransfer]] = field(default_factory=dict)

    def touch(self, customer_id: UUID | None, topic: str) -> None:
        """Note that a customer's picture has moved."""
        if customer_id is not None:
            self.topics.setdefault(customer_id, set()).add(topic)


def reduce_events(*, arrived: Iterable[Arrived], owners: Mapping[UUID, UUID | None]) -> Changes:
    """Return what a batch of events changes, given who owns the accounts known before it."""
    changes = Changes(owners=dict(owners))
    for each in arrived:
        match each.payload:
            case PartyRegistered():
                _party(changes, each, each.payload)
            case AccountOpened():
                _account(changes, each, each.payload)
            case AccountStatusChanged():
                _account_status(changes, each, each.payload)
            case TransferPosted():
                _transfer(changes, each, each.payload)
            case CardChanged():
                _card(changes, each, each.payload)
            case PayeeAdded():
                _payee(changes, each, each.payload)
    return changes


def _fact(
    each: Arrived,
    *,
    subject: str,
    name: str,
    purpose_class: str,
    key: str = "",
    since: date | None = None,
) -> NewFact:
    """Return the fact an event tells; `since` says that it was true before it was told."""
    return NewFact(
        subject=subject,
        name=name,
        key=key,
        value=each.payload.model_dump(mode="json"),
        valid_from=_valid_from(each, since),
        source=each.source,
        event_id=each.event_id,
        purpose_class=purpose_class,
    )


def _valid_from(each: Arrived, since: date | None) -> datetime:
    if since is None:
        return each.occurred_at
    return min(each.occurred_at, datetime.combine(since, time.min, UTC))


def _party(changes: Changes, each: Arrived, payload: PartyRegistered) -> None:
    subject = f"party:{payload.party_id}"
    attributes = payload.model_dump(mode="json")
    changes.facts.append(_fact(each, subject=subject, name="party", purpose_class="identity"))
    changes.nodes[subject] = NewNode(subject, "party", payload.party_id, attributes)
    changes.touch(payload.party_id, "party")


def _account(changes: Changes, each: Arrived, payload: AccountOpened) -> None:
    subject = f"account:{payload.account_id}"
    owner = f"party:{payload.party_id}" if payload.party_id else subject
    changes.owners[payload.account_id] = payload.party_id
    changes.accounts.append(payload)
    key = str(payload.account_id)
    changes.facts.append(
        _fact(
            each,
            subject=owner,
            name="account",
            key=key,
            purpose_class="financial",
            since=payload.opened_on,
        )
    )
    attributes = payload.model_dump(mode="json")
    changes.nodes[subject] = NewNode(subject, "account", payload.party_id, attributes)
    if payload.party_id:
        changes.edges.append(_edge(each, owner, "owns", subject))
    changes.touch(payload.party_id, "accounts")


def _account_status(changes: Changes, each: Arrived, payload: AccountStatusChanged) -> None:
    subject = f"account:{payload.account_id}"
    changes.statuses[payload.account_id] = payload.status
    changes.facts.append(
        _fact(each, subject=subject, name="account_status", purpose_class="financial")
    )
    changes.touch(changes.owners.get(payload.account_id), "accounts")


def _transfer(changes: Changes, each: Arrived, payload: TransferPosted) -> None:
    _move_holds(changes, payload)
    debtor = changes.owners.get(payload.debit_account)
    creditor = changes.owners.get(payload.credit_account)
    changes.touch(debtor, "accounts")
    changes.touch(creditor, "accounts")
    if payload.kind in ("pending", "void"):
        return
    moment = moment_of(payload, each.occurred_at)
    changes.transactions.append(_booking(payload, moment, payload.debit_account, debtor, -1))
    changes.transactions.append(_booking(payload, moment, payload.credit_account, creditor, 1))
    if payload.decision_id:
        _decided(changes, each, payload)
        _tell_posted(changes, payload, debtor)


def _tell_posted(changes: Changes, payload: TransferPosted, debtor: UUID | None) -> None:
    """Tell of money a customer sent; the items of a batch were ordered together, not by them."""
    if debtor is None:
        return
    posted = PostedTransfer(
        payload.transfer_id, payload.debit_account, payload.amount, payload.currency
    )
    changes.posted.setdefault(debtor, []).append(posted)


def _decided(changes: Changes, each: Arrived, payload: TransferPosted) -> None:
    """Join the decision to its effect, so that the Context Graph can be walked both ways."""
    transfer, decision = f"transfer:{payload.transfer_id}", f"decision:{payload.decision_id}"
    customer = changes.owners.get(payload.debit_account)
    summary = {"amount": payload.amount, "currency": payload.currency}
    changes.nodes[transfer] = NewNode(transfer, "transfer", customer, summary)
    changes.edges.append(_edge(each, decision, "executed", transfer))
    changes.edges.append(_edge(each, transfer, "debited", f"account:{payload.debit_account}"))


def _move_holds(changes: Changes, payload: TransferPosted) -> None:
    held = {
        "pending": payload.amount,
        "post_pending": -payload.pending_amount,
        "void": -payload.pending_amount,
    }.get(payload.kind, 0)
    if held:
        account = payload.debit_account
        changes.held[account] = changes.held.get(account, 0) + held


def _booking(
    payload: TransferPosted,
    moment: datetime,
    account_id: UUID,
    customer_id: UUID | None,
    sign: int,
) -> NewTransaction:
    is_debit = sign < 0
    return NewTransaction(
        transfer_id=payload.transfer_id,
        account_id=account_id,
        customer_id=customer_id,
        amount_minor_units=sign * payload.amount,
        currency=payload.currency,
        booked_at=moment,
        counterparty_name=payload.creditor_name if is_debit else payload.debtor_name,
        counterparty_iban=payload.creditor_iban if is_debit else payload.debtor_iban,
        remittance=payload.remittance,
        category=payload.category,
        end_to_end_id=payload.end_to_end_id,
        decision_id=payload.decision_id,
    )


def _card(changes: Changes, each: Arrived, payload: CardChanged) -> None:
    subject, owner = f"card:{payload.card_id}", f"party:{payload.party_id}"
    key = str(payload.card_id)
    changes.facts.append(
        _fact(each, subject=owner, name="card", key=key, purpose_class="financial")
    )
    attributes = payload.model_dump(mode="json")
    changes.nodes[subject] = NewNode(subject, "card", payload.party_id, attributes)
    changes.edges.append(_edge(each, owner, "holds", subject))
    changes.edges.append(_edge(each, subject, "draws_on", f"account:{payload.account_id}"))
    changes.touch(payload.party_id, "cards")


def _payee(changes: Changes, each: Arrived, payload: PayeeAdded) -> None:
    subject, owner = f"payee:{payload.payee_id}", f"party:{payload.party_id}"
    key = str(payload.payee_id)
    changes.facts.append(
        _fact(
            each,
            subject=owner,
            name="payee",
            key=key,
            purpose_class="financial",
            since=payload.added_on,
        )
    )
    attributes = payload.model_dump(mode="json")
    changes.nodes[subject] = NewNode(subject, "payee", payload.party_id, attributes)
    changes.edges.append(_edge(each, owner, "pays", subject))
    changes.touch(payload.party_id, "payees")


def _edge(each: Arrived, source: str, relation: str, target: str) -> NewEdge:
    return NewEdge(source, relation, target, each.occurred_at, each.event_id)
