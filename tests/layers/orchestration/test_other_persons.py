"""Work that asks for another person: whoever took part is known under every sign-in."""

from dataclasses import replace
from uuid import uuid4

import pytest

from orchestration.public import (
    DelegationRefused,
    NewWorker,
    NotYourTask,
    TaskFilters,
    claim,
    complete,
    delegate,
    enlist,
    incidents,
    tasks,
)
from tests.layers.orchestration.flows import AT

TWO_PEOPLE = """
<startEvent id="s"/>
<userTask id="make" name="Make"><extensionElements>
<frontline:assignment roles="operations"/>
<frontline:output name="maker" value="= result"/></extensionElements></userTask>
<userTask id="check" name="Check"><extensionElements>
<frontline:assignment roles="operations" exclude="= {exclude}"/></extensionElements></userTask>
<endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="make"/>
<sequenceFlow id="b" sourceRef="make" targetRef="check"/>
<sequenceFlow id="c" sourceRef="check" targetRef="e"/>
"""


def second_sign_in(person):
    return replace(person, id=f"employee:{uuid4()}")


def only_task(principal):
    (found,) = tasks(principal=principal, filters=TaskFilters())
    return found


def finish(task_id, principal):
    complete(task_id=task_id, principal=principal, answer={}, comment="", at=AT)


def made(flows, employee, exclude="maker.by"):
    started = flows.started(flows.published(TWO_PEOPLE.format(exclude=exclude)))
    finish(only_task(employee).id, employee)
    return started


@pytest.fixture
def colleague(employee):
    return replace(employee, id=f"employee:{uuid4()}", person_id=str(uuid4()))


def test_the_maker_cannot_check_under_another_sign_in(flows, employee, colleague):
    made(flows, employee)
    open_task = only_task(colleague)

    for sign_in in (employee, second_sign_in(employee)):
        assert tasks(principal=sign_in, filters=TaskFilters()) == ()
        with pytest.raises(NotYourTask):
            claim(task_id=open_task.id, principal=sign_in, at=AT)
        with pytest.raises(NotYourTask):
            finish(open_task.id, sign_in)

    assert only_task(colleague) == open_task
    finish(open_task.id, colleague)


def test_who_began_a_flow_is_kept_away_as_a_person(flows, employee, colleague):
    flow = flows.published(TWO_PEOPLE.format(exclude=f"&quot;{employee.id}&quot;"))
    flows.started(flow)
    finish(only_task(colleague).id, colleague)

    assert tasks(principal=second_sign_in(employee), filters=TaskFilters()) == ()


def test_checking_is_not_given_to_the_makers_own_desk(flows, employee, colleague):
    of_staff = replace(employee, id=f"employee:{employee.person_id}")
    enlist(workers=[NewWorker(of_staff.id, of_staff.roles)])
    made(flows, employee)
    task = only_task(colleague)

    assert task.assigned_to is None
    with pytest.raises(DelegationRefused, match="took part"):
        delegate(task_id=task.id, principal=colleague, to=of_staff.id, comment="Please.", at=AT)


def test_a_maker_nobody_knows_is_an_incident_and_no_task(flows, employee, colleague):
    started = made(flows, employee, exclude="maker.nobody")

    (incident,) = incidents(instance_id=started, limit=5)
    assert (incident.node, incident.code) == ("check", "assignment_invalid")
    assert [each.kind for each in tasks(principal=colleague, filters=TaskFilters())] == ["incident"]
