"""Instances in the database: moved in one commit, rebuilt from history, held and ended."""

from datetime import timedelta
from uuid import uuid4, uuid5

import pytest
from django.db import DatabaseError, connection, transaction

from orchestration import cases, steps
from orchestration.core.events import TimerFired, UserTaskCompleted
from orchestration.durable import control, engine, store, sweeping
from orchestration.durable.doorbell import database_time
from orchestration.durable.progress import InstanceMoved, Progress, save
from orchestration.plain import feel_mapping
from orchestration.public import TaskFilters, complete, tasks
from sentinel.public import legal_entity
from tests.layers.orchestration.flows import AT, CALLS, SCRIPTS, TIMER, nodes_of


def answer(instance_id, employee):
    event = UserTaskCompleted(
        token_of(instance_id), feel_mapping({"ok": True}), completed_by=employee.id
    )
    engine.answer(
        instance_id=instance_id, message_id=uuid5(instance_id, "answer"), event=event, at=AT
    )


def token_of(instance_id):
    tokens = store.read_instance(instance_id).state.tokens
    return tokens[0].id if tokens else "t0"


def history_count(instance_id):
    return len(store.history_of(instance_id))


def test_an_instance_runs_to_its_wait_state_in_one_commit(flows):
    instance_id = flows.started(flows.published(SCRIPTS), amount=21)

    row = store.read_instance(instance_id)

    assert nodes_of(instance_id) == {"check"}
    assert row.state.variables["total"] == 42
    assert row.rev == history_count(instance_id) == 1


def test_the_state_rebuilt_from_history_is_the_stored_one(flows, employee):
    instance_id = flows.started(flows.published(SCRIPTS), amount=21)
    assert engine.rebuilt_state(instance_id) == store.read_instance(instance_id).state

    answer(instance_id, employee)

    row = store.read_instance(instance_id)
    assert row.status == "completed"
    assert engine.rebuilt_state(instance_id) == row.state


def test_a_message_is_taken_once(flows, employee):
    instance_id = flows.started(flows.published(SCRIPTS), amount=21)
    answer(instance_id, employee)
    before = history_count(instance_id)

    answer(instance_id, employee)

    assert history_count(instance_id) == before


def test_a_writer_that_read_an_older_state_is_fenced_off(flows, employee):
    instance_id = flows.started(flows.published(SCRIPTS), amount=21)
    stale = store.read_instance(instance_id)
    answer(instance_id, employee)
    line = store.history_of(instance_id)[0]

    with pytest.raises(InstanceMoved), transaction.atomic():
        save(Progress(stale.id, stale.rev, stale.state, [line], [], None, None))

    assert store.read_instance(instance_id).status == "completed"


