"""Ad-hoc sub-processes on the work list: chosen activity by activity, until it is enough."""

import pytest

from orchestration.durable import engine, store
from orchestration.public import AnswerRefused, TaskFilters, TaskGone, complete, tasks
from tests.layers.orchestration.flows import AT, nodes_of

AD_HOC = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<adHocSubProcess id="look" name="Look into it" ordering="{ordering}"
 cancelRemainingInstances="true">
<incoming>a</incoming><outgoing>b</outgoing>
<scriptTask id="count" name="Count it" scriptFormat="feel"><extensionElements>
<frontline:script result="counted"/></extensionElements><script>counted + 1</script></scriptTask>
<userTask id="call" name="Call them"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements></userTask>
<completionCondition>{condition}</completionCondition>
</adHocSubProcess>
<endEvent id="e"><incoming>b</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="look"/>
<sequenceFlow id="b" sourceRef="look" targetRef="e"/>
"""


def started(flows, *, ordering="Parallel", condition="false"):
    body = AD_HOC.format(ordering=ordering, condition=condition)
    return flows.started(flows.published(body), counted=0)


def question(employee):
    (found,) = tasks(principal=employee, filters=TaskFilters(kind="choice"))
    return found


def chosen(employee, activity):
    task = question(employee)
    complete(task_id=task.id, principal=employee, answer={"activity": activity}, comment="", at=AT)
    return task


def test_activities_are_offered_by_their_names(flows, employee):
    started(flows)

    task = question(employee)

    assert task.title == "Look into it"
    assert task.form["properties"]["activity"]["x-labels"] == {
        "count": "Count it",
        "call": "Call them",
        "enough": "Nothing more: this is enough",
    }


def test_activities_are_chosen_any_number_of_times_until_it_is_enough(flows, employee):
    instance_id = started(flows)

    for _ in range(3):
        chosen(employee, "count")
    assert store.read_instance(instance_id).state.variables["counted"] == 3
    chosen(employee, "enough")

    row = store.read_instance(instance_id)
    assert row.status == "completed"
    assert engine.rebuilt_state(instance_id) == row.state
    assert tasks(principal=employee, filters=TaskFilters()) == ()


def test_a_condition_ends_the_choosing(flows, employee):
    instance_id = started(flows, condition="counted = 2")

    chosen(employee, "count")
    chosen(employee, "count")

    assert store.read_instance(instance_id).status == "completed"
    assert tasks(principal=employee, filters=TaskFilters()) == ()


def test_a_choice_is_made_once(flows, employee):
    instance_id = started(flows)
    task = chosen(employee, "count")

    with pytest.raises(TaskGone):
        complete(
            task_id=task.id, principal=employee, answer={"activity": "count"}, comment="", at=AT
        )

    assert store.read_instance(instance_id).state.variables["counted"] == 1


def test_one_at_a_time_where_the_drawing_says_so(flows, employee):
    instance_id = started(flows, ordering="Sequential")
    chosen(employee, "call")

    with pytest.raises(AnswerRefused):
        chosen(employee, "count")

    assert "call" in nodes_of(instance_id)
    assert store.read_instance(instance_id).state.variables["counted"] == 0


def test_what_is_not_offered_cannot_be_chosen(flows, employee):
    instance_id = started(flows)

    with pytest.raises(AnswerRefused):
        chosen(employee, "look")

    assert nodes_of(instance_id) == {"look"}
