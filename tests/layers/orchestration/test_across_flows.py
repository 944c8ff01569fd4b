"""Flows that call flows, joins and retries, as the database has them: nothing is left behind."""

from datetime import timedelta
from itertools import pairwise
from uuid import uuid4, uuid5

from django.db import connection

from orchestration.core.events import UserTaskCompleted
from orchestration.durable import control, engine, store, sweeping
from orchestration.plain import feel_mapping
from orchestration.public import TaskFilters, tasks
from tests.layers.orchestration.flows import AT, CALLS, SCRIPTS, TIMER, nodes_of

LATE = '<escalation id="late" escalationCode="late"/>'
ESCALATES = """
<startEvent id="s"/>
<intermediateThrowEvent id="tell"><escalationEventDefinition escalationRef="late"/>
</intermediateThrowEvent>
<userTask id="work" name="Work"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements></userTask><endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="tell"/>
<sequenceFlow id="b" sourceRef="tell" targetRef="work"/>
<sequenceFlow id="c" sourceRef="work" targetRef="e"/>
"""
CALLS_IT = """
<startEvent id="s"/><callActivity id="call" calledElement="called"/>
<boundaryEvent id="caught" attachedToRef="call" cancelActivity="{interrupts}">
<escalationEventDefinition escalationRef="late"/></boundaryEvent>
<userTask id="hurry" name="Hurry"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements></userTask>
<endEvent id="e"/><endEvent id="e2"/>
<sequenceFlow id="a" sourceRef="s" targetRef="call"/>
<sequenceFlow id="b" sourceRef="call" targetRef="e"/>
<sequenceFlow id="c" sourceRef="caught" targetRef="hurry"/>
<sequenceFlow id="d" sourceRef="hurry" targetRef="e2"/>
"""
CALL = """
<startEvent id="s"/><callActivity id="call" calledElement="{called}"/><endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="call"/>
<sequenceFlow id="b" sourceRef="call" targetRef="e"/>
"""
QUORUM = """
<startEvent id="s"/><parallelGateway id="fork"/>
<userTask id="a"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements></userTask>
<userTask id="b"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements></userTask>
<userTask id="c"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements></userTask>
<complexGateway id="join"><activationCondition>activationCount &gt;= 2</activationCondition>
</complexGateway>
<userTask id="after"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements></userTask><endEvent id="e"/>
<sequenceFlow id="f0" sourceRef="s" targetRef="fork"/>
<sequenceFlow id="f1" sourceRef="fork" targetRef="a"/>
<sequenceFlow id="f2" sourceRef="fork" targetRef="b"/>
<sequenceFlow id="f3" sourceRef="fork" targetRef="c"/>
<sequenceFlow id="g1" sourceRef="a" targetRef="join"/>
<sequenceFlow id="g2" sourceRef="b" targetRef="join"/>
<sequenceFlow id="g3" sourceRef="c" targetRef="join"/>
<sequenceFlow id="h" sourceRef="join" targetRef="after"/>
<sequenceFlow id="i" sourceRef="after" targetRef="e"/>
"""
RETRY = '<frontline:retry attempts="6" backoff="PT10S" limit="PT40S" jitter="50"/>'


def children_of(parent_id):
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orch_instance WHERE parent_id = %s", [parent_id])
        return [row[0] for row in cursor.fetchall()]


def child_of(parent_id):
    (child,) = children_of(parent_id)
    return child


def sweep(at=AT):
    for _ in range(4):
        sweeping.sweep(limit=50, clock=lambda: at)


def done(instance_id, node):
    (token,) = [
        each.id for each in store.read_instance(instance_id).state.tokens if each.node == node
    ]
    engine.answer(
        instance_id=instance_id,
        message_id=uuid5(instance_id, token),
        event=UserTaskCompleted(token, feel_mapping({}), completed_by="somebody"),
        at=AT,
    )


def called(flows, interrupts):
    flows.published(ESCALATES, process="called", declared=LATE)
    body = CALLS_IT.format(interrupts=interrupts)
    caller = flows.started(flows.published(body, process="caller", declared=LATE))
    sweep()
    return caller


