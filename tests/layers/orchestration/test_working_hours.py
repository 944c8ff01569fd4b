"""When people work: work is given in their hours, and moves on when they are off."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from orchestration.public import (
    AbsenceRefused,
    DelegationRefused,
    TaskFilters,
    WorkingHoursRefused,
    absences,
    case,
    claim,
    colleagues,
    delegate,
    end_absence,
    enter_absence,
    set_calendar,
    set_working_hours,
    sign_off,
    task,
    tasks,
)
from orchestration.worklist import watching
from tests.layers.orchestration.flows import SCRIPTS
from tests.layers.orchestration.test_assignment import away, enlisted

DESK = {
    "zone": "Europe/Amsterdam",
    "hours": {
        day: [["08:00", "18:00"]]
        for day in ("monday", "tuesday", "wednesday", "thursday", "friday")
    },
    "closed": ["2026-11-25"],
}
# Monday to Friday of the last week of November, in Amsterdam: an hour ahead of UTC.
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
MORNINGS = {day: [["08:00", "12:00"]] for day in ("monday", "tuesday", "wednesday", "thursday")}
AFTERNOONS = {day: [["13:00", "18:00"]] for day in ("monday", "tuesday", "wednesday")}


def on(days: int, hour: int, minute: int = 0) -> datetime:
    """Return a time of that week, in Amsterdam, counted from Monday."""
    return MONDAY + timedelta(days=days, hours=hour - 1, minutes=minute)


@pytest.fixture
def desk(employee):
    set_calendar(content=DESK, principal=employee, at=MONDAY - timedelta(days=30))


@pytest.fixture
def colleague(employee):
    return replace(employee, id=f"employee:{uuid4()}", person_id=str(uuid4()))


@pytest.fixture
def adviser(employee):
    return replace(employee, id="employee:adviser", roles=("adviser",))


def works(person, hours, by=None):
    at = MONDAY - timedelta(days=7)
    return set_working_hours(principal_id=person.id, hours=hours, principal=by or person, at=at)


def opened(flows, employee, at, body=SCRIPTS):
    flows.started(flows.published(body), at=at, amount=21)
    return tasks(principal=employee, filters=TaskFilters())[0]


def shown(person, at):
    (found,) = [
        each for each in colleagues(principal=person, at=at) if each.principal_id == person.id
    ]
    return found


def test_work_goes_to_whoever_is_on_shift(flows, employee, colleague, desk):
    enlisted(employee, colleague)
    works(employee, MORNINGS)
    works(colleague, AFTERNOONS)

    morning = opened(flows, employee, on(0, 9))
    flows.started(flows.published(SCRIPTS), at=on(0, 14), amount=22)
    held = {each.assigned_to for each in tasks(principal=employee, filters=TaskFilters())}

    assert morning.assigned_to == employee.id
    assert held == {employee.id, colleague.id}


def test_work_outside_everybodys_hours_waits_for_all_until_somebody_comes(
    flows, employee, colleague, desk
):
    enlisted(employee, colleague)
    works(employee, MORNINGS)
    works(colleague, MORNINGS)

    found = opened(flows, employee, on(0, 15))
    watching.watch(on(0, 16), 10)

    waiting = task(task_id=found.id, principal=colleague)
    assert (waiting.assigned_to, waiting.claimed_by) == (None, None)
    assert found.assigned_why == "All 2 who could do this are away or off."

    watching.watch(on(1, 8), 10)

    assert task(task_id=found.id, principal=employee).assigned_to in {employee.id, colleague.id}


def test_anybody_may_take_what_waits_even_outside_their_hours(flows, employee, desk):
    enlisted(employee)
    works(employee, MORNINGS)
    found = opened(flows, employee, on(0, 15))

    assert claim(task_id=found.id, principal=employee, at=on(0, 15)).claimed_by == employee.id


def test_who_declared_nothing_is_given_work_at_all_hours(flows, employee, desk):
    enlisted(employee)

    assert opened(flows, employee, on(0, 23)).assigned_to == employee.id


def test_hours_count_in_the_zone_and_on_the_holidays_of_the_desk(flows, employee, desk):
    enlisted(employee)
    works(employee, MORNINGS)

    assert shown(employee, on(0, 8)).is_working
    assert not shown(employee, on(0, 7, 59)).is_working
    assert not shown(employee, on(0, 12)).is_working
    closed = shown(employee, on(2, 9))
    assert (closed.is_working, closed.back_at) == (False, on(3, 8))


def test_the_team_page_is_told_until_when_and_from_when(employee, desk):
    enlisted(employee)
    works(employee, MORNINGS)

    working, off = shown(employee, on(0, 9)), shown(employee, on(3, 13))

    assert (working.is_working, working.works_until) == (True, on(0, 12))
    assert (off.is_working, off.back_at) == (False, on(7, 8))
    absence = away(employee, on(0, 11))
    enter_absence(absence=absence, principal=employee, at=on(0, 9))
    assert shown(employee, on(0, 9)).works_until == absence.begins_at
    gone = shown(employee, on(0, 11))
    assert (gone.is_working, gone.is_absent, gone.away_until) == (False, True, absence.ends_at)


def test_what_is_due_while_its_holder_is_off_moves_to_who_is_on_shift(
    flows, employee, colleague, desk
):
    enlisted(employee)
    works(employee, MORNINGS)
    found = opened(flows, employee, on(0, 11))
    assert (found.assigned_to, found.due_at) == (employee.id, on(0, 15))
    enlisted(colleague)
    works(colleague, AFTERNOONS)
    watching.watch(on(0, 11, 59), 10)
    assert task(task_id=found.id, principal=employee).assigned_to == employee.id

    watching.watch(on(0, 13), 10)

    assert task(task_id=found.id, principal=employee).assigned_to == colleague.id
    words = [
        line.words for line in case(case_id=found.case_id, principal=employee, at=MONDAY).history
    ]
    assert words[-1] == (
        "Check 42: given to a colleague, as it is due before its holder works again."
    )


def test_what_is_due_while_its_holder_is_off_and_nobody_works_is_left_to_all(flows, employee, desk):
    enlisted(employee)
    works(employee, MORNINGS)
    found = opened(flows, employee, on(0, 11))

    watching.watch(on(0, 13), 10)
    watching.watch(on(0, 13), 10)

    left = task(task_id=found.id, principal=employee)
    assert (left.assigned_to, left.assigned_why) == (
        None,
        "All 1 who could do this are away or off.",
    )
    words = [
        line.words for line in case(case_id=found.case_id, principal=employee, at=MONDAY).history
    ]
    assert (
        words.count(
            "Check 42: left to everybody who may do it, as it is due before its holder works again."
        )
        == 1
    )


def test_what_is_due_after_they_are_back_stays_with_them(flows, employee, colleague, desk):
    enlisted(employee)
    works(employee, MORNINGS)
    found = opened(flows, employee, on(0, 11), SCRIPTS.replace('due="PT4H"', 'due="P2D"'))
    enlisted(colleague)

    watching.watch(on(0, 13), 10)

    assert task(task_id=found.id, principal=employee).assigned_to == employee.id


def test_what_was_begun_stays_with_who_began_it(flows, employee, colleague, desk):
    enlisted(employee)
    works(employee, MORNINGS)
    found = opened(flows, employee, on(0, 11))
    claim(task_id=found.id, principal=employee, at=on(0, 11))
    enlisted(colleague)

    watching.watch(on(0, 13), 10)

    assert task(task_id=found.id, principal=employee).claimed_by == employee.id


def test_signing_off_moves_what_was_not_begun_until_the_next_working_day(
    flows, employee, colleague, desk
):
    enlisted(employee)
    works(employee, MORNINGS)
    found = opened(flows, employee, on(0, 9))
    enlisted(colleague)

    absence = sign_off(absence_id=uuid4(), principal=employee, at=on(0, 10))
    watching.watch(on(0, 10), 10)

    assert (absence.begins_at, absence.ends_at) == (on(0, 10), on(1, 8))
    assert task(task_id=found.id, principal=employee).assigned_to == colleague.id
    with pytest.raises(AbsenceRefused) as refused:
        sign_off(absence_id=uuid4(), principal=employee, at=on(0, 11))
    assert refused.value.reason == "away_already"
    end_absence(absence_id=absence.id, principal=employee, at=on(0, 11))
    assert shown(employee, on(0, 11)).is_working


def test_signing_off_where_nobody_else_is_leaves_what_was_not_begun_to_all(flows, employee, desk):
    enlisted(employee)
    found = opened(flows, employee, on(4, 9))

    absence = sign_off(absence_id=uuid4(), principal=employee, at=on(4, 10))
    watching.watch(on(4, 10), 10)

    # They declared no hours, so the desk's own next day counts: after the weekend.
    assert absence.ends_at == on(7, 8)
    assert task(task_id=found.id, principal=employee).assigned_to is None


def test_who_is_not_on_the_staff_has_nothing_to_sign_off_from(employee, desk):
    with pytest.raises(AbsenceRefused) as refused:
        sign_off(absence_id=uuid4(), principal=employee, at=on(0, 10))

    assert refused.value.reason == "not_on_the_staff"
    assert absences(at=on(0, 10)) == ()


def test_work_is_not_handed_on_to_who_is_off(flows, employee, colleague, desk):
    enlisted(employee)
    found = opened(flows, employee, on(0, 15))
    enlisted(colleague)
    works(colleague, MORNINGS)

    with pytest.raises(DelegationRefused) as refused:
        delegate(
            task_id=found.id, principal=employee, to=colleague.id, comment="Yours.", at=on(0, 15)
        )

    assert refused.value.words == "They are not working at this hour."
    assert task(task_id=found.id, principal=employee) == found


def test_hours_are_set_by_oneself_the_lead_of_the_team_or_operations(employee, adviser, desk):
    enlisted(employee, adviser)
    lead = replace(adviser, id="employee:lead", roles=("supervisor", "adviser"))

    assert works(adviser, MORNINGS) == 1
    assert works(adviser, MORNINGS) == 1
    assert works(adviser, AFTERNOONS, by=lead) == 2
    assert works(adviser, None, by=employee) == 3
    assert shown(adviser, on(6, 3)).is_working


@pytest.mark.parametrize("stranger", ["customer", "colleague", "other_lead"])
def test_hours_are_nobody_elses_to_set(employee, adviser, desk, stranger):
    enlisted(employee, adviser)
    by = {
        "customer": replace(adviser, kind="customer"),
        "colleague": replace(adviser, id="employee:other"),
        "other_lead": replace(adviser, id="employee:lead", roles=("supervisor", "fraud_analyst")),
    }[stranger]

    with pytest.raises(WorkingHoursRefused) as refused:
        works(adviser, MORNINGS, by=by)

    reason = "not_of_the_bank" if stranger == "customer" else "somebody_elses"
    assert refused.value.reason == reason
    assert shown(adviser, on(6, 3)).hours is None


@pytest.mark.parametrize(
    ("hours", "reason", "day"),
    [
        ({}, "never_works", ""),
        ({"monday": []}, "never_works", ""),
        ({"monday": [["17:00", "09:00"]]}, "no_hours", "monday"),
        ({"monday": [["09:00", "12:00"], ["11:00", "15:00"]]}, "no_hours", "monday"),
        ({"tuesday": [["09:00", "25:00"]]}, "no_hours", "tuesday"),
        ({"tuesday": [["09:00"]]}, "no_hours", "tuesday"),
        (
            {"tuesday": [[f"{hour:02}:00", f"{hour:02}:30"] for hour in range(5)]},
            "no_hours",
            "tuesday",
        ),
        ({"someday": [["09:00", "12:00"]]}, "no_hours", ""),
    ],
)
def test_hours_that_are_none_change_nothing(employee, desk, hours, reason, day):
    enlisted(employee)

    with pytest.raises(WorkingHoursRefused) as refused:
        works(employee, hours)

    assert (refused.value.reason, refused.value.day) == (reason, day)
    assert shown(employee, on(6, 3)).hours is None


def test_nobody_declares_hours_who_is_not_on_the_staff(employee):
    with pytest.raises(WorkingHoursRefused) as refused:
        works(employee, MORNINGS)

    assert refused.value.reason == "not_on_the_staff"
