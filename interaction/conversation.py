"""Taking turns: what was said is stored, answered once, and read back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol
from uuid import UUID, uuid4

from django.db import transaction
from pydantic import BaseModel, ConfigDict

import orchestration.public
import sentinel.public
from interaction.channels.web import PDF, Message
from interaction.models import ASSISTANT, CUSTOMER, Conversation, Turn
from interaction.sealing import Seal
from sentinel.vocabulary import Principal

ERASED = "(erased)"
TURNS_SHOWN = 60


class ConversationUnknown(LookupError):
    """This customer has no such conversation."""

    code = "conversation_unknown"
    is_retryable = False

    def __init__(self, conversation_id: UUID) -> None:
        super().__init__(str(conversation_id))


class Engine(Protocol):
    """What answers: Orchestration's door, or a stand-in with the same doors at a test's edge."""

    def handle_message(
        self,
        *,
        conversation_id: UUID,
        principal: Principal,
        text: str,
        attachments: Sequence[orchestration.public.Attachment],
        at: datetime,
        on_token: Callable[[str], None] | None = None,
    ) -> orchestration.public.Reply:
        """Answer a message."""

    def answer_card(
        self,
        *,
        conversation_id: UUID,
        principal: Principal,
        card_id: UUID,
        answer: Mapping[str, object],
        at: datetime,
    ) -> orchestration.public.Reply:
        """Take what a person answered on a card."""

    def cards(
        self, *, conversation_id: UUID, principal: Principal, at: datetime
    ) -> tuple[orchestration.public.Card, ...]:
        """Return the cards of a conversation as they stand."""


class _Words(BaseModel):
    """What the sealed part of a turn holds."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    text: str
    attachments: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Said:
    """One turn as it is read back."""

    id: UUID
    position: int
    author: str
    text: str
    attachments: tuple[str, ...]
    suggestions: tuple[str, ...]
    card_ids: tuple[UUID, ...]
    case_id: UUID | None
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a customer said and what the bank answered; no reply yet where it was sent twice."""

    conversation_id: UUID
    reply: Said | None
    is_repeated: bool = False


@dataclass(frozen=True, slots=True)
class NewTurn:
    """A turn to store; the same `sent_id` of the same author is stored once."""

    author: str
    text: str
    at: datetime
    sent_id: str
    attachments: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    card_ids: tuple[UUID, ...] = ()
    case_id: UUID | None = None
    reached: str = ""


def customer_of(principal: Principal) -> UUID:
    """Return the customer a principal is, or raise ConversationUnknown's cousin: a bug of ours."""
    kind, _, identifier = principal.id.partition(":")
    assert kind == "customer", "only customers hold conversations"
    return UUID(identifier)


def current_conversation(*, principal: Principal, at: datetime) -> UUID:
    """Return the customer's latest conversation; their first one is opened now."""
    customer_id = customer_of(principal)
    found = (
        Conversation.objects.filter(customer_id=customer_id)
        .order_by("-opened_at")
        .values_list("id", flat=True)
        .first()
    )
    return found or open_conversation(principal=principal, at=at)


def open_conversation(*, principal: Principal, at: datetime, channel: str = "web") -> UUID:
    """Open a new conversation and return its id; earlier ones stay readable."""
    conversation = Conversation.objects.create(
        customer_id=customer_of(principal), channel=channel, opened_at=at
    )
    return conversation.id


def receive_message(
    *,
    principal: Principal,
    conversation_id: UUID,
    message: Message,
    at: datetime,
    on_token: Callable[[str], None] | None = None,
    engine: Engine = orchestration.public,
) -> Exchange:
    """Store what the customer said, let the bank answer, and store the answer.

    The same message sent twice is answered once.

    Raises:
        ConversationUnknown: the conversation is not this customer's.
    """
    names = tuple(upload.name for upload in message.uploads)
    return note_reply(
        principal=principal,
        conversation_id=conversation_id,
        asked=NewTurn(CUSTOMER, message.text, at, message.sent_id, attachments=names),
        at=at,
        answer=lambda: engine.handle_message(
            conversation_id=conversation_id,
            principal=principal,
            text=message.text,
            attachments=_attachments(message),
            at=at,
            on_token=on_token,
        ),
    )


def note_reply(
    *,
    principal: Principal,
    conversation_id: UUID,
    asked: NewTurn,
    at: datetime,
    answer: Callable[[], orchestration.public.Reply],
) -> Exchange:
    """Store what was asked, let it be answered once, and store the answer.

    Raises:
        ConversationUnknown: the conversation is not this customer's.
    """
    conversation = _owned(conversation_id, principal)
    if not store_turn(conversation, asked):
        return Exchange(conversation.id, _reply_to(conversation, asked.sent_id), is_repeated=True)
    return _answered(conversation, answer(), f"reply:{asked.sent_id}", at)