def test_an_escalation_of_a_called_flow_is_caught_by_its_caller_who_goes_on_waiting(flows):
    caller = called(flows, "false")

    child = child_of(caller)
    assert nodes_of(caller) == {"call", "hurry"}
    assert nodes_of(child) == {"work"}

    done(child, "work")
    sweep()
    assert nodes_of(caller) == {"hurry"}
    assert engine.rebuilt_state(caller) == store.read_instance(caller).state


def test_an_escalation_that_interrupts_the_call_ends_the_called_flow(flows, employee):
    caller = called(flows, "true")

    child = child_of(caller)
    assert nodes_of(caller) == {"hurry"}
    assert store.read_instance(child).status == "cancelled"
    titles = [task.title for task in tasks(principal=employee, filters=TaskFilters())]
    assert "Work" not in titles


def test_cancelling_a_caller_cancels_all_it_has_called(flows, employee):
    flows.published(SCRIPTS, process="inner")
    flows.published(CALL.format(called="inner"), process="middle")
    caller = flows.started(flows.published(CALL.format(called="middle"), process="outer"), amount=1)
    sweep()
    middle = child_of(caller)
    inner = child_of(middle)

    control.cancel(instance_id=caller, by=employee.id, reason="not needed", at=AT)
    sweep()

    family = (caller, middle, inner)
    assert {store.read_instance(each).status for each in family} == {"cancelled"}
    assert tasks(principal=employee, filters=TaskFilters()) == ()
    for each in family:
        assert engine.rebuilt_state(each) == store.read_instance(each).state


def test_cancelling_a_caller_leaves_no_timer_of_the_called_flow(flows, employee):
    flows.published(TIMER, process="inner")
    caller = flows.started(flows.published(CALL.format(called="inner"), process="outer"))
    sweep()

    control.cancel(instance_id=caller, by=employee.id, reason="not needed", at=AT)
    sweep()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orch_ready")
        assert cursor.fetchone() == (0,)


def test_a_quorum_opens_with_the_second_of_three_and_takes_in_the_late(flows):
    instance_id = flows.started(flows.published(QUORUM))

    done(instance_id, "a")
    assert "after" not in nodes_of(instance_id)
    done(instance_id, "c")
    assert {"after", "b"} <= nodes_of(instance_id)
    done(instance_id, "b")
    assert nodes_of(instance_id) == {"after"}
    done(instance_id, "after")

    row = store.read_instance(instance_id)
    assert row.status == "completed"
    assert engine.rebuilt_state(instance_id) == row.state


def next_attempt(instance_id):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT due_at, attempt FROM orch_call WHERE instance_id = %s", [instance_id]
        )
        return cursor.fetchone()


def test_attempts_are_put_off_twice_as_long_each_time_within_the_spread_and_the_limit(flows):
    body = CALLS.format(call="read:balance", attempts=6).replace(
        '<frontline:retry attempts="6" backoff="PT1S"/>', RETRY
    )
    flow = flows.published(body)
    instance_id = flows.started(flow, name="x", iban="NL")
    dues = [AT]
    for attempt in range(2, 7):
        due_at, counted = next_attempt(instance_id)
        assert counted == attempt
        sweep(due_at - timedelta(milliseconds=1))
        assert next_attempt(instance_id) == (due_at, attempt)
        dues.append(due_at)
        sweep(due_at)

    waits = [(after - before).total_seconds() for before, after in pairwise(dues)]
    assert all(
        base <= wait <= base * 1.5 for base, wait in zip((10, 20, 40, 40, 40), waits, strict=True)
    )
    assert nodes_of(instance_id) == {"ask"}
    assert {task.kind for task in tasks(principal=flows.employee, filters=TaskFilters())} == {
        "incident"
    }


def test_what_broke_together_is_not_tried_again_together(flows):
    body = CALLS.format(call="read:balance", attempts=6).replace(
        '<frontline:retry attempts="6" backoff="PT1S"/>', RETRY
    )
    flow = flows.published(body)

    dues = {next_attempt(flows.started(flow, name="x", iban=str(uuid4())))[0] for _ in range(20)}

    assert len(dues) > 15
