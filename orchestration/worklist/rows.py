"""Rows of human tasks: opened once per activation, claimed by one person, closed once."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from orchestration import feed
from orchestration.durable import statements


class TaskGone(LookupError):
    """No such task is open: unknown, already done, or no longer needed."""

    code = "task_gone"
    is_retryable = False

    def __init__(self, task_id: str) -> None:
        super().__init__(task_id)
        self.task_id = task_id


@dataclass(frozen=True, slots=True)
class NewTask:
    """Work to put on the list; `reference` is the approval request of an approval task."""

    id: UUID
    case_id: UUID
    instance_id: UUID | None
    token: str | None
    node: str
    visit: int
    kind: str
    form_key: str
    title: str
    form: Mapping[str, Any]
    inputs: Mapping[str, object]
    roles: tuple[str, ...]
    excluded: tuple[str, ...]
    warn_at: datetime | None
    due_at: datetime | None
    at: datetime
    reference: UUID | None = None
    skills: tuple[str, ...] = ()
    priority: int = 0


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task as stored."""

    id: UUID
    case_id: UUID
    instance_id: UUID | None
    token: str | None
    node: str
    kind: str
    form_key: str
    title: str
    form: Mapping[str, Any]
    inputs: Mapping[str, Any]
    roles: tuple[str, ...]
    excluded: tuple[str, ...]
    reference: UUID | None
    state: str
    claimed_by: str | None
    priority: int
    warn_at: datetime | None
    due_at: datetime | None
    answer: Mapping[str, Any] | None
    comment: str
    closed_by: str | None
    opened_at: datetime
    closed_at: datetime | None
    skills: tuple[str, ...]
    claimed_at: datetime | None
    assigned_to: str | None
    assigned_why: str
    predicted_at: datetime | None
    escalated_why: str
    visit: int


_COLUMNS = (
    "id, case_id, instance_id, token, node, kind, form_key, title, form, inputs, roles, excluded,"
    " reference, state, claimed_by, priority, warn_at, due_at, answer, comment, closed_by,"
    " opened_at, closed_at, skills, claimed_at, assigned_to, assigned_why, predicted_at,"
    " escalated_why, visit"
)


_FORM, _INPUTS, _ROLES, _EXCLUDED, _ANSWER, _SKILLS = 8, 9, 10, 11, 18, 23


def insert_task(new: NewTask) -> bool:
    """Write work into the list, once per activation; return whether it is new."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orch_task (id, case_id, instance_id, token, node, visit, kind, form_key,
                   title, form, inputs, roles, excluded, reference, skills, priority, state,
                   warn_at, due_at, opened_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'open',
                    %s, %s, %s)
            ON CONFLICT DO NOTHING
            """,
            [
                new.id,
                new.case_id,
                new.instance_id,
                new.token,
                new.node,
                new.visit,
                new.kind,
                new.form_key,
                new.title,
                json.dumps(new.form),
                json.dumps(new.inputs),
                list(new.roles),
                list(new.excluded),
                new.reference,
                list(new.skills),
                new.priority,
                new.warn_at,
                new.due_at,
                new.at,
            ],
        )
        is_new = bool(cursor.rowcount == 1)
    if is_new:
        tell("task.opened", new.id, new.case_id, new.roles, new.at)
    return is_new


def tell(
    event_type: str,
    task_id: UUID,
    case_id: UUID,
    roles: Sequence[str],
    at: datetime,
    *,
    assignee: str | None = None,
) -> None:
    """Tell every queue in which a task stands, and who it lies with, that it has changed."""
    for role in roles:
        payload = {"role": role, "case_id": str(case_id), "task_id": str(task_id)}
        if assignee:
            payload["assignee"] = assignee
        feed.publish(event_type=event_type, subject=f"task:{task_id}", payload=payload, at=at)


