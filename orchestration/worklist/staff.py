"""Who works the lists, what they can, and when they are away: rows and the door to them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from orchestration import feed
from orchestration.worklist.choosing import Worker
from orchestration.worklist.clocks import calendar_of
from orchestration.worklist.presence import personal_calendar, presence_of
from sentinel.vocabulary import Principal

CAPACITY_USUAL = 12
ABSENCE_DAYS_MAX = 732
SUPERVISING_ROLES = frozenset({"operations", "supervisor"})


class AbsenceRefused(ValueError):
    """The absence cannot be entered; `reason` says why in a word."""

    code = "absence_refused"
    is_retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class NewWorker:
    """Somebody to put on the staff of the lists."""

    principal_id: str
    roles: tuple[str, ...]
    skills: tuple[str, ...] = ()
    capacity: int = CAPACITY_USUAL


@dataclass(frozen=True, slots=True)
class Absence:
    """When somebody is away, and who stands in where that person may do the work."""

    id: UUID
    principal_id: str
    begins_at: datetime
    ends_at: datetime
    deputy_id: str | None = None


def enlist(*, workers: Sequence[NewWorker]) -> None:
    """Put people on the staff of the lists, or change what is known of them."""
    with connection.cursor() as cursor:
        cursor.executemany(
            """
            INSERT INTO orch_worker (principal_id, roles, skills, capacity)
            VALUES (%s, %s, %s, %s)
            ON CONFLICT (entity, principal_id) DO UPDATE
               SET roles = excluded.roles, skills = excluded.skills, capacity = excluded.capacity
            """,
            [
                [each.principal_id, list(each.roles), list(each.skills), each.capacity]
                for each in workers
            ],
        )


def enter_absence(*, absence: Absence, principal: Principal, at: datetime) -> None:
    """Say that somebody is away; their open work goes to others. The same again changes nothing.

    Raises:
        AbsenceRefused: it ends before it begins or is too long, or is somebody else's to enter.
    """
    if not absence.begins_at < absence.ends_at:
        raise AbsenceRefused("ends_before_it_begins")
    if (absence.ends_at - absence.begins_at).days > ABSENCE_DAYS_MAX:
        raise AbsenceRefused("too_long")
    if absence.deputy_id == absence.principal_id:
        raise AbsenceRefused("own_deputy")
    _require_say(absence.principal_id, principal)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_absence (id, principal_id, begins_at, ends_at, deputy_id, entered_by,"
            " entered_at) VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING",
            [
                absence.id,
                absence.principal_id,
                absence.begins_at,
                absence.ends_at,
                absence.deputy_id,
                principal.id,
                at,
            ],
        )
    _tell(absence.principal_id, at)


def end_absence(*, absence_id: UUID, principal: Principal, at: datetime) -> None:
    """Say that somebody is back, or will not be away after all.

    Raises:
        AbsenceRefused: there is no such absence, it is over, or it is somebody else's.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT principal_id FROM orch_absence WHERE id = %s", [absence_id])
        row = cursor.fetchone()
        if row is None:
            raise AbsenceRefused("unknown")
        _require_say(row[0], principal)
        cursor.execute(
            "UPDATE orch_absence SET ends_at = greatest(begins_at, %s) WHERE id = %s"
            " AND ends_at > %s",
            [at, absence_id, at],
        )
        if cursor.rowcount == 0:
            raise AbsenceRefused("over")
    _tell(row[0], at)


def absences(*, principal_id: str | None = None, at: datetime) -> tuple[Absence, ...]:
    """Return the absences that are not over, of one person or of everybody, soonest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, principal_id, begins_at, ends_at, deputy_id FROM orch_absence"
            " WHERE ends_at > greatest(%(at)s, begins_at)"
            " AND (%(who)s::text IS NULL OR principal_id = %(who)s)"
            " ORDER BY begins_at, id",
            {"at": at, "who": principal_id},
        )
        return tuple(Absence(*row) for row in cursor.fetchall())


def workers(
    *, roles: Sequence[str] | None = None, at: datetime, is_locked: bool = False
) -> tuple[Worker, ...]:
    """Return the staff of these roles, or all, with load and presence; locked in order if asked."""
    wanted = None if roles is None else list(roles)
    with connection.cursor() as cursor:
        if is_locked:
            # A statement of its own: the one that counts must see what others committed meanwhile.
            cursor.execute(
                "SELECT FROM orch_worker WHERE %(roles)s::text[] IS NULL OR roles && %(roles)s"
                " ORDER BY principal_id FOR UPDATE",
                {"roles": wanted},
            )
        cursor.execute(
            """
            SELECT w.principal_id, w.roles, w.skills, w.capacity,
                   (SELECT count(*) FROM orch_task t
                     WHERE t.state = 'open'
                       AND coalesce(t.claimed_by, t.assigned_to) = w.principal_id),
                   a.principal_id IS NOT NULL, a.deputy_id, w.last_assigned_at,
                   (SELECT content FROM orch_working_hours h
                     WHERE h.principal_id = w.principal_id ORDER BY version DESC LIMIT 1),
                   a.ends_at,
                   (SELECT min(begins_at) FROM orch_absence n
                     WHERE n.principal_id = w.principal_id
                       AND n.begins_at > %(at)s AND n.ends_at > n.begins_at)
              FROM orch_worker w
              LEFT JOIN LATERAL (SELECT principal_id, deputy_id, ends_at
                                   FROM orch_absence
                                  WHERE principal_id = w.principal_id
                                    AND begins_at <= %(at)s AND ends_at > %(at)s
                                  ORDER BY begins_at LIMIT 1) a ON true
             WHERE %(roles)s::text[] IS NULL OR w.roles && %(roles)s::text[]
             ORDER BY w.principal_id
            """,
            {"at": at, "roles": wanted},
        )
        found = cursor.fetchall()
    return tuple(_worker(row, at) for row in found)


def off_shift(at: datetime) -> tuple[Worker, ...]:
    """Return the staff who work at other hours than this, and are not away."""
    return tuple(
        each for each in workers(at=at) if not (each.is_absent or each.presence.is_on_shift)
    )


def _worker(row: tuple[Any, ...], at: datetime) -> Worker:
    who, roles, skills, capacity, load, is_absent, deputy, last_at, content, until, next_at = row
    hours = json.loads(content) if content else None
    own = personal_calendar(hours, calendar_of(roles)) if hours else None
    return Worker(
        principal_id=who,
        roles=tuple(roles),
        skills=tuple(skills),
        capacity=capacity,
        open_count=load,
        is_absent=is_absent,
        deputy_id=deputy,
        last_assigned_at=last_at,
        hours=hours,
        away_until=until,
        presence=presence_of(own, at, absent_until=until, absent_from=next_at),
    )


def has_skills(principal: Principal, needed: Sequence[str]) -> bool:
    """Tell whether the staff's list says of somebody that they have all of these skills."""
    if not needed:
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM orch_worker WHERE principal_id = %s AND skills @> %s::text[]",
            [principal.id, list(needed)],
        )
        return cursor.fetchone() is not None


def _require_say(of: str, principal: Principal) -> None:
    if principal.kind != "employee":
        raise AbsenceRefused("not_of_the_bank")
    if of != principal.id and not SUPERVISING_ROLES & set(principal.roles):
        raise AbsenceRefused("somebody_elses")


def _tell(principal_id: str, at: datetime) -> None:
    feed.publish(event_type="worker.changed", subject=f"worker:{principal_id}", payload={}, at=at)
