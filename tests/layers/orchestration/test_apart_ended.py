"""How calls apart end: answered once, lost, called off, tried again, refused, too late."""

from collections import Counter
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from orchestration import steps
from orchestration.core.events import TaskFailed
from orchestration.durable import (
    apart,
    apart_calls,
    control,
    large_values,
    store,
    workers,
)
from orchestration.durable.starting import NewInstance, begin
from orchestration.public import TaskFilters, complete, tasks
from orchestration.step_results import Answered, Refused
from tests.layers.orchestration.branches import (
    ANY,
    BY_ANY,
    answers_of,
    calls_of,
    forked,
    is_sound,
    let_leases_run_out,
)
from tests.layers.orchestration.flows import AT, nodes_of


@pytest.mark.django_db(transaction=True)
def test_a_call_a_dead_worker_had_in_hand_is_made_by_another_and_answered_once(slow, parted):
    step = slow()
    instance_id = parted(forked("x", "y"))
    workers.work(clock=lambda: AT, limit=50, makes_calls=False)
    (lost,) = apart.claim(at=AT, limit=1)
    workers.work(clock=lambda: AT, limit=50)
    assert step.made == Counter({"x", "y"} - {lost.command.node})
    assert nodes_of(instance_id) == {lost.command.node, "join"}

    let_leases_run_out()
    workers.work(clock=lambda: AT, limit=50)

    assert step.made == {"x": 1, "y": 1}
    assert is_sound(instance_id) == "completed"
    assert not apart.answer(lost, apart.text_of(lost.command.token, Answered({"said": "late"})))
    assert len(answers_of(instance_id)) == 2


def test_a_worker_that_lost_its_claim_leaves_no_answer(slow, parted):
    slow()
    instance_id = parted(forked("x", "y"))
    workers.work(clock=lambda: AT, limit=50, makes_calls=False)
    lost = apart.claim(at=AT, limit=5)
    assert len(lost) == 2
    assert apart.claim(at=AT, limit=5) == ()
    let_leases_run_out()
    held = apart.claim(at=AT, limit=5)
    assert {each.takes for each in held} == {2}

    text = apart.text_of(lost[0].command.token, Answered({"said": "too late"}))

    assert not apart.answer(lost[0], text)
    assert {state for _, state, _ in calls_of(instance_id)} == {"apart"}


def test_a_call_that_cost_too_many_processes_is_shown_to_a_person(slow, parted, employee):
    step = slow()
    instance_id = parted(forked("x", "y"))
    workers.work(clock=lambda: AT, limit=50, makes_calls=False)
    for _ in range(apart_calls.TAKES_MAX):
        assert len(apart.claim(at=AT, limit=5)) == 2
        let_leases_run_out()

    workers.work(clock=lambda: AT, limit=50)

    assert not step.made
    assert {each.code for each in answers_of(instance_id)} == {"step_failed"}
    kinds = [each.kind for each in tasks(principal=employee, filters=TaskFilters())]
    assert kinds == ["incident", "incident"]


def test_the_first_answer_calls_the_others_off_and_what_they_find_is_dropped(slow, parted):
    step = slow()
    instance_id = parted(BY_ANY.format(inside=forked("x", "y", "z", join=ANY)))
    workers.work(clock=lambda: AT, limit=50, makes_calls=False)
    under_way = apart.claim(at=AT, limit=2)

    workers.work(clock=lambda: AT, limit=50)

    assert nodes_of(instance_id) == {"after"}
    assert step.made.total() == 1
    before = store.history_of(instance_id)
    for each in under_way:
        assert not apart.answer(each, apart.text_of(each.command.token, Answered({"said": "x"})))
    assert workers.work(clock=lambda: AT, limit=50).claimed == 0
    assert store.history_of(instance_id) == before
    is_sound(instance_id)
    assert {state for _, state, _ in calls_of(instance_id)} == {"closed"}


def test_of_answers_that_came_together_none_is_taken_after_the_first_has_ended_it(slow, parted):
    slow()
    instance_id = parted(BY_ANY.format(inside=forked("x", "y", "z", join=ANY)))
    workers.work(clock=lambda: AT, limit=50, makes_calls=False)
    for each in apart.claim(at=AT, limit=3):
        assert apart.answer(each, apart.text_of(each.command.token, Answered({"said": "x"})))

    workers.work(clock=lambda: AT, limit=50)

    assert nodes_of(instance_id) == {"after"}
    is_sound(instance_id)
    assert len(answers_of(instance_id)) == 1
    assert [line.ignored for line in store.history_of(instance_id)] == [None, None]


@pytest.mark.parametrize("commit", ["wait", "step"])
def test_what_breaks_apart_is_tried_again_after_its_pause(slow, parted, commit):
    step = slow(fails=1)
    instance_id = parted(forked("x", "y"), commit=commit)
    workers.work(clock=lambda: AT, limit=50)
    assert sorted(calls_of(instance_id)) != []
    ((broken, state, attempt),) = [each for each in calls_of(instance_id) if each[1] != "closed"]
    assert (state, attempt) == ("due", 2)
    assert nodes_of(instance_id) == {broken, "join"}

    workers.work(clock=lambda: AT, limit=50)
    assert step.made.total() == 2
    workers.work(clock=lambda: AT + timedelta(seconds=2), limit=50)

    assert is_sound(instance_id) == "completed"
    assert step.made[broken] == 2


