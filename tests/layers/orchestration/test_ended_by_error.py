"""A flow that ends by an error nothing catches leaves its case with a person, not closed."""

from orchestration import cases
from orchestration.durable import store
from orchestration.public import TaskFilters, complete, tasks
from tests.layers.orchestration.flows import AT

UNCAUGHT = """
<startEvent id="s"/>
<userTask id="make" name="Make"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements></userTask>
<endEvent id="e"><errorEventDefinition errorRef="no"/></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="make"/>
<sequenceFlow id="b" sourceRef="make" targetRef="e"/>
"""
ERRORS = '<error id="no" errorCode="bank_says_no"/>'


def test_the_case_waits_for_somebody_and_closes_when_they_have_looked(flows, employee):
    instance_id = flows.started(flows.published(UNCAUGHT, declared=ERRORS))
    (made,) = tasks(principal=employee, filters=TaskFilters())
    complete(task_id=made.id, principal=employee, answer={}, comment="", at=AT)
    row = store.read_instance(instance_id)

    (left,) = tasks(principal=employee, filters=TaskFilters())

    assert row.status == "failed"
    assert (left.title, left.case_id) == ("Ended by an error: bank says no", row.case_id)
    assert cases.read_case(row.case_id).state == "open"
    assert left.due_at is not None
    answer = {"result": "The customer was called"}
    complete(task_id=left.id, principal=employee, answer=answer, comment="", at=AT)
    assert cases.read_case(row.case_id).state == "closed"
    assert tasks(principal=employee, filters=TaskFilters()) == ()