def test_history_cannot_be_rewritten(flows):
    instance_id = flows.started(flows.published(SCRIPTS), amount=21)

    with (
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute("UPDATE orch_history SET event = '{}'")

    assert history_count(instance_id) == 1


def test_invariant_13_another_legal_entity_sees_no_instance_and_no_task(flows, employee):
    instance_id = flows.started(flows.published(SCRIPTS), amount=21)
    assert len(tasks(principal=employee, filters=TaskFilters())) == 1

    with legal_entity(entity="meridian-be"):
        with pytest.raises(store.InstanceUnknown):
            store.read_instance(instance_id)
        assert tasks(principal=employee, filters=TaskFilters()) == ()
        assert sweeping.sweep(limit=10).moved == 0


def test_a_held_instance_waits_and_goes_on(flows, employee):
    instance_id = flows.started(flows.published(SCRIPTS), amount=21)
    control.pause(instance_id=instance_id, by=employee.id, at=AT)

    answer(instance_id, employee)

    assert nodes_of(instance_id) == {"check"}
    control.resume(instance_id=instance_id, by=employee.id, at=AT)
    sweeping.sweep(limit=10)
    assert store.read_instance(instance_id).status == "completed"


def test_an_ended_instance_leaves_no_work_behind(flows, employee):
    instance_id = flows.started(flows.published(SCRIPTS), amount=21)

    control.cancel(instance_id=instance_id, by=employee.id, reason="not needed", at=AT)

    assert store.read_instance(instance_id).status == "cancelled"
    assert tasks(principal=employee, filters=TaskFilters()) == ()


def test_a_step_the_bank_has_no_more_becomes_an_incident_of_a_named_role(
    flows, employee, monkeypatch
):
    flow = flows.published(CALLS.format(call="read:reference", attempts=3))
    monkeypatch.setattr(steps, "_READS", {})

    instance_id = flows.started(flow, name="x", iban="NL")

    (task,) = tasks(principal=employee, filters=TaskFilters())
    assert task.kind == "incident"
    assert nodes_of(instance_id) == {"ask"}
    complete(
        task_id=task.id,
        principal=employee,
        answer={"resolution": "cancel"},
        comment="",
        at=AT,
    )
    assert store.read_instance(instance_id).status == "cancelled"


def test_a_step_that_breaks_is_tried_again_and_then_becomes_an_incident(flows, employee):
    flow = flows.published(CALLS.format(call="read:balance", attempts=2))

    instance_id = flows.started(flow, name="x", iban="NL")

    assert call_of(instance_id) == ("due", 2)
    assert tasks(principal=employee, filters=TaskFilters()) == ()
    make_due(instance_id)
    sweeping.sweep(limit=10)
    assert call_of(instance_id) == ("closed", 2)
    assert [task.kind for task in tasks(principal=employee, filters=TaskFilters())] == ["incident"]


def test_a_step_that_breaks_for_good_goes_the_way_its_fallback_is_caught(flows, employee):
    drawn = CALLS.format(call="read:balance", attempts=2).replace(
        'backoff="PT1S"', 'backoff="PT1S" fallback="not_reached"'
    )
    missed = """
<boundaryEvent id="missed" attachedToRef="ask"><outgoing>m</outgoing>
<errorEventDefinition errorRef="gone"/></boundaryEvent>
<userTask id="by_hand" name="Look it up"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements>
<incoming>m</incoming><outgoing>n</outgoing></userTask>
<endEvent id="e2"><incoming>n</incoming></endEvent>
<sequenceFlow id="m" sourceRef="missed" targetRef="by_hand"/>
<sequenceFlow id="n" sourceRef="by_hand" targetRef="e2"/>
"""
    declared = '<error id="gone" errorCode="not_reached"/>'
    flow = flows.published(drawn + missed, declared=declared)
    instance_id = flows.started(flow, name="x", iban="NL")
    assert call_of(instance_id) == ("due", 2)
    assert nodes_of(instance_id) == {"ask"}

    make_due(instance_id)
    sweeping.sweep(limit=10)

    assert nodes_of(instance_id) == {"by_hand"}
    assert [each.kind for each in tasks(principal=employee, filters=TaskFilters())] == ["by_hand"]
    assert engine.rebuilt_state(instance_id) == store.read_instance(instance_id).state


def test_a_timer_fires_by_the_database_clock_and_once(flows):
    flow = flows.published(TIMER)
    early = flows.started(flow, at=database_time())
    late = flows.started(flow, at=database_time() - timedelta(hours=2))

    swept = sweeping.sweep(limit=10)

    assert swept.timers == 1
    assert store.read_instance(late).status == "completed"
    assert nodes_of(early) == {"wait"}
    assert sweeping.sweep(limit=10).timers == 0


def test_a_stale_timer_changes_nothing(flows):
    instance_id = flows.started(flows.published(TIMER), at=database_time())

    engine.answer(instance_id=instance_id, message_id=uuid4(), event=TimerFired("m99"), at=AT)

    assert nodes_of(instance_id) == {"wait"}
    assert store.history_of(instance_id)[-1].ignored == "unknown_timer"


def test_what_a_lost_doorbell_left_behind_is_found(flows, employee):
    instance_id = flows.started(flows.published(SCRIPTS), amount=21)
    event = UserTaskCompleted(
        token_of(instance_id), feel_mapping({"ok": True}), completed_by=employee.id
    )
    store.deliver(instance_id=instance_id, message_id=uuid4(), event=event, at=AT)

    assert sweeping.sweep(limit=10).moved == 1

    assert store.read_instance(instance_id).status == "completed"


def call_of(instance_id):
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, attempt FROM orch_call WHERE instance_id = %s", [instance_id])
        return cursor.fetchone()


def make_due(instance_id):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_call SET due_at = clock_timestamp() WHERE instance_id = %s",
            [instance_id],
        )


@pytest.mark.parametrize("move", ["pause", "resume", "cancel", "cancel_and_undo"])
def test_what_has_ended_is_moved_by_hand_no_more(flows, employee, move):
    instance_id = flows.started(flows.published(SCRIPTS), amount=21)
    control.cancel(instance_id=instance_id, by=employee.id, reason="not needed", at=AT)
    before, notes = store.read_instance(instance_id), notes_of(instance_id)
    reason = {"reason": "once more"}

    with pytest.raises(control.InstanceEnded):
        getattr(control, move)(instance_id=instance_id, by=employee.id, at=AT, **reason)

    assert store.read_instance(instance_id) == before
    assert notes_of(instance_id) == notes


def notes_of(instance_id):
    return cases.notes_of(store.read_instance(instance_id).case_id)
