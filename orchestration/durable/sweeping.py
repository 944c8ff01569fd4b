"""Finding work that nobody rang for: timers, retries, left messages, answered questions.

Deadlines come before breaches: a task near its due date is brought forward first, and only what
has really passed is marked. All clocks are the database's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.db import connection, transaction

import sentinel.public
from orchestration.core.events import Cancelled, EscalationRaised, TimerFired
from orchestration.durable import calls, store
from orchestration.durable.doorbell import database_time
from orchestration.durable.engine import move
from orchestration.worklist import rows

PARKED_LOOK_AFTER = timedelta(seconds=5)
PARKED_LOOK_AGAIN = timedelta(seconds=20)
CODE_GIVEN_UP_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep of one legal entity found and did."""

    escalated: int
    timers: int
    answered: int
    moved: int


def sweep(*, limit: int) -> Swept:
    """Look once for everything that is due in this legal entity and move what can move."""
    at = database_time()
    escalated = _warn_tasks(at, limit)
    timers = _fire_timers(at, limit)
    answered = _wake_answered(at, limit)
    moved = sum(move(instance_id, at=at) for instance_id in _ready(limit))
    _mark_breaches(at, limit)
    return Swept(escalated, timers, answered, moved)


def _ready(limit: int) -> tuple[UUID, ...]:
    """Return instances with a message that was left behind, or a call whose time has come.

    The rows are looked at without locks; `move` takes the lock, and skips what others hold.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT i.instance_id
              FROM orch_inbox i JOIN orch_instance r ON r.id = i.instance_id
             WHERE i.taken_at IS NULL AND NOT r.is_paused
             UNION
            SELECT c.instance_id
              FROM orch_call c JOIN orch_instance r ON r.id = c.instance_id
             WHERE c.state = 'due' AND c.due_at <= clock_timestamp() AND NOT r.is_paused
             LIMIT %s
            """,
            [limit],
        )
        return tuple(row[0] for row in cursor.fetchall())


def _fire_timers(at: datetime, limit: int) -> int:
    """Turn due timers into messages, each firing once; a paused instance keeps its timers."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                """
                SELECT t.instance_id, t.timer, t.due_at
                  FROM orch_timer t JOIN orch_instance r ON r.id = t.instance_id
                 WHERE t.due_at <= clock_timestamp() AND NOT r.is_paused
                 ORDER BY t.due_at
                 LIMIT %s
                   FOR UPDATE OF t SKIP LOCKED
                """,
                [limit],
            )
            due = cursor.fetchall()
        for instance_id, timer, due_at in due:
            message_id = uuid5(instance_id, f"timer|{timer}|{due_at.isoformat()}")
            event = TimerFired(timer)
            store.deliver(instance_id=instance_id, message_id=message_id, event=event, at=at)
        _drop_timers((instance_id, timer) for instance_id, timer, _ in due)
    return len(due)


def _drop_timers(fired: Iterable[tuple[UUID, str]]) -> None:
    pairs = list(fired)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM orch_timer t USING unnest(%s::uuid[], %s::text[]) AS f(instance, timer)"
            " WHERE t.instance_id = f.instance AND t.timer = f.timer",
            [[pair[0] for pair in pairs], [pair[1] for pair in pairs]],
        )


def _wake_answered(at: datetime, limit: int) -> int:
    """Find parked calls whose question was answered by a process that died before saying so."""
    woken = 0
    for instance_id, state, reference in calls.parked_calls(
        older_than=PARKED_LOOK_AFTER, limit=limit
    ):
        if is_answered(state, reference):
            woken += calls.wake_parked(instance_id, reference)
        elif state == "step_up" and _is_given_up(reference, at):
            _give_up(instance_id, reference, at)
        else:
            calls.put_off(instance_id, reference, at + PARKED_LOOK_AGAIN)
    return woken


def _is_given_up(challenge_id: UUID, at: datetime) -> bool:
    """Tell whether a customer was asked for a code so long ago that they no longer want it."""
    challenge = sentinel.public.challenge(challenge_id=challenge_id)
    return challenge.expires_at + CODE_GIVEN_UP_AFTER <= at


def _give_up(instance_id: UUID, challenge_id: UUID, at: datetime) -> None:
    event = Cancelled("code_never_given", cancelled_by=None)
    message_id = uuid5(challenge_id, "given_up")
    store.deliver(instance_id=instance_id, message_id=message_id, event=event, at=at)


def is_answered(state: str, reference: UUID) -> bool:
    """Tell whether the person a call waits for has answered."""
    if state == "step_up":
        return sentinel.public.challenge(challenge_id=reference).is_satisfied
    return sentinel.public.approval_request(request_id=reference).state != "open"


def _warn_tasks(at: datetime, limit: int) -> int:
    """Bring tasks to the front whose warning time has come, before they are late."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE orch_task SET warned_at = %(at)s, priority = greatest(priority, 1)
                 WHERE id IN (SELECT id FROM orch_task
                               WHERE state = 'open' AND warned_at IS NULL AND warn_at <= %(at)s
                               ORDER BY warn_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
             RETURNING id, case_id, roles, instance_id, token, form_key
                """,
                {"at": at, "limit": limit},
            )
            warned = cursor.fetchall()
        for task_id, case_id, roles, instance_id, token, form_key in warned:
            rows.tell("task.escalated", task_id, case_id, roles, at)
            if instance_id is not None and token:
                event = EscalationRaised(token, f"{form_key}_late")
                message_id = uuid5(task_id, "warned")
                store.deliver(instance_id=instance_id, message_id=message_id, event=event, at=at)
    return len(warned)


def _mark_breaches(at: datetime, limit: int) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE orch_task SET breached_at = %(at)s, priority = greatest(priority, 2)
                 WHERE id IN (SELECT id FROM orch_task
                               WHERE state = 'open' AND breached_at IS NULL AND due_at <= %(at)s
                               ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
             RETURNING id, case_id, roles
                """,
                {"at": at, "limit": limit},
            )
            late = cursor.fetchall()
        for task_id, case_id, roles in late:
            rows.tell("task.overdue", task_id, case_id, roles, at)
