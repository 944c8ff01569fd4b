"""A raw dump of everything the bank keeps, before and after somebody is forgotten."""

import json
import re
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connection

import interaction.public
import orchestration.public
import sentinel.public
from deploy.sample.invoice import draw_invoice
from interaction.conversation import Message, receive_message
from interaction.conversation import conversation as said_in
from interaction.delivery import run_delivery_once
from interaction.sealing import Seal
from orchestration.documents import documents_of
from orchestration.public import Attachment, DocumentUnknown, TaskFilters
from tests.authority import forgotten

STORES = json.loads(Path("interaction/personal_data.json").read_text(encoding="utf-8"))
ERASED = {store["table"] for store in STORES["erased"]}
KEPT = {table for store in STORES["kept"] for table in store["tables"]}
pytestmark = pytest.mark.django_db(transaction=True)
MUMBLED = "quetzalcoatl mumbled seventeen pebbles"
FILE = "quetzal-invoice.pdf"
COMMENT = "The landlord of quetzal sent no invoice."


@pytest.fixture
def dump(superuser_connection):
    """Read every row of every table past row security, as a stolen copy would."""

    def read():
        session = superuser_connection
        tables = session.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relkind = 'r'"
        ).fetchall()
        found = {}
        for (table,) in tables:
            with session.cursor().copy(f'COPY "{table}" TO STDOUT') as copy:
                # The months of a table are one store.
                store = re.sub(r"_\d{4}_\d{2}$", "", table)
                found[store] = found.get(store, b"") + b"".join(bytes(block) for block in copy)
        return found

    return read


@pytest.fixture
def anna(bank, tmp_path):
    """Anna talks, hands in a false invoice, and a colleague stops it."""
    path = tmp_path / FILE
    draw_invoice(path=path, on=bank.clock.now().date())
    invoice = Attachment(uuid4(), FILE, "application/pdf", path.read_bytes())
    chat = bank.chat()
    chat.id = interaction.public.current_thread(
        principal=bank.anna, at=bank.clock.now()
    ).conversation_id
    message = Message(MUMBLED, (), "sent-1")
    receive_message(
        principal=bank.anna, conversation_id=chat.id, message=message, at=bank.clock.now()
    )
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
        comment=COMMENT,
        at=bank.clock.now(),
    )
    run_delivery_once()
    return bank.anna, chat.id, invoice, task.case_id


def tables_with(dumped, words):
    """Return the tables in which words stand, as text or as bytes."""
    plain = words if isinstance(words, bytes) else words.encode()
    return {
        table for table, rows in dumped.items() if plain in rows or plain.hex().encode() in rows
    }


def column(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [bytes(value) for (value,) in cursor.fetchall() if value is not None]


def test_invariant_12_a_raw_dump_holds_nothing_of_what_is_sealed_or_was_erased(bank, anna, dump):
    person, _conversation, invoice, _case = anna
    needles = (MUMBLED, FILE, COMMENT, invoice.content[:64], "Mr Hendriks", person.id)
    before = dump()
    (wrapped,) = column(f"SELECT wrapped FROM sentinel_subject_key WHERE subject = '{person.id}'")

    assert forgotten(person.id).code == "in_force"
    after = dump()

    turns = column("SELECT sealed FROM interaction_turn")
    assert tables_with(after, turns[0]) == {"interaction_turn"}
    assert tables_with(before, MUMBLED) == set()
    assert tables_with(before, invoice.content[:64]) == set()
    for needle in needles[:-1]:
        assert not tables_with(before, needle) & ERASED, needle
        assert tables_with(after, needle) <= KEPT, needle
    assert tables_with(before, wrapped) == {"sentinel_subject_key"}
    assert tables_with(after, wrapped) == set()
    unlisted = tables_with(after, person.id.removeprefix("customer:")) - KEPT - ERASED
    assert unlisted == {"sentinel_subject_key", "sentinel_pending"} & unlisted


def test_invariant_12_the_data_key_opens_nothing_of_who_was_forgotten(anna):
    person, _conversation, _invoice, _case = anna
    sealed = (
        column("SELECT sealed FROM sentinel_decision_parameters")
        + column("SELECT substr(sealed, 2) FROM interaction_turn")
        + column("SELECT sealed FROM orch_spoken")
        + column("SELECT sealed_content FROM orch_document")
    )
    assert len(sealed) > 5

    assert forgotten(person.id).code == "in_force"

    bank_s_own = AESGCM(bytes.fromhex(settings.DATA_ENCRYPTION_KEY))
    places = ("turn", f"subject-key/v1|meridian-nl|{person.id}", "words/v1|turn")
    for each in sealed:
        for place in places:
            with pytest.raises(InvalidTag):
                bank_s_own.decrypt(each[:12], each[12:], place.encode())
    with pytest.raises(sentinel.public.SubjectForgotten):
        Seal(UUID(person.id.removeprefix("customer:"))).open(b"\x02" + sealed[-1])


def test_invariant_12_who_was_forgotten_is_shown_as_erased_and_nothing_breaks(bank, anna):
    person, conversation, invoice, case_id = anna
    decided = sentinel.public.decisions(
        filters=sentinel.public.DecisionFilter(actor=person.id)
    ).rows
    assert decided

    assert forgotten(person.id).code == "in_force"

    said = said_in(principal=person, conversation_id=conversation)
    assert {each.text for each in said} == {"(erased)"}
    with pytest.raises(DocumentUnknown):
        orchestration.public.document_content(
            document_id=invoice.id, principal=person, at=bank.clock.now()
        )
    orchestration.public.case(
        case_id=case_id, principal=bank.employees["omar"], at=bank.clock.now()
    )
    assert [each.name for each in documents_of(case_id)] in ([], ["(erased)"])
    for each in decided:
        explained = sentinel.public.explain(decision_id=each.id)
        assert {parameter.value for parameter in explained.parameters} <= {"(erased)"}
        assert {fact.value for fact in explained.facts} <= {"(erased)"}
        assert explained.policies
    message = Message("are you there?", (), "sent-2")
    exchange = receive_message(
        principal=person, conversation_id=conversation, message=message, at=bank.clock.now()
    )
    assert exchange.reply is None
