"""What the bank says on its own stands sealed, and can be forgotten while the feed stays whole."""

import json
from uuid import UUID, uuid4

import pytest
from django.db import connection

import interaction.public
import orchestration.public
import sentinel.public
from deploy.sample.invoice import draw_invoice
from interaction.delivery import run_delivery_once
from orchestration.public import Attachment, TaskFilters
from orchestration.spoken import keep_words
from tests.authority import forgotten

SAID = "called the payee"


@pytest.fixture
def replies(bank, tmp_path):
    """Let the bank tell Anna later, on its own, that a false invoice was stopped."""
    path = tmp_path / "invoice.pdf"
    draw_invoice(path=path, on=bank.clock.now().date())
    invoice = Attachment(uuid4(), "invoice.pdf", "application/pdf", path.read_bytes())
    chat = bank.chat()
    chat.id = interaction.public.current_thread(
        principal=bank.anna, at=bank.clock.now()
    ).conversation_id
    (card,) = [c for c in chat.says("pay this", invoice).cards if c.kind == "confirm_payment"]
    chat.answers(card, answer="confirm")
    (task,) = orchestration.public.tasks(
        principal=bank.employees["omar"], filters=TaskFilters(kind="call_back")
    )
    orchestration.public.complete(
        task_id=task.id,
        principal=bank.employees["omar"],
        answer={
            "reached": True,
            "spoke_to": "Mr Hendriks",
            "called_number": "+31 20 555 0100",
            "iban_choice": "reject",
        },
        comment="The landlord sent no invoice.",
        at=bank.clock.now(),
    )
    events = orchestration.public.events_after(cursor="", limit=1000)
    return [event for event in events if event.type == "conversation.reply"]


def words_of(replies):
    return [
        orchestration.public.spoken_words(spoken_id=UUID(reply.payload["spoken_id"]))
        for reply in replies
    ]


def thread(bank):
    shown = interaction.public.current_thread(principal=bank.anna, at=bank.clock.now())
    return [entry.said.text for entry in shown.entries if entry.said]


def test_invariant_12_no_word_of_a_reply_stands_in_the_feed(bank, replies):
    assert any(SAID in words for words in words_of(replies))
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload FROM orch_event WHERE type = 'conversation.reply'")
        payloads = [json.loads(payload) for (payload,) in cursor.fetchall()]
        cursor.execute("SELECT sealed FROM orch_spoken")
        sealed = [bytes(row[0]) for row in cursor.fetchall()]

    assert {name for payload in payloads for name in payload} == {
        "spoken_id",
        "case_id",
        "customer_id",
    }
    assert len(sealed) == len(payloads) > 0
    assert not any(SAID.encode() in each for each in sealed)


def test_a_reply_is_delivered_by_its_name(bank, replies):
    run_delivery_once()

    assert any(SAID in text for text in thread(bank))


def test_invariant_12_what_was_said_is_forgotten_with_its_customer(bank, replies):
    before = orchestration.public.events_after(cursor="", limit=1000)
    forgotten(bank.anna.id)

    assert words_of(replies) == [""] * len(replies)
    run_delivery_once()

    assert not any(SAID in text for text in thread(bank))
    assert orchestration.public.events_after(cursor="", limit=1000) == before
    assert keep_words(words="x", conversation_id=uuid4(), customer_id=bank.customer_id) is None


def test_altered_words_are_not_passed_off_as_the_banks(bank, replies):
    spoken_id = UUID(replies[-1].payload["spoken_id"])
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_spoken (id, subject, sealed)"
            " SELECT %s, subject, sealed FROM orch_spoken WHERE id = %s",
            [other := uuid4(), spoken_id],
        )

    with pytest.raises(sentinel.public.SealBroken):
        orchestration.public.spoken_words(spoken_id=other)
