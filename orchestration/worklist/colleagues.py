"""Who works here, how much lies with them, and who could be given a task: for people to choose."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import connection

from orchestration.worklist import rows, staff
from orchestration.worklist.choosing import Need, Worker, may_take
from orchestration.worklist.presence import Hours
from orchestration.worklist.shifts import may_set
from orchestration.worklist.staff import SUPERVISING_ROLES
from sentinel.vocabulary import Principal


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of the staff; `why_not` says in words why they cannot take the work asked about."""

    principal_id: str
    roles: tuple[str, ...]
    skills: tuple[str, ...]
    capacity: int
    open_count: int
    is_absent: bool
    deputy_id: str | None
    why_not: str = ""
    away_until: datetime | None = None
    is_working: bool = True
    works_until: datetime | None = None
    back_at: datetime | None = None
    hours: Hours | None = None
    may_set_hours: bool = False


def colleagues(*, principal: Principal, at: datetime) -> tuple[Colleague, ...]:
    """Return the staff with their load: all of it for a supervisor, else those of one's roles."""
    if principal.kind != "employee":
        return ()
    is_supervisor = bool(SUPERVISING_ROLES & set(principal.roles))
    roles = teams() if is_supervisor else principal.roles
    return tuple(
        replace(_colleague(each), may_set_hours=may_set(each.principal_id, each.roles, principal))
        for each in staff.workers(roles=roles, at=at)
    )


def could_take(*, task_id: UUID, principal: Principal, at: datetime) -> tuple[Colleague, ...]:
    """Return the colleagues of a task's roles, those who cannot take it with the reason.

    Raises:
        TaskGone: there is no task with this id.
    """
    task = rows.read_task(task_id)
    need = Need(task.roles, task.skills, task.excluded)
    return tuple(
        _colleague(each, may_take(each, need))
        for each in staff.workers(roles=task.roles, at=at)
        if each.principal_id != principal.id
    )


def teams() -> tuple[str, ...]:
    """Return the roles in which somebody works the lists, by name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT unnest(roles) AS role FROM orch_worker ORDER BY role")
        return tuple(row[0] for row in cursor.fetchall())


def _colleague(worker: Worker, why_not: str = "") -> Colleague:
    return Colleague(
        principal_id=worker.principal_id,
        roles=worker.roles,
        skills=worker.skills,
        capacity=worker.capacity,
        open_count=worker.open_count,
        is_absent=worker.is_absent,
        deputy_id=worker.deputy_id,
        why_not=why_not,
        away_until=worker.away_until,
        is_working=worker.is_here,
        works_until=worker.presence.until,
        back_at=worker.presence.back_at,
        hours=worker.hours,
    )
