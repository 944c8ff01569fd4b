"""A file of thousands of items put into a folder: read, run and begun anew, killed all the way.

Whoever reads the file is killed wherever a piece of it commits; whoever works on its items is
killed again and again; then what failed is begun anew. Counted afterwards are the items by state,
the cards that are blocked, and what the core, its outbox and Sentinel say was done, token by token.
"""

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from django.db import connection

import orchestration.public
from deploy.home import SOURCE
from deploy.sample.batches import Mandate, send
from grand_central.operations.items import CardItem
from orchestration import steps
from orchestration.durable.faults import VARIABLE
from orchestration.durable.publication import publish
from orchestration.journeys import FlowContent, FlowSource
from orchestration.triggers.batch_files import PIECE_ITEMS
from orchestration.triggers.content import BatchContent
from tests.banks import wait_until
from tests.faults.batching import ENTITY, registered
from tests.layers.orchestration.flows import HEAD

# A ring has minutes; FRONTLINE_BATCH_ITEMS=10000 is for whoever has more.
ITEMS = int(os.environ.get("FRONTLINE_BATCH_ITEMS", "1500"))
KILLS = int(os.environ.get("FRONTLINE_BATCH_KILLS", "5"))
WORKERS = 2
# Each reading process ends where the next one takes up: at every commit that can be lost.
READING_KILLS = ["piece_read:1", "piece_committed:1", "batch_loaded:1", "batch_file_read:1"]
# What becomes of one item in fifty each, by the reason that stands in its line; the rest is done.
MALFORMED, UNKNOWN, REFUSED, ONCE, CLOSED = "moon", "stolen", "damaged", "lost", "fraud"
PLAIN = "customer_wish"
BODY = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<exclusiveGateway id="g" default="b"><incoming>a</incoming><outgoing>b</outgoing>
<outgoing>c</outgoing></exclusiveGateway>
<serviceTask id="ask"><extensionElements><frontline:task call="read:shaky"/>
<frontline:input name="reason" value="= reason"/><frontline:output name="answer" value="= result"/>
<frontline:retry attempts="2" backoff="PT0.2S" fallback="closed"/></extensionElements>
<incoming>b</incoming><outgoing>d</outgoing></serviceTask>
<serviceTask id="block"><extensionElements><frontline:task call="action:cards.block"/>
<frontline:stays/>
<frontline:input name="parameters" value="= {card_id: card_id, reason: reason}"/>
<frontline:input name="sources" value="= sources"/>
<frontline:input name="resource" value='= "card:" + card_id'/>
<frontline:output name="receipt" value="= result"/>
<frontline:retry attempts="3" backoff="PT0.2S"/></extensionElements>
<incoming>d</incoming><outgoing>e</outgoing></serviceTask>
<boundaryEvent id="was_closed" attachedToRef="ask"><outgoing>f</outgoing>
<errorEventDefinition errorRef="closed"/></boundaryEvent>
<boundaryEvent id="not_known" attachedToRef="block"><extensionElements>
<frontline:output name="core_refusal" value="= result"/></extensionElements><outgoing>h</outgoing>
<errorEventDefinition errorRef="core_refused"/></boundaryEvent>
<endEvent id="end_blocked"><incoming>e</incoming></endEvent>
<endEvent id="end_replaced"><incoming>c</incoming></endEvent>
<endEvent id="end_closed"><incoming>f</incoming></endEvent>
<endEvent id="end_core_refused"><incoming>h</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="g"/>
<sequenceFlow id="b" sourceRef="g" targetRef="ask"/>
<sequenceFlow id="c" sourceRef="g" targetRef="end_replaced"><conditionExpression
 xsi:type="tFormalExpression">= reason = "damaged"</conditionExpression></sequenceFlow>
