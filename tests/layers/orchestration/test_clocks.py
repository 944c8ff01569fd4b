"""Timers on one clock: it may jump forwards or back, and each firing happens once."""

from datetime import timedelta

import pytest

from orchestration.core.history import NodeEntered
from orchestration.durable import engine, store, sweeping
from orchestration.public import run_due_here
from tests.layers.orchestration.flows import AT, TIMER, nodes_of

DATE = TIMER.replace(
    "<timeDuration>PT1H</timeDuration>", "<timeDate>2026-11-21T11:00:00Z</timeDate>"
)
REMINDED = """
<startEvent id="s"/>
<userTask id="look" name="Look"><extensionElements><frontline:assignment roles="operations"/>
</extensionElements></userTask>
<boundaryEvent id="again" attachedToRef="look" cancelActivity="false">
<timerEventDefinition><timeCycle>{cycle}</timeCycle></timerEventDefinition></boundaryEvent>
<endEvent id="reminded"/><endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="look"/>
<sequenceFlow id="b" sourceRef="look" targetRef="e"/>
<sequenceFlow id="c" sourceRef="again" targetRef="reminded"/>
"""


def sweep(**after):
    return sweeping.sweep(limit=50, clock=lambda: AT + timedelta(**after))


def reminders(instance_id):
    return sum(
        isinstance(entry, NodeEntered) and entry.node == "reminded"
        for line in store.history_of(instance_id)
        for entry in line.entries
    )


@pytest.mark.parametrize("body", [TIMER, DATE])
def test_a_timer_fires_when_its_time_has_come_and_not_before(flows, body):
    instance_id = flows.started(flows.published(body))

    assert sweep(minutes=59).timers == 0
    assert nodes_of(instance_id) == {"wait"}
    assert sweep(minutes=60).timers == 1
    assert store.read_instance(instance_id).status == "completed"
    assert sweep(minutes=61).timers == 0


@pytest.mark.parametrize(("seconds", "fired"), [(0.0, 2), (30.0, 5)])
def test_a_look_that_found_all_it_may_goes_on_while_it_has_time(flows, seconds, fired):
    flow = flows.published(TIMER)
    for _ in range(5):
        flows.started(flow)

    swept = sweeping.sweep(limit=2, clock=lambda: AT + timedelta(hours=1), seconds=seconds)

    assert swept.timers == fired


def test_the_ticking_process_fires_whatever_is_due_in_one_look(flows):
    flow = flows.published(TIMER)
    ids = [flows.started(flow, at=AT - timedelta(days=3_000)) for _ in range(5)]

    run_due_here(limit=2)

    assert {store.read_instance(each).status for each in ids} == {"completed"}


def test_a_clock_that_jumps_back_fires_nothing_twice(flows):
    instance_id = flows.started(flows.published(REMINDED.format(cycle="R/PT1H")))
    sweep(minutes=60)

    sweep(minutes=-600)
    sweep(minutes=60)

    assert reminders(instance_id) == 1
    sweep(minutes=120)
    assert reminders(instance_id) == 2


def test_a_clock_that_jumps_forwards_loses_no_timer(flows):
    one = flows.started(flows.published(TIMER))
    other = flows.started(flows.published(REMINDED.format(cycle="R3/PT1H"), process="q"))

    sweep(days=400)

    assert store.read_instance(one).status == "completed"
    assert reminders(other) >= 1
    assert engine.rebuilt_state(other) == store.read_instance(other).state
    assert sweep(days=400).timers == 0


def test_a_cycle_ends_after_its_repeats(flows):
    instance_id = flows.started(flows.published(REMINDED.format(cycle="R2/PT1H")))

    for hour in range(1, 6):
        sweep(hours=hour)

    assert reminders(instance_id) == 2


def test_a_timer_in_the_past_fires_at_once(flows):
    instance_id = flows.started(flows.published(DATE), at=AT + timedelta(days=2))

    assert store.read_instance(instance_id).status == "completed"


def test_the_state_at_any_moment_is_rebuilt_from_history(flows):
    instance_id = flows.started(flows.published(REMINDED.format(cycle="R/PT1H")))
    stored = [store.read_instance(instance_id).state]
    for hour in range(1, 4):
        sweep(hours=hour)
        stored.append(store.read_instance(instance_id).state)

    rebuilt = [engine.rebuilt_state(instance_id, to_seq=seq) for seq in range(4)]

    assert rebuilt == stored
