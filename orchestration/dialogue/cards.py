"""Cards of a conversation: made from server state, answered once, never from what a page sends."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from orchestration import feed
from orchestration.durable import statements, store


class CardUnknown(LookupError):
    """No such card is in this conversation, or it is somebody else's."""

    code = "card_unknown"
    is_retryable = False

    def __init__(self, card_id: str) -> None:
        super().__init__(card_id)
        self.card_id = card_id


@dataclass(frozen=True, slots=True)
class Card:
    """What a customer sees and may answer; `state` is that at the time it was asked for."""

    id: UUID
    kind: str
    state: str
    turn: int | None
    details: Mapping[str, object]
    expires_at: datetime | None
    case_id: UUID | None


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card with what only the engine needs: the work it answers, and the reply it got."""

    card: Card
    conversation_id: UUID
    principal_id: str
    instance_id: UUID | None
    token: str | None
    node: str | None
    reference: UUID | None
    reply: str | None


@dataclass(frozen=True, slots=True)
class NewCard:
    """A card to show; `reference` is the challenge of a step-up card."""

    id: UUID
    conversation_id: UUID
    principal_id: str
    turn: int
    kind: str
    details: Mapping[str, object]
    at: datetime
    state: str = "open"
    expires_at: datetime | None = None
    case_id: UUID | None = None
    instance_id: UUID | None = None
    token: str | None = None
    node: str | None = None
    reference: UUID | None = None


_COLUMNS = (
    "id, kind, state, turn, details, expires_at, case_id, conversation_id, principal_id,"
    " instance_id, token, node, reference, reply"
)


def open_card(new: NewCard) -> Card:
    """Show a card; the same id is shown once."""
    statements.count(
        """
        INSERT INTO orch_card (id, conversation_id, principal_id, turn, kind, state, details,
               expires_at, case_id, instance_id, token, node, reference, opened_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (id) DO NOTHING
        """,
        [
            new.id,
            new.conversation_id,
            new.principal_id,
            new.turn,
            new.kind,
            new.state,
            json.dumps(new.details),
            new.expires_at,
            new.case_id,
            new.instance_id,
            new.token,
            new.node,
            new.reference,
            new.at,
        ],
    )
    return Card(new.id, new.kind, new.state, new.turn, new.details, new.expires_at, new.case_id)


def lock_card(*, card_id: UUID, conversation_id: UUID, principal_id: str, at: datetime) -> CardRow:
    """Lock and return a card of this person in this conversation.

    The flow behind it is locked first, as whatever closes a card holds the flow.

    Raises:
        CardUnknown: there is none.
    """
    found = _find(card_id, conversation_id, principal_id, at, "")
    if found.instance_id is not None:
        store.lock_instance(found.instance_id, is_waiting=True)
    return _find(card_id, conversation_id, principal_id, at, " FOR UPDATE")


def _find(
    card_id: UUID, conversation_id: UUID, principal_id: str, at: datetime, lock: str
) -> CardRow:
    found = _rows(
        f"SELECT {_COLUMNS} FROM orch_card WHERE id = %s AND conversation_id = %s"  # noqa: S608
        f" AND principal_id = %s{lock}",
        [card_id, conversation_id, principal_id],
        at,
    )
    if not found:
        raise CardUnknown(str(card_id))
    return found[0]


def cards_of(*, conversation_id: UUID, principal_id: str, at: datetime) -> tuple[CardRow, ...]:
    """Return the cards of a person's conversation as they stand, oldest first."""
    return _rows(
        f"SELECT {_COLUMNS} FROM orch_card WHERE conversation_id = %s"  # noqa: S608
        " AND principal_id = %s ORDER BY position",
        [conversation_id, principal_id],
        at,
    )


def open_cards_of_instance(instance_id: UUID, at: datetime) -> tuple[CardRow, ...]:
    """Return the cards of an instance that still wait for an answer."""
    return _rows(
        f"SELECT {_COLUMNS} FROM orch_card WHERE instance_id = %s"  # noqa: S608
        " AND state = 'open' ORDER BY position",
        [instance_id],
        at,
    )


def settle_card(
    card_id: UUID, *, state: str, reply: str | None = None, details: Mapping[str, object] | None
) -> None:
    """Note what became of a card, what was replied, and what it now shows."""
    statements.count(
        "UPDATE orch_card SET state = %s, reply = coalesce(%s, reply),"
        " details = coalesce(%s, details) WHERE id = %s",
        [state, reply, json.dumps(details) if details is not None else None, card_id],
    )


def close_cards(instance_id: UUID, token: str | None, state: str) -> tuple[UUID, ...]:
    """Close the open cards of an instance, or of one of its tokens; return whose changed."""
    rows = statements.run(
        "UPDATE orch_card SET state = %(state)s WHERE instance_id = %(id)s"
        " AND state = 'open' AND (%(token)s::text IS NULL OR token = %(token)s)"
        " RETURNING conversation_id",
        {"state": state, "id": instance_id, "token": token},
    )
    return tuple({row[0] for row in rows})


def tell_changed(
    conversation_id: UUID, customer_id: UUID | None, case_id: UUID | None, at: datetime
) -> None:
    """Tell the feed that a card of a conversation looks different now."""
    payload = {
        "case_id": str(case_id) if case_id else None,
        "customer_id": str(customer_id) if customer_id else None,
    }
    feed.publish(
        event_type="conversation.changed",
        subject=str(conversation_id),
        payload=payload,
        at=at,
    )


def _rows(statement: str, parameters: list[Any], at: datetime) -> tuple[CardRow, ...]:
    rows = statements.run(statement, parameters)
    return tuple(_row(row, at) for row in rows)


def _row(row: tuple[Any, ...], at: datetime) -> CardRow:
    card_id, kind, state, turn, details, expires_at, case_id, *rest = row
    if state == "open" and expires_at is not None and expires_at <= at:
        state = "expired"
    card = Card(card_id, kind, state, turn, json.loads(details), expires_at, case_id)
    return CardRow(card, *rest)