<sequenceFlow id="d" sourceRef="ask" targetRef="block"/>
<sequenceFlow id="e" sourceRef="block" targetRef="end_blocked"/>
<sequenceFlow id="f" sourceRef="was_closed" targetRef="end_closed"/>
<sequenceFlow id="h" sourceRef="not_known" targetRef="end_core_refused"/>
"""
SAID = '{provenance: "system", reference: "file"}'
TAKEN = BatchContent(
    key="card_id",
    mandate="triggers_block_card",
    source="cards",
    accepts={
        "type": "object",
        "required": ["card_id", "reason"],
        "properties": {"reason": {"enum": [UNKNOWN, REFUSED, ONCE, CLOSED, PLAIN]}},
    },
    variables={
        "card_id": "= event.card_id",
        "reason": "= event.reason",
        "sources": f"= {{card_id: {SAID}, reason: {SAID}}}",
    },
)
CONTENT = FlowContent(
    drawing="p.bpmn",
    title="Block a card",
    summary="A card is blocked.",
    purpose="servicing",
    batches={"cards": TAKEN},
    notes={
        "end_replaced": "A damaged card is replaced, not blocked.",
        "end_closed": "It could not be asked.",
        "end_core_refused": "The core refused: {core_refusal.message}",
    },
    states={
        "end_blocked": "done",
        "end_replaced": "refused",
        "end_closed": "failed",
        "end_core_refused": "failed",
    },
)
# What the items of each kind come to: state, code and reason; first, then begun anew.
REFUSED_SO = ("refused", "end_replaced", "A damaged card is replaced, not blocked.")
MALFORMED_SO = ("refused", "item_refused")
UNKNOWN_SO = (
    "failed",
    "end_core_refused",
    "The core refused: We do not know this card. Nothing has changed.",
)
CLOSED_SO = ("failed", "end_closed", "It could not be asked.")
DONE_SO = ("done", "completed", "")


@dataclass(frozen=True)
class Night:
    """A file in its folder, and what stands in each of its lines."""

    folder: object
    reasons: dict[str, str]
    card: CardItem

    def cards(self, *reasons):
        return [card for card, reason in self.reasons.items() if reason in reasons]

    def issue(self, cards):
        items = [
            replace(self.card, id=UUID(card), last_four=f"{UUID(card).int % 10_000:04d}")
            for card in cards
        ]
        send(Mandate("seed", ENTITY, datetime.now(UTC)), "cards.issue", items)


@pytest.fixture
def night(bank, tmp_path, monkeypatch):
    (tmp_path / "asked").mkdir()
    (tmp_path / "closed").touch()
    monkeypatch.setattr(steps, "_READS", registered(tmp_path))
    drawing = (
        f'{HEAD}<error id="closed" name="Closed" errorCode="closed"/>'
        '<error id="core_refused" name="Refused by the core" errorCode="core_refused"/>'
        f'<process id="block_card" isExecutable="true">{BODY}</process></definitions>'
    )
    publish(FlowSource("cards", "block_card", drawing, {}, CONTENT, {}))
    kinds = [MALFORMED, UNKNOWN, REFUSED, ONCE, CLOSED]
    reasons = {str(uuid4()): dict(enumerate(kinds)).get(n % 50, PLAIN) for n in range(ITEMS)}
    card = CardItem(uuid4(), *_holder(bank), "0000", "debit", "Debit", date(2030, 12, 31))
    made = Night(tmp_path, reasons, card)
    made.issue(made.cards(MALFORMED, REFUSED, ONCE, CLOSED, PLAIN))
    incoming = tmp_path / "drop" / ENTITY / "cards" / "incoming"
    incoming.mkdir(parents=True)
    lines = ["card_id,reason", *(f"{card},{reason}" for card, reason in reasons.items())]
    content = "\n".join(lines).encode()
    (incoming / "night.csv").write_bytes(content)
    (incoming / "night.csv.sha256").write_text(hashlib.sha256(content).hexdigest())
    return made


def _holder(bank):
    return _rows(
        "SELECT party_id, id FROM ledger_account WHERE party_id = %s AND kind = 'customer_current'",
        [bank.customer_id],
    )[0]


def _rows(statement, values=()):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def begun(folder, what, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.batching", str(folder), what],
        cwd=SOURCE,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "deploy.settings.test", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(process):
    said, _ = process.communicate(timeout=240)
    return process.returncode, said


def read_while_killed(night):
    """Read the file, ended at every place once; return how many items were kept after each."""
    kept = []
    for place in READING_KILLS:
        code, said = ended(begun(night.folder, "read", **{VARIABLE: place}))
        assert code == -signal.SIGKILL, (place, said)
        kept.append(_rows("SELECT count(*) FROM orch_batch_item")[0][0])
        assert _rows("SELECT count(*) FROM orch_instance WHERE process = 'block_card'") == [(0,)]
    code, said = ended(begun(night.folder, "read"))
    assert code == 0, said
    return kept


def over():
    return _rows("SELECT count(*) FROM orch_batch_item WHERE state NOT IN ('waiting', 'running')")[
        0
    ][0]


def worked_while_killed(night, operations, kills):
    """Let processes work on all of it; each time a share more is over, one of them is killed."""
    first, (batch,) = over(), orchestration.public.batch_runs(principal=operations)
    crew, killed = [begun(night.folder, "work") for _ in range(WORKERS)], 0
    try:
        for number in range(kills):
            share = first + (batch.items - first) * (number + 1) // (kills + 2)
            assert wait_until(lambda share=share: over() >= share, 600), over()
            crew[number % WORKERS].kill()
            crew[number % WORKERS].communicate(timeout=60)
            killed += crew[number % WORKERS].returncode == -signal.SIGKILL
            let_leases_run_out()
            crew[number % WORKERS] = begun(night.folder, "work")
        for each in crew:
            said, _ = each.communicate(timeout=1_200)
            assert each.returncode == 0, said
    finally:
        for each in crew:
            each.kill()
            each.communicate()
    return killed


def let_leases_run_out():
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_ready SET lease_until = clock_timestamp() - interval '1 second'"
            " WHERE lease_until IS NOT NULL"
        )


def standing():
    """Return how every item stands, by its key: there is one row for each."""
    rows = _rows("SELECT key, state, code, reason, attempt FROM orch_batch_item")
    assert len({row[0] for row in rows}) == len(rows) == ITEMS
    return {row[0]: row[1:] for row in rows}


def by_state(found):
    return Counter(row[0] for row in found.values())


def counted_right(operations, found):
    """Hold what the page says of the run against its items; return what it says."""
    (view,) = orchestration.public.batch_runs(principal=operations)
    counted = by_state(found)
    said = {"done": view.done, "failed": view.failed, "refused": view.refused}
    assert said == counted
    assert (view.over, view.stands) == (ITEMS, "over")
    return view


def assert_blocked_once(night, done):
    """Hold every record of an effect against the items that are done: each has it once."""
    issued = list(night.reasons)
    blocked = _rows(
        "SELECT id::text FROM core_card WHERE status = 'blocked' AND id = ANY(%s::uuid[])", [issued]
    )
    assert {row[0] for row in blocked} == set(done)
    once = dict.fromkeys((f"card:{card}" for card in done), 1)
    for statement in (
        "SELECT subject, count(*) FROM gc_outbox WHERE type = 'card.blocked' GROUP BY 1",
        "SELECT reference, count(*) FROM gc_execution"
        " WHERE action_kind = 'cards.block' AND status = 'blocked' GROUP BY 1",
        "SELECT d.resource, count(*) FROM sentinel_decision d"
        " JOIN sentinel_redemption r ON r.token = d.id"
        " JOIN sentinel_outcome o ON o.decision_id = d.id AND o.is_final AND o.kind = 'done'"
        " WHERE d.action_kind = 'cards.block' GROUP BY 1",
    ):
        assert dict(_rows(statement)) == once, statement
    # Nothing was even tried on a card that was blocked already.
    assert _rows(
        "SELECT count(*) FROM gc_execution WHERE action_kind = 'cards.block' AND status = 'exists'"
    ) == [(0,)]


def instances():
    return _rows("SELECT count(*) FROM orch_instance WHERE process = 'block_card'")[0][0]


@pytest.mark.slow
def test_invariant_09_a_night_of_items_ends_item_by_item_however_often_it_is_killed(bank, night):
    began, operations = time.monotonic(), bank.employees["omar"]

    kept = read_while_killed(night)

    piece = min(PIECE_ITEMS, ITEMS)
    assert kept == [0, piece, ITEMS, ITEMS]
    assert (night.folder / "drop" / ENTITY / "cards" / "accepted" / "night.csv").exists()
    read = time.monotonic()

    killed = worked_while_killed(night, operations, KILLS)

    worked = time.monotonic()
    found = standing()
    wanted = {
        **dict.fromkeys(night.cards(PLAIN, ONCE), DONE_SO),
        **dict.fromkeys(night.cards(REFUSED), REFUSED_SO),
        **dict.fromkeys(night.cards(UNKNOWN), UNKNOWN_SO),
        **dict.fromkeys(night.cards(CLOSED), CLOSED_SO),
    }
    assert {key: row[:3] for key, row in found.items() if key in wanted} == wanted
    assert {found[key][:2] for key in night.cards(MALFORMED)} == {MALFORMED_SO}
    assert all("reason" in found[key][2] for key in night.cards(MALFORMED))
    view = counted_right(operations, found)
    assert_blocked_once(night, night.cards(PLAIN, ONCE))
    assert instances() == len(wanted)
    assert killed == KILLS

    # What failed is put right, and only that is begun anew.
    (night.folder / "closed").unlink()
    again = night.cards(UNKNOWN, CLOSED)
    night.issue(night.cards(UNKNOWN))
    assert orchestration.public.steer_batch(
        batch_id=view.id, move="restart", principal=operations, reason="It is to be had again."
    ) == len(again)
    killed += worked_while_killed(night, operations, 1)

    after = standing()
    assert {key: row for key, row in after.items() if key not in again} == {
        key: row for key, row in found.items() if key not in again
    }
    assert {after[key] for key in again} == {(*DONE_SO, 2)}
    assert_blocked_once(night, night.cards(PLAIN, ONCE, UNKNOWN, CLOSED))
    assert instances() == len(wanted) + len(again)
    sys.stdout.write(
        f"{ITEMS} items: read in {read - began:.1f} s with {len(READING_KILLS)} kills, worked on"
        f" in {worked - read:.1f} s ({len(wanted) / (worked - read):.0f} a second) with {killed}"
        f" kills; {dict(by_state(found))}, then {dict(by_state(after))}\n"
    )
