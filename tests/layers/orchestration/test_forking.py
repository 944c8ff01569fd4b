"""Who may fork a run into the sandbox, and that what it is rebuilt from is its own history."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import connection

from orchestration.durable.large_values import LARGE_CHARACTERS
from orchestration.durable.starting import NewInstance, begin
from orchestration.durable.store import read_instance
from orchestration.public import (
    FlowReadersOnly,
    InstanceUnknown,
    Move,
    NotForYourRole,
    OperationsOnly,
    TaskFilters,
    TryRefused,
    TryScript,
    complete,
    fork_run,
    tasks,
)
from tests.authority import found_bank
from tests.layers.orchestration.flows import AT, CALLS, SCRIPTS, TIMER

BROKEN = CALLS.format(call="read:balance", attempts=1)
OWNER_ONLY = ("process_owner",)


@pytest.fixture(autouse=True)
def rules(db):
    found_bank()


@pytest.fixture
def run(flows):
    return flows.started(flows.published(SCRIPTS, opens_case="at_start"), amount=21)


def forked(run, who, *moves, seq=None, **script):
    return fork_run(
        instance_id=run, seq=seq, script=TryScript(moves=moves, **script), principal=who, at=AT
    )


def accesses():
    with connection.cursor() as cursor:
        cursor.execute("SELECT principal_id, resource, is_granted FROM orch_access ORDER BY at")
        return cursor.fetchall()


def test_a_fork_stands_where_the_run_stood_and_says_so(run, employee):
    fork = forked(run, employee)

    assert (fork.origin.run_id, fork.origin.seq, fork.origin.last_seq) == (run, 0, 0)
    assert (fork.origin.process, fork.origin.version) == ("p", 1)
    assert fork.origin.case_number
    assert [each.node for each in fork.view.questions] == ["check"]
    assert {each.name: each.value for each in fork.view.variables}["total"] == "42"
    assert accesses() == [(employee.id, f"run:{run}", True)]


def test_an_answer_in_the_fork_leaves_the_task_of_the_run_open(run, employee):
    (question,) = forked(run, employee).view.questions
    row = read_instance(run)

    done = forked(run, employee, Move("answer", "check", question.visit, '{"done": {}}'))

    assert done.view.is_ended
    assert read_instance(run) == row
    (task,) = tasks(principal=employee, filters=TaskFilters())
    complete(task_id=task.id, principal=employee, answer={}, comment="", at=AT)
    # The run has gone on; its fork at the event before is where it was.
    assert forked(run, employee, seq=0).view.questions == (question,)
    assert forked(run, employee).view.is_ended


def test_a_fork_of_a_stopped_run_is_mended_there_only(flows, employee):
    run = flows.started(flows.published(BROKEN), name="A", iban="B")
    row = read_instance(run)
    stopped = forked(run, employee)
    (incident,) = stopped.view.questions
    assert (incident.kind, stopped.view.stopped) == ("incident", ("ask",))

    asked = forked(run, employee, Move("again", "ask", incident.visit))
    (question,) = asked.view.questions
    mended = forked(
        run,
        employee,
        Move("again", "ask", incident.visit),
        Move("answer", "ask", question.visit, '{"done": {"total": 5}}'),
    )

    assert mended.view.is_ended
    assert read_instance(run) == row


def test_large_values_are_in_a_fork_as_they_were(flows, employee):
    note = "n" * (LARGE_CHARACTERS + 1)
    run = flows.started(flows.published(SCRIPTS), amount=21, note=note)

    fork = forked(run, employee)

    assert {each.name: each.value for each in fork.view.variables}["note"] == f'"{note}"'


def test_a_fork_takes_no_data_but_that_of_its_run(run, employee):
    with pytest.raises(TryRefused) as refused:
        forked(run, employee, given='{"amount": 1}')
    assert refused.value.reason == "data_of_its_own"


def test_a_run_in_which_nothing_has_happened_has_nothing_to_fork(flows, employee):
    run = uuid4()
    begin(
        NewInstance(
            run, flows.published(SCRIPTS, opens_case="when_needed"), employee, {"amount": 21}, AT
        )
    )

    with pytest.raises(TryRefused) as refused:
        forked(run, employee)
    assert refused.value.reason == "nothing_happened"


def test_who_may_not_try_flows_out_or_see_the_case_is_refused(run, flows, employee):
    adviser = replace(employee, roles=("adviser",))
    owner = replace(employee, id="employee:owner", roles=OWNER_ONLY)

    with pytest.raises(FlowReadersOnly):
        forked(run, adviser)
    with pytest.raises(NotForYourRole):
        forked(run, owner)

    assert accesses() == [("employee:owner", f"run:{run}", False)]


def test_a_run_without_a_case_is_for_operations_alone(flows, employee):
    run = flows.started(flows.published(TIMER, opens_case="when_needed"))
    owner = replace(employee, roles=OWNER_ONLY)

    with pytest.raises(OperationsOnly):
        forked(run, owner)
    assert accesses() == []
    assert forked(run, employee).view.clock is not None
    assert accesses() == [(employee.id, f"run:{run}", True)]


def test_a_run_that_is_not_there_is_refused(employee):
    with pytest.raises(InstanceUnknown):
        forked(uuid4(), employee)
