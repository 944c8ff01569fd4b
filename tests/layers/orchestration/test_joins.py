"""Branches at once that are joined by the first of them, or by whatever came within a time."""

from datetime import timedelta

import pytest

from orchestration.durable import store, sweeping
from orchestration.public import TaskFilters, TaskGone, complete, tasks
from tests.layers.orchestration.flows import AT, nodes_of

ASKED = "".join(
    f'<userTask id="{name}" name="{name}"><extensionElements>'
    '<frontline:assignment roles="operations"/></extensionElements></userTask>'
    f'<sequenceFlow id="f{name}" sourceRef="fork" targetRef="{name}"/>'
    f'<sequenceFlow id="m{name}" sourceRef="{name}" targetRef="met"/>'
    for name in ("first", "second", "third")
)
BRANCHES = """
<startEvent id="s"/><sequenceFlow id="a" sourceRef="s" targetRef="work"/>
<subProcess id="work" name="Ask three"><startEvent id="in"/><parallelGateway id="fork"/>
<sequenceFlow id="i" sourceRef="in" targetRef="fork"/>{asked}{met}</subProcess>
<sequenceFlow id="b" sourceRef="work" targetRef="e"/><endEvent id="e"/>
"""
ANY = BRANCHES.format(asked=ASKED, met='<endEvent id="met"><terminateEventDefinition/></endEvent>')
IN_TIME = (
    BRANCHES.format(
        asked=ASKED,
        met='<parallelGateway id="met"/><endEvent id="out"/>'
        '<sequenceFlow id="o" sourceRef="met" targetRef="out"/>',
    )
    + """
<boundaryEvent id="late" attachedToRef="work">
<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition></boundaryEvent>
<endEvent id="without"/><sequenceFlow id="c" sourceRef="late" targetRef="without"/>
"""
)


def entered(instance_id):
    lines = store.history_of(instance_id)
    return {getattr(entry, "node", "") for line in lines for entry in line.entries}


def test_the_first_answer_goes_on_and_calls_the_other_work_off(flows, employee):
    instance_id = flows.started(flows.published(ANY))
    first, *rest = tasks(principal=employee, filters=TaskFilters())
    assert len(rest) == 2

    complete(task_id=first.id, principal=employee, answer={}, comment="", at=AT)

    assert store.read_instance(instance_id).status == "completed"
    assert tasks(principal=employee, filters=TaskFilters()) == ()
    for each in rest:
        with pytest.raises(TaskGone):
            complete(task_id=each.id, principal=employee, answer={}, comment="", at=AT)


def test_what_is_not_answered_in_time_is_called_off(flows, employee):
    instance_id = flows.started(flows.published(IN_TIME))
    first, *_ = tasks(principal=employee, filters=TaskFilters())
    complete(task_id=first.id, principal=employee, answer={}, comment="", at=AT)
    assert {"fork", "met"} < entered(instance_id) | nodes_of(instance_id)
    assert store.read_instance(instance_id).status != "completed"

    swept = sweeping.sweep(limit=50, clock=lambda: AT + timedelta(hours=1))

    assert swept.timers == 1
    assert store.read_instance(instance_id).status == "completed"
    assert "without" in entered(instance_id)
    assert "e" not in entered(instance_id)
    assert tasks(principal=employee, filters=TaskFilters()) == ()


def test_what_is_answered_in_time_leaves_no_timer(flows, employee):
    instance_id = flows.started(flows.published(IN_TIME))
    for each in tasks(principal=employee, filters=TaskFilters()):
        complete(task_id=each.id, principal=employee, answer={}, comment="", at=AT)

    assert store.read_instance(instance_id).status == "completed"
    assert sweeping.sweep(limit=50, clock=lambda: AT + timedelta(hours=1)).timers == 0
    assert "without" not in entered(instance_id)
