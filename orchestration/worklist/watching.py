"""Watching deadlines: work that will be late is brought forward before it is.

Two things bring a task forward: its warning time, drawn with the flow or allowed to its kind of
work, and a breach that can be foreseen, from how long such tasks took lately, what stands before
it, and how many people are there to do it. All of it counts in the working time of the desk.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.db import connection, transaction

from orchestration.core.events import EscalationRaised
from orchestration.durable import store
from orchestration.worklist import assigning, rows, staff
from orchestration.worklist.clocks import calendar_of

SAMPLES_MIN = 5
SAMPLES_MAX = 200
WARNED_BY_CLOCK = "Its warning time has come."


@dataclass(frozen=True, slots=True)
class _Due:
    """A task with a deadline, and what stands before it on its desk."""

    id: UUID
    roles: tuple[str, ...]
    due_at: datetime
    begun_at: datetime | None
    ahead: int
    hands: int
    usual: timedelta


def watch(at: datetime, limit: int) -> int:
    """Look once at every open task; return how many were brought forward."""
    assigning.reassign_of_the_absent(at, limit)
    assigning.reassign_of_the_off(at, limit)
    assigning.assign_waiting(at, limit)
    warned = _bring_forward(_warning_time_come(at, limit), at)
    return warned + _bring_forward(_foreseen(at, limit), at)


def mark_breaches(at: datetime, limit: int) -> None:
    """Mark what has really passed its deadline."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE orch_task SET breached_at = %(at)s, priority = greatest(priority, 2)
                 WHERE id IN (SELECT id FROM orch_task
                               WHERE state = 'open' AND breached_at IS NULL AND due_at <= %(at)s
                               ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
             RETURNING id, case_id, roles, assigned_to
                """,
                {"at": at, "limit": limit},
            )
            late = cursor.fetchall()
        for task_id, case_id, roles, assignee in late:
            rows.tell("task.overdue", task_id, case_id, roles, at, assignee=assignee)


def _warning_time_come(at: datetime, limit: int) -> dict[UUID, tuple[str, datetime | None]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM orch_task WHERE state = 'open' AND warned_at IS NULL AND warn_at <= %s"
            " ORDER BY warn_at LIMIT %s",
            [at, limit],
        )
        return {row[0]: (WARNED_BY_CLOCK, None) for row in cursor.fetchall()}


def _foreseen(at: datetime, limit: int) -> dict[UUID, tuple[str, datetime | None]]:
    """Return the tasks that will be late at the pace of late, with the reason in words."""
    found: dict[UUID, tuple[str, datetime | None]] = {}
    for task in _due(at, limit):
        calendar = calendar_of(task.roles)
        begun = task.begun_at or at
        rounds = 0 if task.begun_at else task.ahead // task.hands
        needed = int(((rounds + 1) * task.usual).total_seconds())
        done_at = max(calendar.add(begun, f"PT{needed}S"), at)
        if done_at > task.due_at:
            found[task.id] = (_foreseen_words(task, needed), done_at)
    return found


def _foreseen_words(task: _Due, needed: int) -> str:
    minutes = max(1, round(needed / 60))
    before = "" if task.begun_at else f"{task.ahead} before it, {task.hands} at work, "
    return f"It would be late: {before}about {minutes} min of work to its end."


def _due(at: datetime, limit: int) -> list[_Due]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH usual AS (
                SELECT form_key, percentile_cont(0.5) WITHIN GROUP (ORDER BY handled_seconds) AS s
                  FROM (SELECT form_key, handled_seconds,
                               row_number() OVER (PARTITION BY form_key ORDER BY closed_at DESC) n
                          FROM orch_task WHERE handled_seconds IS NOT NULL) lately
                 WHERE n <= %(samples)s
                 GROUP BY form_key HAVING count(*) >= %(least)s)
            SELECT t.id, t.roles, t.due_at, t.claimed_at,
                   (SELECT count(*) FROM orch_task o
                     WHERE o.state = 'open' AND o.id <> t.id
                       AND CASE WHEN t.assigned_to IS NULL THEN o.roles && t.roles
                                ELSE coalesce(o.claimed_by, o.assigned_to) = t.assigned_to END
                       AND (-o.priority, o.due_at, o.opened_at, o.id)
                         < (-t.priority, t.due_at, t.opened_at, t.id)),
                   CASE WHEN t.assigned_to IS NOT NULL THEN 1 ELSE greatest(1, (
                        SELECT count(*) FROM orch_worker w
                         WHERE w.roles && t.roles AND w.skills @> t.skills
                           AND w.principal_id <> ALL(%(off)s::text[])
                           AND NOT EXISTS (SELECT FROM orch_absence a
                                            WHERE a.principal_id = w.principal_id
                                              AND a.begins_at <= %(at)s AND a.ends_at > %(at)s)))
                   END,
                   usual.s
              FROM orch_task t JOIN usual USING (form_key)
             WHERE t.state = 'open' AND t.warned_at IS NULL AND t.due_at > %(at)s
             ORDER BY t.due_at LIMIT %(limit)s
            """,
            {
                "at": at,
                "limit": limit,
                "samples": SAMPLES_MAX,
                "least": SAMPLES_MIN,
                "off": [each.principal_id for each in staff.off_shift(at)],
            },
        )
        return [
            _Due(task_id, tuple(roles), due_at, begun_at, ahead, hands, timedelta(seconds=usual))
            for task_id, roles, due_at, begun_at, ahead, hands, usual in cursor.fetchall()
        ]


def _bring_forward(found: dict[UUID, tuple[str, datetime | None]], at: datetime) -> int:
    """Raise the priority of tasks, once each, and tell the flow and the queues why."""
    return sum(_warn(task_id, why, done_at, at) for task_id, (why, done_at) in found.items())


def _warn(task_id: UUID, why: str, done_at: datetime | None, at: datetime) -> bool:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE orch_task
                   SET warned_at = %(at)s, priority = greatest(priority, 1),
                       escalated_why = %(why)s, predicted_at = %(done_at)s
                 WHERE id = %(id)s AND state = 'open' AND warned_at IS NULL
             RETURNING case_id, roles, instance_id, token, form_key, assigned_to, kind
                """,
                {"at": at, "why": why, "done_at": done_at, "id": task_id},
            )
            row = cursor.fetchone()
        if row is None:
            return False
        case_id, roles, instance_id, token, form_key, assignee, kind = row
        rows.tell("task.escalated", task_id, case_id, roles, at, assignee=assignee)
        # Only a drawn clock is the flow's own: another's must not take one of its boundaries.
        if kind == "work" and instance_id is not None and token:
            event = EscalationRaised(token, f"{form_key}_late")
            message_id = uuid5(task_id, "warned")
            store.deliver(instance_id=instance_id, message_id=message_id, event=event, at=at)
    return True
