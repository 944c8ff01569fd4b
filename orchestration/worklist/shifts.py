"""When the staff works: declared hours of each person, and signing off for the day."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from orchestration import feed
from orchestration.worklist import staff
from orchestration.worklist.calendars import WEEKDAYS, CalendarRefused
from orchestration.worklist.clocks import calendar_of
from orchestration.worklist.presence import Hours, next_day, personal_calendar
from orchestration.worklist.staff import Absence, AbsenceRefused
from sentinel.vocabulary import Principal

SPANS_MAX = 4
LEADS_ALL = "operations"
LEADS_OWN_TEAM = "supervisor"


class WorkingHoursRefused(ValueError):
    """The working hours cannot be set; `reason` says why in a word, `day` where it is about one."""

    code = "working_hours_refused"
    is_retryable = False

    def __init__(self, reason: str, day: str = "") -> None:
        super().__init__(reason, day)
        self.reason, self.day = reason, day


def set_working_hours(
    *, principal_id: str, hours: Hours | None, principal: Principal, at: datetime
) -> int:
    """Say when somebody works from now on, by weekday; None takes what was declared back.

    Returns the version in force; the same again is none. Anybody says it for themselves, a
    supervisor for whoever shares a role with them, operations for every desk.

    Raises:
        WorkingHoursRefused: these are no hours, or somebody else's to set.
    """
    with transaction.atomic():
        roles = _roles_of(principal_id)
        _require_say(principal_id, roles, principal)
        text = "" if hours is None else json.dumps(_checked(hours, roles), sort_keys=True)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT version, content FROM orch_working_hours WHERE principal_id = %s"
                " ORDER BY version DESC LIMIT 1",
                [principal_id],
            )
            version, kept = cursor.fetchone() or (0, "")
            if text == kept:
                return int(version)
            cursor.execute(
                "INSERT INTO orch_working_hours (principal_id, version, content, set_by, set_at)"
                " VALUES (%s, %s, %s, %s, %s)",
                [principal_id, version + 1, text, principal.id, at],
            )
        feed.publish(
            event_type="worker.changed", subject=f"worker:{principal_id}", payload={}, at=at
        )
    return int(version) + 1


def sign_off(*, absence_id: UUID, principal: Principal, at: datetime) -> Absence:
    """Stop for the day: what somebody has not begun goes to others until their next working day.

    Ending the absence that this makes is signing on again.

    Raises:
        AbsenceRefused: they are not of the staff, or away already.
    """
    worker = next(
        (each for each in staff.workers(at=at) if each.principal_id == principal.id), None
    )
    if worker is None:
        raise AbsenceRefused("not_on_the_staff")
    if worker.is_absent:
        raise AbsenceRefused("away_already")
    calendar = calendar_of(worker.roles)
    if worker.hours is not None:
        calendar = personal_calendar(worker.hours, calendar)
    absence = Absence(absence_id, principal.id, at, next_day(calendar, at))
    staff.enter_absence(absence=absence, principal=principal, at=at)
    return absence


def _roles_of(principal_id: str) -> tuple[str, ...]:
    """Return somebody's roles on the staff; whoever else changes their hours waits for this."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT roles FROM orch_worker WHERE principal_id = %s FOR UPDATE", [principal_id]
        )
        row = cursor.fetchone()
    if row is None:
        raise WorkingHoursRefused("not_on_the_staff")
    return tuple(row[0])


def _require_say(of: str, roles: Sequence[str], principal: Principal) -> None:
    if principal.kind != "employee":
        raise WorkingHoursRefused("not_of_the_bank")
    if not may_set(of, roles, principal):
        raise WorkingHoursRefused("somebody_elses")


def may_set(of: str, roles: Sequence[str], principal: Principal) -> bool:
    """Tell whether somebody sets the hours of a colleague who has these roles."""
    if of == principal.id or LEADS_ALL in principal.roles:
        return True
    team = set(principal.roles) - {LEADS_OWN_TEAM}
    return LEADS_OWN_TEAM in principal.roles and not team.isdisjoint(roles)


def _checked(hours: Hours, roles: Sequence[str]) -> Mapping[str, list[list[str]]]:
    """Return hours that time can be counted on, in the order of a week."""
    for day, spans in hours.items():
        if len(spans) > SPANS_MAX or any(len(span) != len(("from", "to")) for span in spans):
            raise WorkingHoursRefused("no_hours", day if day in WEEKDAYS else "")
    if not any(hours.values()):
        raise WorkingHoursRefused("never_works")
    try:
        personal_calendar(hours, calendar_of(roles))
    except CalendarRefused as refused:
        day = refused.place.removeprefix("hours.").partition(".")[0]
        raise WorkingHoursRefused("no_hours", day if day in WEEKDAYS else "") from refused
    return {day: [list(span) for span in hours[day]] for day in WEEKDAYS if hours.get(day)}
