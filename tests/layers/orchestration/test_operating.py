"""Running work as operations sees it, and what they may do to it."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection

from orchestration.durable import store
from orchestration.durable.store import InstanceUnknown
from orchestration.public import (
    MoveRefused,
    OperationsOnly,
    ReasonRefused,
    RunFilters,
    TaskFilters,
    run_page,
    running_counts,
    running_work,
    runs_of_case,
    steer,
    tasks,
)
from tests.layers.orchestration.flows import AT, CALLS, SCRIPTS, TIMER

BROKEN = CALLS.format(call="read:balance", attempts=1)
WHY = "The customer called and asked us to wait."


def listed(employee, **asked):
    return {
        row.id: row for row in running_work(principal=employee, filters=RunFilters(**asked), at=AT)
    }


@pytest.fixture
def adviser(employee):
    return replace(employee, roles=("adviser",))


@pytest.fixture
def waiting(flows) -> UUID:
    return flows.started(flows.published(SCRIPTS), amount=21)


@pytest.fixture
def stopped(flows) -> UUID:
    return flows.started(flows.published(BROKEN, process="broken"), name="A", iban="B")


def do(move, instance_id, employee, *, reason=WHY, **more):
    steer(instance_id=instance_id, move=move, principal=employee, reason=reason, at=AT, **more)


def test_running_work_says_where_it_stands(waiting, stopped, employee):
    rows = listed(employee)

    assert (rows[waiting].standing, rows[waiting].stands_at) == ("running", ("Check 42",))
    assert (rows[stopped].standing, rows[stopped].incidents) == ("incident", 1)


def test_running_work_is_found_by_standing_flow_age_and_words(flows, stopped, employee):
    old = flows.started(flows.published(SCRIPTS), at=AT - timedelta(days=2), amount=1)
    number = listed(employee)[old].case_number

    assert set(listed(employee, standing="incident")) == {stopped}
    assert set(listed(employee, process="broken")) == {stopped}
    assert set(listed(employee, older_than=timedelta(days=1))) == {old}
    assert set(listed(employee, search=number)) == {old}
    assert set(listed(employee, search=str(stopped)[:13])) == {stopped}
    assert listed(employee, search="%") == listed(employee, search="no such thing") == {}
    assert listed(employee, standing="' OR true --") == {}


def test_the_counts_are_those_of_the_lists(waiting, stopped, employee):
    counts = running_counts(principal=employee)

    assert (counts.running, counts.incident, counts.held, counts.ended) == (2, 1, 0, 0)
    assert {process for process, _name in counts.flows} == {"p", "broken"}


def test_a_run_is_told_in_words(stopped, employee):
    page = run_page(instance_id=stopped, principal=employee, at=AT)

    assert page.active_nodes == ("ask",)
    assert page.done_nodes == ("s",)
    assert [wait.is_stopped for wait in page.waits] == [True]
    assert [(each.node, each.owner_role) for each in page.incidents] == [("ask", "operations")]
    assert [line.tone for line in page.lines if "stopped" in line.words] == ["danger"]
    assert runs_of_case(case_id=page.case_id, principal=employee) == (stopped,)


def test_looking_at_a_run_is_on_record_once_a_day(waiting, employee):
    for _time in range(2):
        run_page(instance_id=waiting, principal=employee, at=AT)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT principal_id, is_granted FROM orch_access WHERE resource = %s",
            [f"run:{waiting}"],
        )
        assert cursor.fetchall() == [(employee.id, True)]


def test_a_case_opens_from_its_run_only_to_whom_it_concerns(flows, waiting, employee):
    timed = flows.started(flows.published(TIMER, process="timed"))

    assert run_page(instance_id=waiting, principal=employee, at=AT).may_open_case
    assert not run_page(instance_id=timed, principal=employee, at=AT).may_open_case


def test_a_timer_says_until_when_it_waits(flows, employee):
    timed = flows.started(flows.published(TIMER))

    (wait,) = run_page(instance_id=timed, principal=employee, at=AT).waits

    assert wait.until == AT + timedelta(hours=1)


def test_running_work_is_for_operations_only(waiting, adviser, employee):
    before = run_page(instance_id=waiting, principal=employee, at=AT)

    for refused in (
        lambda: running_work(principal=adviser, filters=RunFilters(), at=AT),
        lambda: running_counts(principal=adviser),
        lambda: run_page(instance_id=waiting, principal=adviser, at=AT),
        lambda: do("hold", waiting, adviser),
    ):
        with pytest.raises(OperationsOnly):
            refused()

    assert runs_of_case(case_id=before.case_id, principal=adviser) == ()
    assert run_page(instance_id=waiting, principal=employee, at=AT) == before


def test_a_run_is_held_and_let_go_with_a_reason_in_its_case(waiting, employee):
    do("hold", waiting, employee)
    held = run_page(instance_id=waiting, principal=employee, at=AT)
    do("release", waiting, employee)

    told = run_page(instance_id=waiting, principal=employee, at=AT).lines
    assert (held.standing, held.is_held) == ("held", True)
    assert run_page(instance_id=waiting, principal=employee, at=AT).standing == "running"
    assert [line.words for line in told if WHY in line.words] == [
        f"Reason given: {WHY}",
        f"Reason given: {WHY}",
    ]


@pytest.mark.parametrize("reason", ["", "    ", "why", "x" * 501])
def test_without_a_reason_nothing_is_done(waiting, employee, reason):
    with pytest.raises(ReasonRefused):
        do("hold", waiting, employee, reason=reason)

    assert run_page(instance_id=waiting, principal=employee, at=AT).standing == "running"


def test_a_run_is_ended_with_a_reason(waiting, employee):
    do("cancel", waiting, employee)

    page = run_page(instance_id=waiting, principal=employee, at=AT)
    assert (page.standing, page.is_ended, page.waits) == ("cancelled", True, ())
    assert tasks(principal=employee, filters=TaskFilters()) == ()
    assert any(WHY in line.words for line in page.lines)


def test_a_stopped_step_is_tried_again_and_its_work_is_off_the_list(stopped, employee):
    (incident,) = run_page(instance_id=stopped, principal=employee, at=AT).incidents

    do("retry", stopped, employee, incident_id=incident.id)

    again = run_page(instance_id=stopped, principal=employee, at=AT)
    assert incident.id not in {each.id for each in again.incidents}
    assert incident.id not in {task.id for task in tasks(principal=employee, filters=TaskFilters())}
    with pytest.raises(MoveRefused):
        do("retry", stopped, employee, incident_id=incident.id)


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("hold", "hold"),
        ("hold", "cancel"),
        ("hold", "retry"),
        ("hold", "undo"),
        ("cancel", "undo"),
        (None, "release"),
        ("cancel", "hold"),
    ],
)
def test_what_cannot_be_done_now_is_refused_and_moves_nothing(stopped, employee, first, then):
    if first:
        do(first, stopped, employee)
    before = store.read_instance(stopped)

    with pytest.raises(MoveRefused):
        do(then, stopped, employee)

    assert store.read_instance(stopped) == before


def test_an_incident_of_another_run_is_not_tried_again(waiting, stopped, employee):
    (incident,) = run_page(instance_id=stopped, principal=employee, at=AT).incidents

    with pytest.raises(MoveRefused):
        do("retry", waiting, employee, incident_id=incident.id)

    assert run_page(instance_id=stopped, principal=employee, at=AT).incidents == (incident,)


def test_a_run_nobody_knows_is_said_so(employee):
    for refused in (
        lambda: run_page(instance_id=uuid4(), principal=employee, at=AT),
        lambda: do("hold", uuid4(), employee),
    ):
        with pytest.raises(InstanceUnknown):
            refused()
