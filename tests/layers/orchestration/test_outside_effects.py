"""Effects another system keeps, over real sockets: done once, whatever becomes of the answer."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

import grand_central.public
import sentinel.public
from orchestration.durable import control, store
from orchestration.effects import rows
from orchestration.effects.carrying import carry, carry_effects_once
from orchestration.effects.journal import effects_of
from orchestration.operating import effect_list
from orchestration.public import TaskFilters, complete, run_due_once, tasks
from tests.authority import employee, found_bank
from tests.banks import wait_until
from tests.layers.orchestration.flows import AT, nodes_of
from tests.processor import Processor

STOP = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<serviceTask id="stop"><extensionElements><frontline:task call="action:cards.stop"/>
<frontline:input name="parameters" value="= {card_id: card, reason: reason}"/>
<frontline:input name="sources" value="= sources"/>
<frontline:input name="resource" value='= "card:" + card'/>
<frontline:output name="found" value="= result"/>
<frontline:retry attempts="2" backoff="PT0.1S"/></extensionElements>
<incoming>a</incoming><outgoing>b</outgoing></serviceTask>
<endEvent id="e"><incoming>b</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="stop"/>
<sequenceFlow id="b" sourceRef="stop" targetRef="e"/>
"""
SOURCES = {
    name: {"provenance": "employee_confirmed", "reference": "test:1"}
    for name in ("card_id", "reason")
}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory) -> Iterator[Processor]:
    started = Processor(tmp_path_factory.mktemp("processor")).start()
    yield started
    started.kill()


@pytest.fixture
def processor(simulator, settings, entity) -> Processor:
    found_bank()
    simulator.configure(settings)
    return simulator


@pytest.fixture
def card():
    return str(uuid4())


def stopping(flows, card, **given):
    return flows.started(
        flows.published(STOP), card=card, reason="stolen", sources=SOURCES, **given
    )


def carried(instance_id, seconds=20):
    """Let the loops run until the instance has ended."""

    def has_ended():
        carry_effects_once()
        grand_central.public.ask_outside_once()
        run_due_once()
        return store.read_instance(instance_id).status != "running"

    return wait_until(has_ended, seconds)


def tries_of(instance_id):
    return effects_of(case_id=store.read_instance(instance_id).case_id)


def said(instance_id):
    return [[line.what for line in each.lines] for each in tries_of(instance_id)]


def permits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sentinel_decision WHERE verdict = 'permit'")
        return cursor.fetchone()[0]


def place_of(instance_id):
    return rows.Place(instance_id, "stop", 2)


def test_a_step_only_asks_and_the_call_is_made_after_its_commit(flows, processor, card):
    instance_id = stopping(flows, card)

    assert nodes_of(instance_id) == {"stop"}
    assert permits() == 0
    assert processor.acts(card) == []

    assert carry_effects_once() == 1

    assert processor.acts(card) == ["stop"]
    row = store.read_instance(instance_id)
    (only,) = tries_of(instance_id)
    assert row.status == "completed"
    assert row.state.variables["found"]["reference"] == only.reference
    assert only.reference.startswith("CP-")
    assert (only.node, only.visit, only.number, only.end) == ("stop", 2, 1, "done")
    assert said(instance_id) == [["begun", "send", "send_done"]]
    stated = sentinel.public.outcome_of(decision_id=only.token)
    assert (stated.kind.value, stated.code) == ("done", "stopped")


def test_an_effect_that_was_answered_is_not_made_again(flows, processor, card):
    instance_id = stopping(flows, card)
    carry_effects_once()
    before = processor.arrivals()

    assert carry(place_of(instance_id)) is False
    assert carry_effects_once() == 0
    assert processor.arrivals() == before


def test_newer_effects_hide_no_unknown_one(flows, processor, card, monkeypatch):
    omar = employee("operations")
    processor.fault("lose_after")
    older = stopping(flows, card)
    carry_effects_once()
    newer = stopping(flows, str(uuid4()))
    carry_effects_once()
    monkeypatch.setattr(effect_list, "_LOOKED_AT", 1)

    (unknown,) = effect_list.effect_rows(principal=omar, state="unknown")
    (done,) = effect_list.effect_rows(principal=omar, state="done")

    assert (unknown.instance_id, unknown.state) == (older, "unknown")
    assert (done.instance_id, done.state) == (newer, "done")


def test_an_answer_lost_after_the_act_is_asked_for_and_nothing_sent_again(flows, processor, card):
    processor.fault("lose_after")
    instance_id = stopping(flows, card)

    carry_effects_once()

    (only,) = tries_of(instance_id)
    assert only.end == "unknown"
    assert store.read_instance(instance_id).status == "running"
    before = processor.arrivals()
    assert carried(instance_id)
    assert processor.acts(card) == ["stop"]
    assert processor.arrivals() == before
    assert said(instance_id) == [["begun", "send", "send_unknown", "ask", "ask_done"]]
    assert tries_of(instance_id)[0].end == "done"


def test_what_was_not_found_is_sent_again_only_when_that_is_final(flows, processor, card):
    processor.fault("lose_before")
    instance_id = stopping(flows, card)

    assert carried(instance_id)

    (lines,) = said(instance_id)
    assert lines[:3] == ["begun", "send", "send_unknown"]
    assert lines[-2:] == ["send", "send_done"]
    assert set(lines[3:-2]) == {"ask", "ask_not_found"}
    (only,) = tries_of(instance_id)
    first, last = only.lines[1], only.lines[-2]
    # Its request was good for a second, and the processor is final half a second after.
    assert (last.at - first.at).total_seconds() >= 1.5
    assert processor.acts(card) == ["stop"]


