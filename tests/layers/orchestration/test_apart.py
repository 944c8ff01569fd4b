"""Branches at once: what they ask of models and systems is made side by side, in lanes."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from orchestration import steps
from orchestration.durable import (
    apart_calls,
    store,
    sweeping,
    workers,
)
from orchestration.durable.doorbell import database_time
from orchestration.public import TaskFilters, complete, run_due_here, tasks
from orchestration.step_results import Answered
from orchestration.tasks import advance_instance, make_call_apart
from tests.banks import wait_until
from tests.layers.orchestration.branches import (
    SECONDS_MAX,
    answers_of,
    call,
    calls_of,
    forked,
    is_sound,
    repeated,
    visits_of,
)
from tests.layers.orchestration.flows import AT, nodes_of


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("commit", ["wait", "step"])
@pytest.mark.parametrize("what", ["model:slow", "read:slow"])
def test_three_branches_are_under_way_at_once_in_one_worker(slow, parted, commit, what):
    step = slow(at_once=3)
    instance_id = parted(forked("x", "y", "z", what=what), commit=commit)

    workers.work(clock=database_time, limit=50)

    assert is_sound(instance_id) == "completed"
    assert step.made == {"x": 1, "y": 1, "z": 1}
    assert len(step.threads) == 3
    assert step.transactions == [False] * 3
    assert len(answers_of(instance_id)) == 3
    assert {state for _, state, _ in calls_of(instance_id)} == {"closed"}


@pytest.mark.django_db(transaction=True)
def test_five_items_are_under_way_at_once(slow, parted):
    step = slow(at_once=5)
    instance_id = parted(repeated(), variables={"many": [1, 2, 3, 4, 5]})

    workers.work(clock=database_time, limit=50)

    assert is_sound(instance_id) == "completed"
    assert step.made == {"each": 5}
    assert len(answers_of(instance_id)) == 5
    said = store.read_instance(instance_id).state.variables["all"]
    assert sorted(said) == sorted(f"each {visit}" for _, visit, _ in visits_of(instance_id))


@pytest.mark.django_db(transaction=True)
def test_branches_are_under_way_at_once_without_any_worker(slow, flows):
    step = slow(at_once=3)

    instance_id = flows.started(flows.published(forked("x", "y", "z")))

    assert is_sound(instance_id) == "completed"
    assert step.made == {"x": 1, "y": 1, "z": 1}


@pytest.mark.django_db(transaction=True)
def test_who_completes_a_task_has_the_branches_behind_it_at_once(slow, flows, employee):
    step = slow(at_once=3)
    asked = (
        '<startEvent id="s"/><sequenceFlow id="a" sourceRef="s" targetRef="ask"/>'
        '<userTask id="ask" name="Ask"><extensionElements>'
        '<frontline:assignment roles="operations"/></extensionElements></userTask>'
        '<sequenceFlow id="a2" sourceRef="ask" targetRef="fork"/>'
    )
    body = asked + forked("x", "y", "z").partition('targetRef="fork"/>')[2]
    instance_id = flows.started(flows.published(body))
    (task,) = tasks(principal=employee, filters=TaskFilters())

    complete(task_id=task.id, principal=employee, answer={}, comment="", at=AT)

    assert is_sound(instance_id) == "completed"
    assert step.made == {"x": 1, "y": 1, "z": 1}


def test_within_a_transaction_branches_are_made_one_by_one_in_it(slow, flows):
    step = slow()

    instance_id = flows.started(flows.published(forked("x", "y", "z")))

    assert is_sound(instance_id) == "completed"
    assert step.made == {"x": 1, "y": 1, "z": 1}
    assert step.transactions == [True] * 3
    assert calls_of(instance_id) == []


@pytest.mark.parametrize("commit", ["wait", "step"])
def test_a_sweep_makes_calls_apart_and_takes_their_answers_in(slow, parted, commit):
    step = slow()
    instance_id = parted(forked("x", "y", "z"), commit=commit)

    sweeping.sweep(limit=50, clock=lambda: AT)

    assert is_sound(instance_id) == "completed"
    assert step.made == {"x": 1, "y": 1, "z": 1}


@pytest.mark.django_db(transaction=True)
def test_a_tick_begins_calls_and_waits_for_none(slow, parted, entity):
    step = slow(at_once=4)
    instance_id = parted(forked("x", "y", "z"))

    run_due_here()
    step.barrier.wait(SECONDS_MAX)

    assert wait_until(lambda: not lanes(), SECONDS_MAX)
    assert {state for _, state, _ in calls_of(instance_id)} == {"due"}
    assert nodes_of(instance_id) == {"x", "y", "z"}
    run_due_here()
    assert is_sound(instance_id) == "completed"


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_rung_begins_one_call_and_is_free_again(slow, parted, entity):
    step = slow(at_once=4)
    instance_id = parted(forked("x", "y", "z"))
    ring = {"instance_id": str(instance_id), "entity": entity}

    advance_instance(**ring)
    for _ in range(3):
        make_call_apart(**ring)
    step.barrier.wait(SECONDS_MAX)

    assert wait_until(lambda: not lanes(), SECONDS_MAX)
    assert {state for _, state, _ in calls_of(instance_id)} == {"due"}
    advance_instance(**ring)
    assert is_sound(instance_id) == "completed"
    assert step.made == {"x": 1, "y": 1, "z": 1}


@pytest.mark.django_db(transaction=True)
def test_the_work_of_a_person_is_there_while_another_branch_takes_its_time(slow, parted):
    step, seen = slow(), []

    def look(_context, _inputs):
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM orch_task WHERE state = 'open'")
            seen.append(cursor.fetchone()[0])
        return Answered({"said": "seen"})

    steps._MODELS["slow"] = look
    person = (
        '<userTask id="p"><extensionElements><frontline:assignment roles="operations"/>'
        '</extensionElements></userTask><sequenceFlow id="fp" sourceRef="fork" targetRef="p"/>'
        '<sequenceFlow id="mp" sourceRef="p" targetRef="join"/>'
    )
    instance_id = parted(forked("x") + person)

    workers.work(clock=database_time, limit=50)

    assert seen == [1]
    assert not step.made
    assert nodes_of(instance_id) == {"p", "join"}


@pytest.mark.django_db(transaction=True)
def test_a_call_alone_is_made_in_the_commit_of_its_step(slow, parted):
    step = slow()
    body = (
        '<startEvent id="s"/><sequenceFlow id="a" sourceRef="s" targetRef="x"/>'
        f"{call('x')}{call('y')}"
        '<sequenceFlow id="b" sourceRef="x" targetRef="y"/>'
        '<sequenceFlow id="c" sourceRef="y" targetRef="e"/><endEvent id="e"/>'
    )
    instance_id = parted(body)

    workers.work(clock=database_time, limit=50)

    assert is_sound(instance_id) == "completed"
    assert step.transactions == [True, True]
    assert calls_of(instance_id) == []


@pytest.mark.parametrize(
    ("what", "more", "is_apart"),
    [
        ("read:reference", "", False),
        ("read:reference", ' apart="true"', True),
        ("model:slow", "", True),
        ("model:slow", ' apart="false"', False),
    ],
)
def test_what_takes_a_moment_is_made_at_once_unless_the_drawing_says_so(
    slow, parted, what, more, is_apart
):
    slow()
    instance_id = parted(forked("x", "y", what=what, more=more))

    workers.work(clock=lambda: AT, limit=50, makes_calls=False)

    assert bool(calls_of(instance_id)) is is_apart
    workers.work(clock=lambda: AT, limit=50)
    assert is_sound(instance_id) == "completed"


@pytest.mark.django_db(transaction=True)
def test_the_lease_of_a_call_under_way_is_renewed_until_it_ends(slow, parted, settings):
    settings.CALL_LEASE_SECONDS = 0.5
    slow()
    seen = []

    def long(context, _inputs):
        def lease():
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT lease_until, fence FROM orch_call WHERE instance_id = %s AND node = %s",
                    [context.instance_id, context.node],
                )
                return cursor.fetchone()

        until, fence = lease()
        later = until + timedelta(seconds=1)
        assert wait_until(lambda: lease()[0] > later, SECONDS_MAX)
        seen.append(lease()[1] == fence)
        return Answered({"said": "done"})

    steps._MODELS["slow"] = long
    instance_id = parted(forked("x", "y"))

    workers.work(clock=database_time, limit=50)

    assert is_sound(instance_id) == "completed"
    assert seen == [True, True]


@pytest.mark.django_db(transaction=True)
def test_with_more_calls_than_room_all_are_made_and_the_room_is_free_again(slow, parted, settings):
    settings.CALLS_AT_ONCE = 2
    step = slow()
    ids = [parted(forked("x", "y", "z")) for _ in range(3)]

    workers.work(clock=database_time, limit=50)

    assert [is_sound(each) for each in ids] == ["completed"] * 3
    assert step.made == {"x": 3, "y": 3, "z": 3}
    assert wait_until(lambda: not lanes(), SECONDS_MAX)
    assert apart_calls._LANES.reserve(5) == 2
    apart_calls._LANES.release(2)


def lanes():
    return [each for each in threading.enumerate() if each.name == "call lane"]
