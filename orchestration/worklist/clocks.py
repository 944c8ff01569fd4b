"""Deadlines of people's work, counted on the business calendar of the desk that does it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

import sentinel.public
from orchestration.worklist.calendars import (
    ALWAYS_OPEN,
    BusinessCalendar,
    CalendarRefused,
    read_calendar,
)
from sentinel.vocabulary import Principal

DEFAULT_DESK = "default"


@dataclass(frozen=True, slots=True)
class Allowance:
    """How long work may take that nobody has drawn a deadline for: ISO 8601 working time."""

    warn: str
    due: str


# How long Sentinel is asked to keep an approval open: holidays and weekends do not use it up.
APPROVAL_OPEN = "P3D"
APPROVAL = Allowance(warn="PT3H", due="PT4H")
INCIDENT = Allowance(warn="PT3H", due="PT4H")
SECOND_PERSON = Allowance(warn="PT6H", due="PT8H")
HANDOFF = Allowance(warn="PT1H", due="PT2H")
WORK = Allowance(warn="PT6H", due="PT8H")
CHOICE = Allowance(warn="PT6H", due="PT8H")


def calendar_of(desks: Sequence[str]) -> BusinessCalendar:
    """Return the calendar of the first of these desks that has one, or the entity's own.

    A legal entity without any calendar works round the clock.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT ON (desk) desk, content FROM orch_calendar
             WHERE desk = ANY(%s) ORDER BY desk, version DESC
            """,
            [[*desks, DEFAULT_DESK]],
        )
        contents = dict(cursor.fetchall())
    for desk in (*desks, DEFAULT_DESK):
        if desk in contents:
            return read_calendar(json.loads(contents[desk]))
    return ALWAYS_OPEN


def set_calendar(
    *, desk: str = DEFAULT_DESK, content: Mapping[str, Any], principal: Principal, at: datetime
) -> int:
    """Say when a desk works from now on and return the calendar's version; the same again is none.

    Deadlines that stand already are not moved.

    Raises:
        CalendarRefused: time cannot be counted on this calendar.
    """
    read_calendar(content)
    text = json.dumps(content, sort_keys=True)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH last AS (SELECT version, content FROM orch_calendar WHERE desk = %(desk)s
                           ORDER BY version DESC LIMIT 1),
                 new AS (INSERT INTO orch_calendar (desk, version, content, set_by, set_at)
                         SELECT %(desk)s, coalesce((SELECT version FROM last), 0) + 1, %(text)s,
                                %(by)s, %(at)s
                          WHERE %(text)s IS DISTINCT FROM (SELECT content FROM last)
                      RETURNING version)
            SELECT version FROM new UNION ALL SELECT version FROM last LIMIT 1
            """,
            {"desk": desk, "text": text, "by": principal.id, "at": at},
        )
        (version,) = cursor.fetchone()
    return int(version)


def deadlines(
    desks: Sequence[str], at: datetime, warn: str | None, due: str | None
) -> tuple[datetime | None, datetime | None]:
    """Return when work given out now is to be brought forward, and when it is late.

    Raises:
        CalendarRefused: one of the two is no ISO 8601 duration of working time.
    """
    if not (warn or due):
        return None, None
    calendar = calendar_of(desks)
    return (
        calendar.add(at, warn) if warn else None,
        calendar.add(at, due) if due else None,
    )


def keep_open(request: sentinel.public.ApprovalRequest, at: datetime, due_at: datetime) -> None:
    """See that an approval does not close before its desk had working days to answer it."""
    try:
        until = calendar_of((request.role,)).add(at, APPROVAL_OPEN)
    except CalendarRefused:
        until = ALWAYS_OPEN.add(at, APPROVAL_OPEN)
    if request.state == "open":
        sentinel.public.keep_approval_open(request_id=request.id, until=max(until, due_at))


def allowed(desks: Sequence[str], at: datetime, allowance: Allowance) -> tuple[datetime, datetime]:
    """Return when work that nobody drew a deadline for is to be brought forward, and is late.

    Such work is opened whatever happens: for a desk that never opens again, time is counted
    round the clock.
    """
    calendar = calendar_of(desks)
    try:
        return calendar.add(at, allowance.warn), calendar.add(at, allowance.due)
    except CalendarRefused:
        return ALWAYS_OPEN.add(at, allowance.warn), ALWAYS_OPEN.add(at, allowance.due)