def test_an_order_on_its_way_too_long_is_refused_there(flows, processor, card):
    processor.fault("slow")
    instance_id = stopping(flows, card)

    assert carried(instance_id)

    assert processor.acts(card) == ["stop"]
    assert tries_of(instance_id)[-1].end == "done"


def test_a_slow_answer_is_unknown_until_asked(flows, processor, card):
    processor.fault("answer_slowly")
    instance_id = stopping(flows, card)

    carry_effects_once()

    assert [line.detail for line in tries_of(instance_id)[0].lines][-1] == "no_answer_in_time"
    assert carried(instance_id)
    assert processor.acts(card) == ["stop"]


def test_a_page_in_html_is_no_answer(flows, processor, card):
    processor.fault("html")
    instance_id = stopping(flows, card)

    carry_effects_once()

    assert tries_of(instance_id)[0].lines[-1].detail == "not_understood_200"
    assert processor.acts(card) == []
    assert carried(instance_id)
    assert processor.acts(card) == ["stop"]


def test_a_busy_processor_has_done_nothing_and_is_asked_again_under_the_same_token(
    flows, processor, card
):
    processor.fault("busy", 2)
    instance_id = stopping(flows, card)

    assert carried(instance_id)

    assert len(tries_of(instance_id)) == 1
    assert said(instance_id)[0].count("send_not_executed") == 2
    assert processor.acts(card) == ["stop"]


def test_a_refusal_is_a_business_outcome_and_nothing_is_done(flows, processor, card):
    processor.fault("refuse")
    instance_id = stopping(flows, card)

    carry_effects_once()

    row = store.read_instance(instance_id)
    (only,) = tries_of(instance_id)
    assert (row.status, row.state.code) == ("failed", "core_refused")
    assert (only.end, only.code) == ("failed", "card_refused")
    assert processor.acts(card) == []


def test_an_order_that_lies_on_a_desk_is_waited_for(flows, processor, card):
    processor.fault("later")
    instance_id = stopping(flows, card)

    assert carried(instance_id)

    assert said(instance_id)[0][:3] == ["begun", "send", "send_in_progress"]
    assert processor.acts(card) == ["stop"]


def test_a_processor_that_went_down_is_sent_to_when_it_is_back(flows, processor, card):
    processor.kill()
    instance_id = stopping(flows, card)
    carry_effects_once()
    assert tries_of(instance_id)[0].lines[-1].detail == "unreachable"

    processor.start()

    assert carried(instance_id)
    assert processor.acts(card) == ["stop"]
    assert len(tries_of(instance_id)) == 1


def test_an_action_that_is_not_permitted_never_leaves_the_bank(flows, processor, card):
    before = processor.arrivals()
    instance_id = flows.started(flows.published(STOP), card=card, reason="stolen", sources={})

    carry_effects_once()

    row = store.read_instance(instance_id)
    assert (row.status, row.state.code) == ("failed", "denied")
    assert (permits(), processor.arrivals()) == (0, before)
    assert tries_of(instance_id) == ()


def test_what_nobody_waits_for_any_more_is_not_begun(flows, processor, card, employee):
    instance_id = stopping(flows, card)
    control.cancel(instance_id=instance_id, by=employee.id, reason="not needed", at=AT)

    carry_effects_once()

    assert (permits(), processor.acts(card)) == (0, [])


def test_what_was_begun_runs_to_its_end_though_the_case_has_ended(flows, processor, card, employee):
    processor.fault("lose_after")
    instance_id = stopping(flows, card)
    carry_effects_once()
    control.cancel(instance_id=instance_id, by=employee.id, reason="not needed", at=AT)

    def has_an_end():
        carry_effects_once()
        return tries_of(instance_id)[0].end == "done"

    assert wait_until(has_an_end, 20)
    assert processor.acts(card) == ["stop"]


def test_a_processor_that_never_answers_ends_with_a_person_and_a_new_token(
    flows, processor, card, employee, monkeypatch
):
    monkeypatch.setattr("grand_central.outside.SENDS_MAX", 1)
    processor.fault("busy", 2)
    instance_id = stopping(flows, card)

    def has_an_incident():
        carry_effects_once()
        run_due_once()
        return tasks(principal=employee, filters=TaskFilters())

    assert wait_until(has_an_incident, 20)
    assert [each.end for each in tries_of(instance_id)] == ["failed", "failed"]
    assert processor.acts(card) == []
    (task,) = tasks(principal=employee, filters=TaskFilters())
    complete(task_id=task.id, principal=employee, answer={"resolution": "retry"}, comment="", at=AT)

    assert carried(instance_id)

    assert [each.end for each in tries_of(instance_id)] == ["failed", "failed", "done"]
    assert [each.number for each in tries_of(instance_id)] == [1, 2, 3]
    assert processor.acts(card) == ["stop"]


def test_a_call_in_an_open_transaction_is_refused(processor, card):
    claim = grand_central.public.Claim(uuid4(), "cards.stop", "ask", 1, 1, 1, AT, AT)
    with transaction.atomic(), pytest.raises(grand_central.public.InTransaction):
        grand_central.public.call_outside(claim=claim, action=None)


def test_invariant_13_another_legal_entity_carries_nothing_of_ours(flows, processor, card):
    instance_id = stopping(flows, card)

    with sentinel.public.legal_entity(entity="meridian-be"):
        assert rows.due_places(10) == ()
        assert rows.claim(place_of(instance_id)) is None
    assert processor.acts(card) == []


def test_the_application_cannot_write_the_calls_of_systems_outside(entity):
    for statement in (
        "INSERT INTO gc_outside (token, action_kind, effect_digest, state)"
        " VALUES (gen_random_uuid(), 'cards.stop', '', 'begun')",
        "UPDATE gc_outside SET state = 'begun'",
        "DELETE FROM gc_outside_line",
    ):
        with (
            pytest.raises(DatabaseError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
