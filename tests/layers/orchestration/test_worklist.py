"""Work for people: claimed by one, answered in form, brought forward before it is late."""

from datetime import timedelta
from uuid import uuid4

import pytest

from orchestration.durable import store, sweeping
from orchestration.durable.doorbell import database_time
from orchestration.public import (
    AnswerRefused,
    NotYourTask,
    TaskFilters,
    TaskGone,
    TaskTaken,
    claim,
    complete,
    events_after,
    return_task,
    task,
    tasks,
    unclaim,
)
from sentinel.vocabulary import Principal
from tests.layers.orchestration.flows import AT, SCRIPTS


@pytest.fixture
def colleague(employee):
    return Principal(
        id=f"employee:{uuid4()}",
        kind="employee",
        person_id=str(uuid4()),
        entity=employee.entity,
        roles=("operations",),
    )


@pytest.fixture
def opened(flows, employee):
    flows.started(flows.published(SCRIPTS), amount=21)
    (found,) = tasks(principal=employee, filters=TaskFilters())
    return found


def test_a_task_carries_its_title_role_and_clocks(opened):
    assert opened.title == "Check 42"
    assert opened.role == "operations"
    assert opened.due_at == AT + timedelta(hours=4)
    assert opened.warn_at == AT + timedelta(hours=3)
    assert (opened.state, opened.priority, opened.is_escalated) == ("open", 0, False)


def test_a_claimed_task_is_not_anybody_elses(opened, employee, colleague):
    assert claim(task_id=opened.id, principal=employee, at=AT).claimed_by == employee.id

    with pytest.raises(TaskTaken):
        claim(task_id=opened.id, principal=colleague, at=AT)
    with pytest.raises(TaskTaken):
        complete(task_id=opened.id, principal=colleague, answer={}, comment="", at=AT)

    assert task(task_id=opened.id, principal=employee).state == "claimed"
    assert tasks(principal=colleague, filters=TaskFilters(mine=True)) == ()


def test_a_task_given_back_is_free_again(opened, employee, colleague):
    claim(task_id=opened.id, principal=employee, at=AT)

    unclaim(task_id=opened.id, principal=employee, at=AT)

    assert claim(task_id=opened.id, principal=colleague, at=AT).claimed_by == colleague.id


def test_returning_needs_words(opened, employee):
    claim(task_id=opened.id, principal=employee, at=AT)

    with pytest.raises(AnswerRefused) as error:
        return_task(task_id=opened.id, principal=employee, comment=" ", at=AT)

    assert set(error.value.errors) == {"comment"}
    assert task(task_id=opened.id, principal=employee).claimed_by == employee.id
    returned = return_task(task_id=opened.id, principal=employee, comment="No number.", at=AT)
    assert returned.claimed_by is None


def test_another_role_and_a_customer_may_not_touch_it(opened, employee):
    adviser = Principal("employee:x", "employee", "x", employee.entity, roles=("adviser",))
    customer = Principal("customer:x", "customer", "x", employee.entity, roles=("operations",))

    for stranger in (adviser, customer):
        with pytest.raises(NotYourTask):
            complete(task_id=opened.id, principal=stranger, answer={}, comment="", at=AT)

    assert task(task_id=opened.id, principal=employee).state == "open"


def test_a_task_is_done_once(opened, employee):
    complete(task_id=opened.id, principal=employee, answer={}, comment="", at=AT)

    with pytest.raises(TaskGone):
        complete(task_id=opened.id, principal=employee, answer={}, comment="", at=AT)


def test_a_field_the_form_has_not_is_refused(opened, employee):
    with pytest.raises(AnswerRefused) as error:
        complete(task_id=opened.id, principal=employee, answer={"x": 1}, comment="", at=AT)

    assert set(error.value.errors) == {"x"}
    assert task(task_id=opened.id, principal=employee).state == "open"


def test_a_task_is_brought_forward_before_it_is_late(flows, employee):
    begun = database_time() - timedelta(hours=3, minutes=30)
    instance_id = flows.started(flows.published(SCRIPTS), at=begun, amount=21)

    assert sweeping.sweep(limit=10).escalated == 1

    (found,) = tasks(principal=employee, filters=TaskFilters())
    assert (found.is_escalated, found.priority) == (True, 1)
    assert found.due_at > database_time()
    kinds = [event.type for event in events_after(cursor="", limit=100)]
    assert "task.overdue" not in kinds
    assert store.read_instance(instance_id).status == "running"
    assert sweeping.sweep(limit=10).escalated == 0


def test_a_late_task_is_said_to_be_late_after_it_was_brought_forward(flows, employee):
    begun = database_time() - timedelta(hours=5)
    flows.started(flows.published(SCRIPTS), at=begun, amount=21)

    sweeping.sweep(limit=10)

    (found,) = tasks(principal=employee, filters=TaskFilters())
    assert found.priority == 2
