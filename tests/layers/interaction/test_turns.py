"""Taking turns: stored once, sealed, answered once, and read back by their owner only."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

import orchestration.public
from interaction.channels.web import Message, Upload
from interaction.conversation import (
    ConversationUnknown,
    answer_card,
    conversation,
    current_conversation,
    open_conversation,
    reached_position,
    receive_message,
)
from interaction.models import Turn
from interaction.sealing import Seal, SealBroken
from sentinel.public import legal_entity
from sentinel.vocabulary import Principal

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
ANNA, BOB = UUID(int=1), UUID(int=2)

pytestmark = pytest.mark.django_db


def _principal(customer: UUID, entity: str = "meridian-nl") -> Principal:
    return Principal(f"customer:{customer}", "customer", str(customer), entity, ("customer",))


@dataclass
class Answering:
    """An engine at the edge of the test: repeats what it hears, and counts."""

    heard: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    answers: list[Mapping[str, object]] = field(default_factory=list)

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
        self.heard.append(text)
        self.files += [each.name for each in attachments]
        if on_token is not None:
            on_token("You said ")
            on_token(text)
        return orchestration.public.Reply(f"You said {text}", suggestions=("And?",), position="7:1")

    def answer_card(
        self,
        *,
        conversation_id: UUID,
        principal: Principal,
        card_id: UUID,
        answer: Mapping[str, object],
        at: datetime,
    ) -> orchestration.public.Reply:
        self.answers.append(answer)
        left = 5 - len(self.answers) if answer.get("answer") == "code" else None
        card = orchestration.public.Card(
            card_id, "step_up", "open", None, {"attempts_left": left}, None, None
        )
        return orchestration.public.Reply("That code is not right." if left else "Paid.", (card,))

    def cards(
        self, *, conversation_id: UUID, principal: Principal, at: datetime
    ) -> tuple[orchestration.public.Card, ...]:
        return ()


@pytest.fixture
def engine() -> Answering:
    return Answering()


@pytest.fixture
def anna(entity: str) -> Iterator[Principal]:
    return _principal(ANNA)


def _message(text: str, sent_id: str = "sent-0001") -> Message:
    return Message(text, (), sent_id)


def test_a_message_and_its_answer_are_read_back_in_order(
    anna: Principal, engine: Answering
) -> None:
    here = current_conversation(principal=anna, at=AT)

    exchange = receive_message(
        principal=anna, conversation_id=here, message=_message("hello"), at=AT, engine=engine
    )

    turns = conversation(principal=anna, conversation_id=here)
    assert [(turn.author, turn.text) for turn in turns] == [
        ("customer", "hello"),
        ("assistant", "You said hello"),
    ]
    assert exchange.reply == turns[1]
    assert turns[1].suggestions == ("And?",)
    assert reached_position(customer_id=ANNA) == "7:1"


def test_the_same_message_twice_is_answered_once(anna: Principal, engine: Answering) -> None:
    here = current_conversation(principal=anna, at=AT)

    first, second = (
        receive_message(
            principal=anna, conversation_id=here, message=_message("pay"), at=AT, engine=engine
        )
        for _ in range(2)
    )

    assert engine.heard == ["pay"]
    assert (second.reply, second.is_repeated) == (first.reply, True)
    assert len(conversation(principal=anna, conversation_id=here)) == 2


def test_words_are_streamed_as_they_come(anna: Principal, engine: Answering) -> None:
    tokens: list[str] = []

    receive_message(
        principal=anna,
        conversation_id=current_conversation(principal=anna, at=AT),
        message=_message("hello"),
        at=AT,
        on_token=tokens.append,
        engine=engine,
    )

    assert tokens == ["You said ", "hello"]


def test_files_reach_the_engine_and_their_names_stay(anna: Principal, engine: Answering) -> None:
    here = current_conversation(principal=anna, at=AT)
    message = Message("pay this", (Upload("invoice.pdf", b"%PDF-1.7"),), "sent-0001")

    receive_message(principal=anna, conversation_id=here, message=message, at=AT, engine=engine)

    assert engine.files == ["invoice.pdf"]
    assert conversation(principal=anna, conversation_id=here)[0].attachments == ("invoice.pdf",)


def test_a_second_click_on_a_card_is_said_once(anna: Principal, engine: Answering) -> None:
    here = current_conversation(principal=anna, at=AT)

    for _ in range(2):
        answer_card(
            principal=anna,
            conversation_id=here,
            card_id=UUID(int=7),
            answer={"answer": "confirm"},
            at=AT,
            engine=engine,
        )

    assert [turn.text for turn in conversation(principal=anna, conversation_id=here)] == ["Paid."]


def test_each_wrong_code_is_answered(anna: Principal, engine: Answering) -> None:
    here = current_conversation(principal=anna, at=AT)

    for _ in range(2):
        answer_card(
            principal=anna,
            conversation_id=here,
            card_id=UUID(int=7),
            answer={"answer": "code", "code": "000000"},
            at=AT,
            engine=engine,
        )

    assert len(conversation(principal=anna, conversation_id=here)) == 2


def test_another_customers_conversation_is_unknown(anna: Principal, engine: Answering) -> None:
    bobs = open_conversation(principal=_principal(BOB), at=AT)

    with pytest.raises(ConversationUnknown):
        conversation(principal=anna, conversation_id=bobs)
    with pytest.raises(ConversationUnknown):
        receive_message(
            principal=anna, conversation_id=bobs, message=_message("hi"), at=AT, engine=engine
        )
    assert engine.heard == []
    assert not Turn.objects.exists()


def test_invariant_13_a_conversation_of_another_entity_is_unknown(
    anna: Principal, engine: Answering
) -> None:
    here = current_conversation(principal=anna, at=AT)
    receive_message(
        principal=anna, conversation_id=here, message=_message("hello"), at=AT, engine=engine
    )

    with legal_entity(entity="meridian-be"):
        assert not Turn.objects.exists()
        with pytest.raises(ConversationUnknown):
            conversation(principal=_principal(ANNA, "meridian-be"), conversation_id=here)


def test_words_at_rest_are_sealed(anna: Principal, engine: Answering) -> None:
    here = current_conversation(principal=anna, at=AT)
    receive_message(
        principal=anna, conversation_id=here, message=_message("my secret"), at=AT, engine=engine
    )

    stored = [bytes(each) for each in Turn.objects.values_list("sealed", flat=True)]

    assert all(b"secret" not in each for each in stored)
    with pytest.raises(SealBroken):
        Seal(BOB).open(stored[0])
    with pytest.raises(SealBroken):
        Seal(ANNA).open(stored[0][:-1] + bytes([stored[0][-1] ^ 1]))


@pytest.mark.parametrize(
    "statement",
    ["UPDATE interaction_turn SET author = 'employee'", "DELETE FROM interaction_turn"],
)
def test_what_was_said_cannot_be_changed(
    anna: Principal, engine: Answering, statement: str
) -> None:
    here = current_conversation(principal=anna, at=AT)
    receive_message(
        principal=anna, conversation_id=here, message=_message("hello"), at=AT, engine=engine
    )

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert [turn.author for turn in conversation(principal=anna, conversation_id=here)] == [
        "customer",
        "assistant",
    ]