def answer_card(
    *,
    principal: Principal,
    conversation_id: UUID,
    card_id: UUID,
    answer: Mapping[str, object],
    at: datetime,
    engine: Engine = orchestration.public,
) -> Exchange:
    """Hand on what a person answered on a card; the same answer twice is one answer.

    Raises:
        ConversationUnknown: the conversation is not this customer's.
    """
    conversation = _owned(conversation_id, principal)
    reply = engine.answer_card(
        conversation_id=conversation.id,
        principal=principal,
        card_id=card_id,
        answer=answer,
        at=at,
    )
    # A second click gets the same reply from the engine, and must not be said a second time;
    # a second wrong code is another reply, because fewer attempts are left.
    left = [str(card.details.get("attempts_left")) for card in reply.cards[:1]]
    same = sha256("|".join([reply.text, *left]).encode()).hexdigest()[:24]
    return _answered(conversation, reply, f"card:{card_id}:{same}", at)


def conversation(*, principal: Principal, conversation_id: UUID) -> tuple[Said, ...]:
    """Return the latest turns of a conversation, oldest first.

    Raises:
        ConversationUnknown: the conversation is not this customer's.
    """
    owned = _owned(conversation_id, principal)
    latest = Turn.objects.filter(conversation=owned).order_by("-position")[:TURNS_SHOWN]
    seal = Seal(owned.customer_id)
    return tuple(_said(turn, seal) for turn in reversed(latest))


def all_said(customer_id: UUID) -> tuple[Said, ...]:
    """Return every turn of a customer's conversations, oldest first."""
    seal = Seal(customer_id)
    turns = Turn.objects.filter(conversation__customer_id=customer_id).order_by("position")
    return tuple(_said(turn, seal) for turn in turns)


def reached_position(*, customer_id: UUID) -> str:
    """Return the feed position of the latest thing the customer was told was done, else ''."""
    return (
        Turn.objects.filter(conversation__customer_id=customer_id)
        .exclude(reached="")
        .order_by("-position")
        .values_list("reached", flat=True)
        .first()
        or ""
    )


def say(*, conversation_id: UUID, turn: NewTurn) -> bool:
    """Store what the bank says unasked; False where it was said already or nobody listens."""
    found = Conversation.objects.filter(id=conversation_id).first()
    return found is not None and store_turn(found, turn)


def store_turn(conversation: Conversation, turn: NewTurn) -> bool:
    """Store a turn, once; say whether it was new. About who was forgotten nothing is stored."""
    words = _Words(text=turn.text, attachments=turn.attachments, suggestions=turn.suggestions)
    try:
        sealed = Seal(conversation.customer_id).close(words.model_dump_json().encode())
    except sentinel.public.SubjectForgotten:
        return False
    row = Turn(
        id=uuid4(),
        conversation=conversation,
        author=turn.author,
        sealed=sealed,
        card_ids=[str(each) for each in turn.card_ids],
        case_id=turn.case_id,
        reached=turn.reached,
        sent_id=turn.sent_id,
        said_at=turn.at,
    )
    with transaction.atomic():
        Turn.objects.bulk_create([row], ignore_conflicts=True)
        return Turn.objects.filter(id=row.id).exists()


def _answered(
    conversation: Conversation, reply: orchestration.public.Reply, sent_id: str, at: datetime
) -> Exchange:
    turn = NewTurn(
        author=ASSISTANT,
        text=reply.text,
        at=at,
        sent_id=sent_id,
        suggestions=tuple(reply.suggestions),
        card_ids=tuple(card.id for card in reply.cards),
        case_id=reply.case_id,
        reached=reply.position,
    )
    is_new = store_turn(conversation, turn)
    said = _turn_of(conversation, sent_id)
    return Exchange(conversation.id, said, is_repeated=not is_new)


def _reply_to(conversation: Conversation, sent_id: str) -> Said | None:
    return _turn_of(conversation, f"reply:{sent_id}")


def _turn_of(conversation: Conversation, sent_id: str) -> Said | None:
    turn = Turn.objects.filter(conversation=conversation, author=ASSISTANT, sent_id=sent_id).first()
    return _said(turn, Seal(conversation.customer_id)) if turn else None


def _owned(conversation_id: UUID, principal: Principal) -> Conversation:
    owned = Conversation.objects.filter(
        id=conversation_id, customer_id=customer_of(principal)
    ).first()
    if owned is None:
        raise ConversationUnknown(conversation_id)
    return owned


def _attachments(message: Message) -> tuple[orchestration.public.Attachment, ...]:
    return tuple(
        orchestration.public.Attachment(
            id=uuid4(), name=upload.name, media_type=PDF, content=upload.content
        )
        for upload in message.uploads
    )


def _said(turn: Turn, seal: Seal) -> Said:
    try:
        words = _Words.model_validate_json(seal.open(bytes(turn.sealed)))
    except sentinel.public.SubjectForgotten:
        words = _Words(text=ERASED)
    return Said(
        id=turn.id,
        position=turn.position,
        author=turn.author,
        text=words.text,
        attachments=words.attachments,
        suggestions=words.suggestions,
        card_ids=tuple(UUID(each) for each in turn.card_ids),
        case_id=turn.case_id,
        said_at=turn.said_at,
    )