def test_what_breaks_apart_for_good_is_an_incident_and_its_retry_is_made(slow, parted, employee):
    step = slow(fails=1)
    instance_id = parted(forked("x", "y", attempts=1))
    workers.work(clock=lambda: AT, limit=50)
    (task,) = tasks(principal=employee, filters=TaskFilters())
    assert task.kind == "incident"
    assert [each.code for each in answers_of(instance_id) if isinstance(each, TaskFailed)] == [
        "step_failed"
    ]

    complete(
        task_id=task.id,
        principal=employee,
        answer={"resolution": "retry"},
        comment="",
        at=AT,
    )

    assert is_sound(instance_id) == "completed"
    assert step.made.total() == 3


LATE = """
<boundaryEvent id="late{name}" attachedToRef="{name}"><errorEventDefinition errorRef="late"/>
</boundaryEvent><sequenceFlow id="l{name}" sourceRef="late{name}" targetRef="gone{name}"/>
<endEvent id="gone{name}"/>"""


DECLARED = '<error id="late" errorCode="deadline_exceeded"/>'


def with_deadline(flows, instance_id):
    body = forked("x", "y", extra='<frontline:deadline within="PT30S"/>')
    body += "".join(LATE.format(name=name) for name in ("x", "y"))
    flow = flows.published(body, process=f"p{uuid4().hex[:8]}", declared=DECLARED)
    begin(NewInstance(instance_id, flow, flows.employee, {}, AT))


def test_a_deadline_that_passes_while_a_call_is_under_way_ends_it(slow, flows):
    step, instance_id = slow(), uuid4()
    with_deadline(flows, instance_id)
    workers.work(clock=lambda: AT, limit=50, makes_calls=False)
    (held, other) = apart.claim(at=AT, limit=2)
    assert apart.answer(other, apart.text_of(other.command.token, Answered({"said": "in time"})))

    workers.work(clock=lambda: AT + timedelta(seconds=31), limit=50)

    assert not step.made
    text = apart.text_of(held.command.token, Answered({"said": "late"}))
    assert not apart.answer(held, text)
    entered = [
        getattr(entry, "node", "")
        for line in store.history_of(instance_id)
        for entry in line.entries
    ]
    assert f"gone{held.command.node}" in entered
    assert f"gone{other.command.node}" not in entered
    is_sound(instance_id)


def test_a_call_that_nobody_took_before_its_deadline_is_not_made(slow, flows):
    step, instance_id = slow(), uuid4()
    with_deadline(flows, instance_id)
    workers.work(clock=lambda: AT, limit=50, makes_calls=False)

    apart_calls.Beside(lambda: AT + timedelta(seconds=31)).begin()
    workers.work(clock=lambda: AT + timedelta(seconds=31), limit=50)

    assert not step.made
    assert is_sound(instance_id) == "completed"
    assert calls_of(instance_id) == [("x", "closed", 1), ("y", "closed", 1)]


def test_a_refusal_apart_is_a_business_outcome(slow, parted):
    step = slow()
    step.results["x"] = Refused("not_found", "There is none.", {"asked": 7})
    instance_id = parted(forked("x", "y"))

    workers.work(clock=lambda: AT, limit=50)

    (failed,) = [each for each in answers_of(instance_id) if isinstance(each, TaskFailed)]
    assert (failed.code, failed.message, failed.output) == (
        "not_found",
        "There is none.",
        {"asked": 7},
    )
    assert is_sound(instance_id) == "failed"


def test_what_is_found_apart_may_be_large_and_not_too_large(slow, parted):
    step = slow()
    step.results["x"] = Answered({"said": "long " * 5_000})
    step.results["y"] = Answered({"said": "x" * (large_values.VALUE_CHARACTERS_MAX + 1)})
    instance_id = parted(forked("x", "y"))

    workers.work(clock=lambda: AT, limit=50)

    assert store.read_instance(instance_id).state.variables["x"] == "long " * 5_000
    (failed,) = [each for each in answers_of(instance_id) if isinstance(each, TaskFailed)]
    assert (failed.code, failed.message) == ("step_failed", "ValueTooLarge: value_too_large")
    is_sound(instance_id)


def test_a_held_instance_begins_no_call(slow, parted, employee):
    step = slow()
    instance_id = parted(forked("x", "y"))
    workers.work(clock=lambda: AT, limit=50, makes_calls=False)
    control.pause(instance_id=instance_id, by=employee.id, at=AT)

    assert apart.claim(at=AT, limit=5) == ()
    workers.work(clock=lambda: AT, limit=50)
    assert not step.made

    control.resume(instance_id=instance_id, by=employee.id, at=AT)
    workers.work(clock=lambda: AT, limit=50)
    assert is_sound(instance_id) == "completed"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_cut_off", [False, True])
def test_what_breaks_in_a_lane_says_so_and_is_tried_again(slow, parted, is_cut_off):
    step = slow()
    instance_id = parted(forked("x", "y"))
    broken = []

    def breaks_once(context, inputs):
        if inputs["branch"] == "x" and not broken:
            broken.append(context.node)
            if is_cut_off:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            msg = "not now"
            raise RuntimeError(msg)
        return step(context, inputs)

    steps._MODELS["slow"] = breaks_once

    workers.work(clock=lambda: AT, limit=50)

    assert calls_of(instance_id) == [("x", "due", 2), ("y", "closed", 1)]
    assert nodes_of(instance_id) == {"x", "join"}
    workers.work(clock=lambda: AT + timedelta(seconds=2), limit=50)
    assert is_sound(instance_id) == "completed"
    assert step.made == {"x": 1, "y": 1}
