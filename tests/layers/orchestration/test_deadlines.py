"""Deadlines in the store: kept with the state, handed on to calls and children, never lost."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

import grand_central.public
from grand_central.connectors.card_processor import CardProcessor
from grand_central.connectors.contract import Call
from grand_central.operations.cards import StopCard
from orchestration.durable import control, store
from orchestration.durable.doorbell import database_time
from orchestration.durable.engine import move, rebuilt_state
from orchestration.durable.incidents import incidents
from orchestration.durable.workers import work
from orchestration.effects.carrying import carry_effects_once
from orchestration.effects.journal import effects_of
from orchestration.public import TaskFilters, complete, run_due_once, tasks
from tests.authority import found_bank
from tests.banks import wait_until
from tests.layers.orchestration.flows import AT, CALLS, nodes_of
from tests.layers.orchestration.test_across_flows import child_of
from tests.layers.orchestration.test_outside_effects import SOURCES, STOP
from tests.processor import Processor

DECLARED = '<error id="late" errorCode="deadline_exceeded"/>'
CAUGHT = """
<boundaryEvent id="too_late" attachedToRef="{host}"><errorEventDefinition errorRef="late"/>
</boundaryEvent><userTask id="tell"><extensionElements><frontline:assignment roles="operations"/>
</extensionElements></userTask><endEvent id="told"/>
<sequenceFlow id="c" sourceRef="too_late" targetRef="tell"/>
<sequenceFlow id="d" sourceRef="tell" targetRef="told"/>
"""
CALLER = """
<startEvent id="s"/><callActivity id="call" calledElement="inner"><extensionElements>
<frontline:input name="name" value="= name"/><frontline:input name="iban" value="= iban"/>
<frontline:deadline within="PT30S"/></extensionElements></callActivity><endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="call"/>
<sequenceFlow id="b" sourceRef="call" targetRef="e"/>
"""
WAITS = """
<startEvent id="s"/><userTask id="look"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements></userTask><endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="look"/>
<sequenceFlow id="b" sourceRef="look" targetRef="e"/>
"""


def with_deadline(body, within):
    drawn = f'<frontline:deadline within="{within}"/>'
    return body.replace("<frontline:retry", f"{drawn}<frontline:retry")


# The account is not given, so that reading its balance breaks and is tried again after a second.
def breaking(flows, within, *, caught=False, attempts=9):
    body = with_deadline(CALLS.format(call="read:balance", attempts=attempts), within)
    body += CAUGHT.format(host="ask") if caught else ""
    return flows.started(flows.published(body, declared=DECLARED), name="n", iban="i")


def later(seconds):
    return AT + timedelta(seconds=seconds)


def worked(seconds):
    """Let the workers look at what is due so many seconds after the beginning."""
    work(clock=lambda: later(seconds), limit=50)


def codes(instance_id):
    return [each.code for each in incidents(instance_id=instance_id, limit=9)]


def is_replayed(instance_id):
    return rebuilt_state(instance_id) == store.read_instance(instance_id).state


def test_a_deadline_is_kept_with_the_state_and_a_replay_finds_the_same(flows):
    instance_id = breaking(flows, "PT1M")

    (kept,) = store.read_instance(instance_id).state.timers

    assert kept.due_at == later(60)
    assert is_replayed(instance_id)


def test_a_retry_that_cannot_begin_in_time_is_not_scheduled(flows):
    instance_id = breaking(flows, "PT2S", caught=True)
    assert nodes_of(instance_id) == {"ask"}

    # The second attempt begins at once after its second; the third would begin after the deadline.
    worked(1.5)

    assert nodes_of(instance_id) == {"tell"}
    assert store.history_of(instance_id)[-1].at == later(1.5)
    assert codes(instance_id) == []
    assert is_replayed(instance_id)


def test_a_deadline_nobody_catches_is_an_incident_with_an_owner_who_may_try_again(flows, employee):
    instance_id = breaking(flows, "PT2S")
    worked(1.5)
    (open_incident,) = incidents(instance_id=instance_id, limit=9)
    assert (open_incident.code, open_incident.owner_role) == ("deadline_exceeded", "operations")
    (task,) = tasks(principal=employee, filters=TaskFilters())

    complete(
        task_id=task.id,
        principal=employee,
        answer={"resolution": "retry"},
        comment="",
        at=later(600),
    )

    (kept,) = store.read_instance(instance_id).state.timers
    assert kept.due_at == later(602)
    assert is_replayed(instance_id)


@pytest.mark.parametrize("seconds", [60, 40_000_000])
def test_a_clock_that_jumps_past_the_deadline_makes_no_further_attempt(flows, seconds):
    instance_id = breaking(flows, "PT30S", caught=True)
    before = len(store.history_of(instance_id))

    worked(seconds)

    assert nodes_of(instance_id) == {"tell"}
    assert len(store.history_of(instance_id)) == before + 1
    worked(0)
    assert nodes_of(instance_id) == {"tell"}
    assert is_replayed(instance_id)


def test_a_flow_run_call_by_call_is_bound_as_well(flows):
    body = with_deadline(CALLS.format(call="read:balance", attempts=9), "PT2S")
    flow = flows.published(body, declared=DECLARED, commit="step")
    instance_id = flows.started(flow, name="n", iban="i")
    worked(0)

    worked(1.5)

    assert codes(instance_id) == ["deadline_exceeded"]
    assert is_replayed(instance_id)


def test_a_called_process_has_no_more_time_than_its_caller_and_the_caller_hears_of_it(flows):
    inner = CALLS.format(call="read:balance", attempts=9)
    flows.published(with_deadline(inner, "PT5M"), process="inner")
    caller = flows.published(CALLER + CAUGHT.format(host="call"), process="p", declared=DECLARED)
    instance_id = flows.started(caller, name="n", iban="i")
    worked(0)
    (kept,) = store.read_instance(child_of(instance_id)).state.timers
    assert kept.due_at == later(30)

    worked(31)
    worked(31)

    assert nodes_of(instance_id) == {"tell"}
    assert store.read_instance(child_of(instance_id)).state.is_ended
    assert codes(child_of(instance_id)) == codes(instance_id) == []
    assert is_replayed(instance_id)
    assert is_replayed(child_of(instance_id))


def test_a_call_that_waits_for_a_person_too_long_is_called_off_with_its_work(flows, employee):
    flows.published(WAITS, process="inner")
    instance_id = flows.started(flows.published(CALLER), name="n", iban="i")
    worked(0)
    child = child_of(instance_id)
    assert nodes_of(child) == {"look"}

    worked(31)
    worked(31)

    assert store.read_instance(child).status == "cancelled"
    assert codes(instance_id) == ["deadline_exceeded"]
    assert [each.kind for each in tasks(principal=employee, filters=TaskFilters())] == ["incident"]


# An effect another system keeps.


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


def stopping(flows, within, at=None):
    body = with_deadline(STOP, within) + CAUGHT.format(host="stop")
    card = str(uuid4())
    instance_id = flows.started(
        flows.published(body, declared=DECLARED),
        at or database_time(),
        card=card,
        reason="stolen",
        sources=SOURCES,
    )
    return instance_id, card


def said(instance_id):
    case_id = store.read_instance(instance_id).case_id
    return [[line.what for line in each.lines] for each in effects_of(case_id=case_id)]


def ends(instance_id):
    case_id = store.read_instance(instance_id).case_id
    return [each.end for each in effects_of(case_id=case_id)]


def test_a_call_outside_is_good_for_no_longer_than_what_is_left(flows, processor, settings):
    settings.CARD_PROCESSOR_VALID_SECONDS = 600
    instance_id, _card = stopping(flows, "PT40S")
    latest = database_time() + timedelta(seconds=41)

    carry_effects_once()

    with connection.cursor() as cursor:
        cursor.execute("SELECT valid_until FROM gc_outside ORDER BY begun_at DESC LIMIT 1")
        (valid_until,) = cursor.fetchone()
    assert ends(instance_id) == ["done"]
    assert valid_until <= latest


def test_a_connector_waits_no_longer_than_what_is_left(processor, settings):
    settings.CARD_PROCESSOR_DEADLINE_SECONDS = 30.0
    processor.fault("answer_slowly")
    order = StopCard(card_id=uuid4(), reason="stolen")
    call = Call("cards.stop", uuid4(), "key", order, seconds_left=0.4)
    begun = time.monotonic()

    answer = CardProcessor().send(call, datetime.now(UTC) + timedelta(seconds=60))

    # The processor answers after two seconds, and might have been waited for thirty.
    assert time.monotonic() - begun < 1.9
    assert (answer.said, answer.code) == ("unknown", "no_answer_in_time")


def test_an_effect_sent_before_its_deadline_stays_unknown_and_is_not_sent_again(flows, processor):
    processor.fault("lose_after")
    instance_id, card = stopping(flows, "PT30S")
    carry_effects_once()
    assert ends(instance_id) == ["unknown"]

    move(instance_id, at=database_time() + timedelta(seconds=31))

    assert nodes_of(instance_id) == {"tell"}
    assert ends(instance_id) == ["unknown"]
    assert is_replayed(instance_id)

    def is_known():
        carry_effects_once()
        return ends(instance_id) == ["done"]

    assert wait_until(is_known, 20)
    assert processor.acts(card) == ["stop"]
    assert said(instance_id)[0].count("send") == 1
    assert nodes_of(instance_id) == {"tell"}


def test_what_was_lost_on_the_way_is_not_sent_after_its_deadline(flows, processor, settings):
    settings.CARD_PROCESSOR_FINALITY_SECONDS = 6.0
    processor.fault("lose_before")
    instance_id, card = stopping(flows, "PT5S")
    carry_effects_once()
    assert ends(instance_id) == ["unknown"]

    def has_ended():
        carry_effects_once()
        run_due_once()
        return ends(instance_id) == ["failed"]

    assert wait_until(has_ended, 30)
    assert processor.acts(card) == []
    assert nodes_of(instance_id) == {"tell"}
    assert wait_until(lambda: not grand_central.public.outstanding_calls(), 5)


def test_an_effect_that_was_not_begun_by_its_deadline_never_leaves_the_bank(flows, processor):
    before = processor.arrivals()
    instance_id, _card = stopping(flows, "PT5S", at=database_time() - timedelta(seconds=6))

    carry_effects_once()

    assert (ends(instance_id), processor.arrivals()) == ([], before)
    assert nodes_of(instance_id) == {"tell"}


def test_an_answer_that_was_there_in_time_is_taken_in_however_late_it_is_looked_at(
    flows, processor, employee
):
    instance_id, card = stopping(flows, "PT50S")
    control.pause(instance_id=instance_id, by=employee.id, at=database_time())
    carry_effects_once()

    a_minute_later = database_time() + timedelta(minutes=1)
    control.resume(instance_id=instance_id, by=employee.id, at=a_minute_later)
    move(instance_id, at=a_minute_later)

    assert store.read_instance(instance_id).status == "completed"
    assert processor.acts(card) == ["stop"]
