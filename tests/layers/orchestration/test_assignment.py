"""Work given to people: by skill and load, and elsewhere when its holder is away."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.db import connection, connections

from orchestration.durable.doorbell import database_time
from orchestration.public import (
    Absence,
    AbsenceRefused,
    AnswerRefused,
    CalendarRefused,
    DelegationRefused,
    NewWorker,
    NotYourTask,
    TaskFilters,
    absences,
    case,
    claim,
    complete,
    delegate,
    end_absence,
    enlist,
    enter_absence,
    return_task,
    set_calendar,
    task,
    tasks,
    unclaim,
)
from orchestration.worklist import assigning, watching
from sentinel.public import legal_entity
from sentinel.vocabulary import Principal
from tests.layers.orchestration.flows import AT, SCRIPTS

DAYTIME = {
    "zone": "UTC",
    "hours": {day: [["09:00", "17:00"]] for day in ("monday", "tuesday", "wednesday")},
}
DUTCH = SCRIPTS.replace('roles="operations"', 'roles="operations" skills="dutch"')


@pytest.fixture
def colleague(employee):
    return replace(employee, id=f"employee:{uuid4()}", person_id=str(uuid4()))


def enlisted(*people: Principal, skills: tuple[str, ...] = (), capacity: int = 12) -> None:
    enlist(workers=[NewWorker(each.id, each.roles, skills, capacity) for each in people])


def opened(flows, employee, body: str = SCRIPTS, at: datetime = AT):
    flows.started(flows.published(body), at=at, amount=21)
    return tasks(principal=employee, filters=TaskFilters())[0]


def away(person: Principal, at: datetime, *, deputy: str | None = None) -> Absence:
    return Absence(uuid4(), person.id, at - timedelta(hours=1), at + timedelta(days=7), deputy)


def test_work_goes_to_who_can_do_it(flows, employee, colleague):
    enlisted(employee)
    enlisted(colleague, skills=("dutch",))

    found = opened(flows, employee, DUTCH)

    assert (found.assigned_to, found.skills) == (colleague.id, ("dutch",))
    assert found.assigned_why == "0 of 12 on the desk; has dutch"
    assert tasks(principal=colleague, filters=TaskFilters(mine=True)) == (found,)
    assert tasks(principal=employee, filters=TaskFilters(mine=True)) == ()


def test_work_is_not_done_by_who_lacks_a_skill_it_asks_for(flows, employee, colleague):
    plain = replace(employee, roles=("adviser",))
    colleague = replace(colleague, roles=("adviser",))
    enlisted(plain)
    enlisted(colleague, skills=("dutch", "english"))
    found = opened(flows, plain, DUTCH.replace("operations", "adviser"))
    by = {"task_id": found.id, "principal": plain, "at": AT}

    for refused in (
        lambda: claim(**by),
        lambda: complete(answer={}, comment="", **by),
        lambda: return_task(comment="Not mine.", **by),
        lambda: delegate(to=colleague.id, comment="Yours.", **by),
    ):
        with pytest.raises(NotYourTask):
            refused()

    assert task(task_id=found.id, principal=colleague) == found
    assert claim(task_id=found.id, principal=colleague, at=AT).claimed_by == colleague.id


def test_who_lost_a_skill_can_let_go_of_the_work(flows, employee):
    enlisted(employee, skills=("dutch",))
    found = opened(flows, employee, DUTCH)
    claim(task_id=found.id, principal=employee, at=AT)
    enlisted(employee)

    with pytest.raises(NotYourTask):
        claim(task_id=found.id, principal=employee, at=AT)

    assert unclaim(task_id=found.id, principal=employee, at=AT).claimed_by is None


def test_work_goes_to_the_less_busy(flows, employee, colleague):
    enlisted(employee, colleague)

    flow = flows.published(SCRIPTS)
    for _ in range(6):
        flows.started(flow, amount=21)

    holders = [each.assigned_to for each in tasks(principal=employee, filters=TaskFilters())]
    assert sorted(map(holders.count, (employee.id, colleague.id))) == [3, 3]


def test_work_nobody_can_take_waits_until_somebody_can(flows, employee, colleague):
    enlisted(employee, capacity=0)
    found = opened(flows, employee)
    assert found.assigned_to is None
    assert found.assigned_why == "All 1 who could do this have their hands full."

    enlisted(colleague)
    watching.watch(AT, 10)

    assert task(task_id=found.id, principal=employee).assigned_to == colleague.id


def test_work_of_the_absent_goes_elsewhere(flows, employee, colleague):
    enlisted(employee)
    found = opened(flows, employee)
    claim(task_id=found.id, principal=employee, at=AT)
    enlisted(colleague)

    enter_absence(absence=away(employee, AT), principal=employee, at=AT)
    watching.watch(AT, 10)

    moved = task(task_id=found.id, principal=colleague)
    assert (moved.assigned_to, moved.claimed_by) == (colleague.id, None)
    lines = case(case_id=found.case_id, principal=colleague, at=AT).history
    assert lines[-1].words == "Check 42: given to a colleague, as its holder is away."


def test_work_of_the_absent_stays_where_nobody_else_can_do_it(flows, employee):
    enlisted(employee)
    found = opened(flows, employee)
    claim(task_id=found.id, principal=employee, at=AT)

    enter_absence(absence=away(employee, AT), principal=employee, at=AT)
    watching.watch(AT, 10)

    assert task(task_id=found.id, principal=employee).claimed_by == employee.id


def test_a_deputy_gets_the_work_before_others(flows, employee, colleague):
    third = replace(employee, id=f"employee:{uuid4()}")
    enlisted(employee)
    found = opened(flows, employee)
    enlisted(colleague, third)
    flow = flows.published(SCRIPTS)

    enter_absence(absence=away(employee, AT, deputy=third.id), principal=employee, at=AT)
    for _ in range(3):
        flows.started(flow, amount=21)
    watching.watch(AT, 10)

    assert task(task_id=found.id, principal=third).assigned_to == third.id


def test_nothing_is_given_to_the_absent_until_they_are_back(flows, employee):
    enlisted(employee)
    absence = away(employee, AT)
    enter_absence(absence=absence, principal=employee, at=AT)
    found = opened(flows, employee)
    assert found.assigned_why == "All 1 who could do this are away."

    end_absence(absence_id=absence.id, principal=employee, at=AT)
    watching.watch(AT, 10)

    assert task(task_id=found.id, principal=employee).assigned_to == employee.id
    assert absences(at=AT) == ()


def test_absences_are_ones_own_or_a_supervisors_to_enter(employee):
    adviser = replace(employee, id="employee:adviser", roles=("adviser",))
    customer = replace(employee, id="customer:x", kind="customer")
    absence = away(employee, AT)

    for stranger in (adviser, customer):
        with pytest.raises(AbsenceRefused):
            enter_absence(absence=absence, principal=stranger, at=AT)
    with pytest.raises(AbsenceRefused):
        enter_absence(
            absence=replace(absence, ends_at=absence.begins_at), principal=employee, at=AT
        )
    with pytest.raises(AbsenceRefused):
        end_absence(absence_id=absence.id, principal=employee, at=AT)
    assert absences(at=AT) == ()

    enter_absence(absence=absence, principal=employee, at=AT)
    enter_absence(absence=absence, principal=employee, at=AT)
    assert absences(principal_id=employee.id, at=AT) == (absence,)


def test_work_is_handed_on_with_words(flows, employee, colleague):
    enlisted(employee)
    found = opened(flows, employee)
    enlisted(colleague)
    claim(task_id=found.id, principal=employee, at=AT)

    handed = delegate(
        task_id=found.id, principal=employee, to=colleague.id, comment="You know them.", at=AT
    )

    assert (handed.assigned_to, handed.claimed_by) == (colleague.id, None)
    assert handed.assigned_why == "handed on: You know them."
    assert (
        case(case_id=found.case_id, principal=employee, at=AT)
        .history[-1]
        .words.endswith("You know them.")
    )


def test_who_may_not_do_it_chooses_nobody_for_it(flows, employee, colleague):
    found = opened(flows, employee)
    enlisted(colleague)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_task SET excluded = %s WHERE id = %s", [[employee.id], found.id]
        )

    with pytest.raises(NotYourTask):
        delegate(task_id=found.id, principal=employee, to=colleague.id, comment="You.", at=AT)

    assert task(task_id=found.id, principal=colleague).assigned_to != colleague.id


def test_work_is_not_handed_to_who_may_not_do_it(flows, employee, colleague):
    found = opened(flows, employee)
    absent = replace(employee, id="employee:absent")
    enlisted(colleague, absent)
    enter_absence(absence=away(absent, AT), principal=absent, at=AT)
    adviser = replace(employee, id="employee:adviser", roles=("adviser",))
    enlisted(adviser)

    for nobody in ("employee:unknown", absent.id, adviser.id):
        with pytest.raises(DelegationRefused):
            delegate(task_id=found.id, principal=employee, to=nobody, comment="Please.", at=AT)
    with pytest.raises(AnswerRefused):
        delegate(task_id=found.id, principal=employee, to=colleague.id, comment=" ", at=AT)
    with pytest.raises(NotYourTask):
        delegate(task_id=found.id, principal=adviser, to=colleague.id, comment="Please.", at=AT)

    assert task(task_id=found.id, principal=employee) == found


def test_deadlines_count_on_the_calendar_of_the_desk(flows, employee):
    set_calendar(content=DAYTIME, principal=employee, at=AT)
    saturday = datetime(2026, 11, 21, 10, tzinfo=UTC)

    found = opened(flows, employee, at=saturday)

    assert found.warn_at == datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert found.due_at == datetime(2026, 11, 23, 13, tzinfo=UTC)


def test_a_desk_may_have_a_calendar_of_its_own(flows, employee):
    set_calendar(content=DAYTIME, principal=employee, at=AT)
    own = {"zone": "UTC", "hours": {"saturday": [["08:00", "20:00"]]}}
    assert set_calendar(desk="operations", content=own, principal=employee, at=AT) == 1
    assert set_calendar(desk="operations", content=own, principal=employee, at=AT) == 1

    found = opened(flows, employee, at=datetime(2026, 11, 21, 10, tzinfo=UTC))

    assert found.due_at == datetime(2026, 11, 21, 14, tzinfo=UTC)


def test_a_calendar_that_is_none_changes_nothing(flows, employee):
    with pytest.raises(CalendarRefused):
        set_calendar(content={"zone": "UTC", "hours": {}}, principal=employee, at=AT)

    assert opened(flows, employee).due_at == AT + timedelta(hours=4)


def test_a_deadline_that_is_no_time_is_said_in_the_case(flows, employee):
    found = opened(flows, employee, SCRIPTS.replace('due="PT4H"', "due='= \"soon\"'"))

    assert (found.warn_at, found.due_at) == (AT + timedelta(hours=6), AT + timedelta(hours=8))
    words = [line.words for line in case(case_id=found.case_id, principal=employee, at=AT).history]
    assert "This work has the usual deadline: 'soon' is no duration of working time." in words


def done_before(flows, employee, *, minutes: int, times: int) -> None:
    """Let work of this kind be done several times, each taking so long."""
    for _ in range(times):
        found = opened(flows, employee)
        claim(task_id=found.id, principal=employee, at=AT)
        ended = AT + timedelta(minutes=minutes)
        complete(task_id=found.id, principal=employee, answer={}, comment="", at=ended)


def test_a_breach_is_foreseen_before_the_warning_time(flows, employee):
    done_before(flows, employee, minutes=90, times=5)
    flow = flows.published(SCRIPTS)
    for _ in range(4):
        flows.started(flow, at=AT, amount=21)

    assert watching.watch(AT, 10) == 2

    found = tasks(principal=employee, filters=TaskFilters())
    escalated = sorted(
        (each for each in found if each.is_escalated), key=lambda each: each.predicted_at
    )
    assert [each.predicted_at - AT for each in escalated] == [
        timedelta(minutes=270),
        timedelta(minutes=360),
    ]
    assert escalated[0].escalated_why == (
        "It would be late: 2 before it, 1 at work, about 270 min of work to its end."
    )
    assert all(each.warn_at > AT for each in escalated)


def test_quick_work_is_not_foreseen_late(flows, employee):
    done_before(flows, employee, minutes=5, times=5)
    opened(flows, employee)

    assert watching.watch(AT, 10) == 0


def test_too_few_examples_foresee_nothing(flows, employee):
    done_before(flows, employee, minutes=600, times=4)
    opened(flows, employee)

    assert watching.watch(AT, 10) == 0


def test_claimed_work_that_takes_too_long_is_foreseen(flows, employee):
    done_before(flows, employee, minutes=90, times=5)
    found = opened(flows, employee)
    claim(task_id=found.id, principal=employee, at=AT + timedelta(hours=2, minutes=45))

    assert watching.watch(AT + timedelta(hours=2, minutes=50), 10) == 1

    late = task(task_id=found.id, principal=employee)
    assert late.escalated_why == "It would be late: about 90 min of work to its end."
    assert late.predicted_at == AT + timedelta(hours=4, minutes=15)


@pytest.mark.django_db(transaction=True)
def test_the_last_free_place_is_given_once(flows, employee, entity):
    enlisted(employee, capacity=0)
    flow = flows.published(SCRIPTS)
    for _ in range(8):
        flows.started(flow, at=database_time(), amount=21)
    waiting = tasks(principal=employee, filters=TaskFilters())
    enlisted(employee, capacity=3)
    start = Barrier(len(waiting))

    def take(task_id):
        start.wait()
        try:
            with legal_entity(entity=entity):
                assigning.assign(task_id, AT)
        finally:
            connections.close_all()

    threads = [Thread(target=take, args=(each.id,)) for each in waiting]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orch_task WHERE assigned_to IS NOT NULL")
        assert cursor.fetchone() == (3,)
