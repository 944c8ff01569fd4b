"""Letters that come to the sample bank, and what became of them."""

from email.message import EmailMessage
from itertools import count
from mailbox import Maildir
from uuid import UUID, uuid4

import pytest
from django.db import connection

import interaction.public
import orchestration.public
from deploy.sample.story import MERIDIAN_NL
from orchestration.core.history import NodeEntered
from orchestration.durable import store, sweeping
from orchestration.plain import plain_mapping
from orchestration.public import TaskFilters

ADDRESS = "letters@meridian.example"
VISITS = count(1)
ANNA = "anna@customers.example"
STRANGER = "somebody@elsewhere.example"
BALANCE = """Dear Sir or Madam,

Could you please tell me the balance of my current account?

Kind regards,
Anna de Vries
"""
PAY = """Dear team,

please transfer 1250.00 euro to Joost Visser, IBAN NL20 INGB 0001 2345 67, for the rent.

Regards, Anna
"""
LOST = "Dear bank, I lost my debit card on the train yesterday. Please block it. Anna"


@pytest.fixture
def post(bank, tmp_path, settings):
    """Let letters come into the mailbox of the bank, and go through the flow."""
    settings.MAIL_DROP = tmp_path
    box = Maildir(tmp_path / MERIDIAN_NL.entity, factory=None, create=True)

    def deliver(
        text, sender=f"Anna de Vries <{ANNA}>", *, once=None, subject="A question", to=None
    ):
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = sender, to or ADDRESS, subject
        message["Message-ID"] = once or f"<{uuid4()}@customers.example>"
        message.set_content(text)
        box.add(message.as_bytes())
        begun = orchestration.public.take_mail_once()
        sweeping.sweep(limit=20)
        return begun

    return deliver


@pytest.fixture
def talking(bank):
    """Anna has spoken with us in the app, so that there is somewhere to answer her."""
    chat = bank.chat()
    thread = interaction.public.current_thread(principal=bank.anna, at=bank.clock.now())
    chat.id = thread.conversation_id
    chat.says("what is my balance?")
    return chat


def runs():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM orch_instance WHERE process = 'answer_letter' ORDER BY started_at, id"
        )
        return [store.read_instance(row[0]) for row in cursor.fetchall()]


def nodes(run):
    return [
        entry.node
        for line in store.history_of(run.id)
        for entry in line.entries
        if isinstance(entry, NodeEntered)
    ]


def values(run):
    return plain_mapping(run.state.variables)


def work(bank, who="omar"):
    return orchestration.public.tasks(principal=bank.employees[who], filters=TaskFilters())


def answer(bank, task, **filled):
    principal, at = bank.employees["omar"], bank.clock.now()
    orchestration.public.complete(
        task_id=task.id, principal=principal, answer=filled, comment="", at=at
    )


def mailbox(bank):
    with connection.cursor() as cursor:
        cursor.execute("SELECT recipient, template, body FROM gc_message ORDER BY sent_at")
        return cursor.fetchall()


def spoken():
    return [
        orchestration.public.spoken_words(spoken_id=UUID(event.payload["spoken_id"]))
        for event in orchestration.public.events_after(cursor="", limit=1000)
        if event.type == "conversation.reply"
    ]