def read_task(task_id: UUID, *, is_locked: bool = False) -> TaskRow:
    """Return a task, locked for the rest of the transaction if asked.

    Raises:
        TaskGone: there is none with this id.
    """
    lock = " FOR UPDATE" if is_locked else ""
    found = _tasks(f"SELECT {_COLUMNS} FROM orch_task WHERE id = %s{lock}", [task_id])  # noqa: S608
    if not found:
        raise TaskGone(str(task_id))
    return found[0]


def tasks_of_case(case_id: UUID) -> tuple[TaskRow, ...]:
    """Return the tasks of a case in the order they were opened."""
    statement = f"SELECT {_COLUMNS} FROM orch_task WHERE case_id = %s ORDER BY opened_at, id"  # noqa: S608
    return _tasks(statement, [case_id])


def find_tasks(*, roles: Sequence[str], state: str | None, limit: int) -> tuple[TaskRow, ...]:
    """Return tasks of queues, most urgent first; `state` open and claimed are both not done."""
    return _tasks(
        f"""
        SELECT {_COLUMNS} FROM orch_task
         WHERE roles && %(roles)s::text[]
           AND (%(state)s::text IS NULL
                OR state = CASE WHEN %(state)s = 'claimed' THEN 'open' ELSE %(state)s END)
         ORDER BY (state = 'open') DESC, priority DESC, due_at NULLS LAST, opened_at
         LIMIT %(limit)s
        """,  # noqa: S608  (the column list is a constant of this module)
        {"roles": list(roles), "state": state, "limit": limit},
    )


def set_claim(task_id: UUID, holder: str | None, at: datetime) -> None:
    """Note who works on a task, or that nobody does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_task SET claimed_by = %s, claimed_at = %s WHERE id = %s",
            [holder, at if holder else None, task_id],
        )


def close_task(
    task: TaskRow,
    *,
    answer: Mapping[str, object],
    comment: str,
    closed_by: str,
    handled_seconds: int,
    at: datetime,
) -> None:
    """Close a task with its answer, note the working time it took, and tell its queues."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_task SET state = 'done', answer = %s, comment = %s, closed_by = %s,"
            " closed_at = %s, handled_seconds = %s WHERE id = %s AND state = 'open'",
            [json.dumps(answer), comment, closed_by, at, handled_seconds, task.id],
        )
    tell("task.closed", task.id, task.case_id, task.roles, at)


def cancel_tasks(instance_id: UUID, token: str | None, at: datetime) -> int:
    """Take tasks of an instance off the list: those of one token, or all; return how many."""
    closed = statements.run(
        "UPDATE orch_task SET state = 'cancelled', closed_at = %(at)s"
        " WHERE instance_id = %(id)s AND state = 'open'"
        " AND (%(token)s::text IS NULL OR token = %(token)s)"
        " RETURNING id, case_id, roles",
        {"at": at, "id": instance_id, "token": token},
    )
    for task_id, case_id, roles in closed:
        tell("task.closed", task_id, case_id, roles, at)
    return len(closed)


def cancel_task(task_id: UUID, at: datetime) -> None:
    """Take one task off the list, if it still stands there."""
    closed = statements.run(
        "UPDATE orch_task SET state = 'cancelled', closed_at = %s"
        " WHERE id = %s AND state = 'open' RETURNING case_id, roles",
        [at, task_id],
    )
    for case_id, roles in closed:
        tell("task.closed", task_id, case_id, roles, at)


def _tasks(statement: str, parameters: Any) -> tuple[TaskRow, ...]:  # noqa: ANN401  (as psycopg)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return tuple(_task(row) for row in cursor.fetchall())


def _task(row: tuple[Any, ...]) -> TaskRow:
    values = list(row)
    for place in (_FORM, _INPUTS):
        values[place] = json.loads(row[place])
    for place in (_ROLES, _EXCLUDED, _SKILLS):
        values[place] = tuple(row[place])
    values[_ANSWER] = json.loads(row[_ANSWER]) if row[_ANSWER] else None
    return TaskRow(*values)
