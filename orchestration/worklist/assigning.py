"""Giving work to people: when it is opened, and again when its holder is away."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from orchestration import cases
from orchestration.worklist import rows, staff
from orchestration.worklist.choosing import Need, Worker, choose, may_take
from orchestration.worklist.rows import NewTask, TaskRow


def open_task(new: NewTask) -> bool:
    """Put work on the list, once per activation, and give it to somebody; return if it is new."""
    is_new = rows.insert_task(new)
    if is_new:
        assign(new.id, new.at)
    return is_new


def assign(task_id: UUID, at: datetime, *, deputy_of: str | None = None) -> str | None:
    """Give an open task that nobody holds to the best person; return who it is, if anybody.

    The staff of its roles is locked while choosing, so that two tasks opened at once do not both
    take somebody's last free place.
    """
    with transaction.atomic():
        task = rows.read_task(task_id, is_locked=True)
        people = staff.workers(roles=task.roles, at=at, is_locked=True)
        if not people or task.state != "open" or task.claimed_by is not None:
            return None
        preferred = _deputy(people, deputy_of)
        choice = choose(Need(task.roles, task.skills, task.excluded, preferred), people)
        if choice.principal_id is None:
            _note_unassigned(task, choice.why)
            return None
        give(task, choice.principal_id, choice.why, at)
    return choice.principal_id


def give(task: TaskRow, principal_id: str, why: str, at: datetime) -> None:
    """Lay an open task on somebody's desk, unclaimed, and tell its queues."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_task SET assigned_to = %s, assigned_at = %s, assigned_why = %s,"
            " claimed_by = NULL, claimed_at = NULL WHERE id = %s",
            [principal_id, at, why, task.id],
        )
        cursor.execute(
            "UPDATE orch_worker SET last_assigned_at = %s WHERE principal_id = %s",
            [at, principal_id],
        )
    rows.tell("task.assigned", task.id, task.case_id, task.roles, at, assignee=principal_id)


def refusal_to_give(task: TaskRow, principal_id: str, at: datetime) -> str:
    """Return why somebody cannot be given a task, in words; empty if they can."""
    need = Need(task.roles, task.skills, task.excluded)
    known = {each.principal_id: each for each in staff.workers(roles=task.roles, at=at)}
    person = known.get(principal_id)
    return "This work belongs to another role." if person is None else may_take(person, need)


def reassign_of_the_absent(at: datetime, limit: int) -> int:
    """Give the open work of people who are away to others; return how much moved.

    What nobody else can do is anybody's again if it was not begun; what was begun stays where it
    is, and is tried again.
    """
    found = _with_the_absent(at, limit)
    return sum(_move(each, holder, "its holder is away", at) for each, holder in found)


def reassign_of_the_off(at: datetime, limit: int) -> int:
    """Move what is not begun and due before its holder works again; return how much moved."""
    off = staff.off_shift(at)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.id, t.assigned_to
              FROM orch_task t
              JOIN unnest(%(who)s::text[], %(back)s::timestamptz[]) AS off (principal_id, back_at)
                ON t.assigned_to = off.principal_id
             WHERE t.state = 'open' AND t.claimed_by IS NULL
               AND t.due_at <= coalesce(off.back_at, 'infinity')
             ORDER BY t.priority DESC, t.due_at, t.opened_at LIMIT %(limit)s
            """,
            {
                "who": [each.principal_id for each in off],
                "back": [each.presence.back_at for each in off],
                "limit": limit,
            },
        )
        found = cursor.fetchall()
    why = "it is due before its holder works again"
    return sum(_move(task_id, holder, why, at) for task_id, holder in found)


def _move(task_id: UUID, holder: str, why: str, at: datetime) -> bool:
    """Take work from its holder, for a colleague or for everybody of its roles."""
    with transaction.atomic():
        task = rows.read_task(task_id, is_locked=True)
        if task.state != "open" or (task.claimed_by or task.assigned_to) != holder:
            return False
        rows.set_claim(task_id, None, at)
        if assign(task_id, at, deputy_of=holder) is not None:
            words = f"{task.title}: given to a colleague, as {why}."
        elif task.claimed_by is None:
            _leave_to_all(task, at)
            words = f"{task.title}: left to everybody who may do it, as {why}."
        else:
            transaction.set_rollback(True)
            return False
        cases.add_note(task.case_id, cases.Note(at, "system", "reassigned", words, str(task_id)))
    return True


def _leave_to_all(task: TaskRow, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_task SET assigned_to = NULL, assigned_at = NULL WHERE id = %s", [task.id]
        )
    rows.tell("task.changed", task.id, task.case_id, task.roles, at)


def assign_waiting(at: datetime, limit: int) -> int:
    """Give work that nobody could take when it was opened to whoever can now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.id FROM orch_task t
             WHERE t.state = 'open' AND t.assigned_to IS NULL AND t.claimed_by IS NULL
               AND EXISTS (SELECT FROM orch_worker w
                            WHERE w.roles && t.roles AND w.principal_id <> ALL(%s::text[]))
             ORDER BY t.priority DESC, t.due_at NULLS LAST, t.opened_at LIMIT %s
            """,
            [[each.principal_id for each in staff.off_shift(at)], limit],
        )
        waiting = [row[0] for row in cursor.fetchall()]
    return sum(assign(task_id, at) is not None for task_id in waiting)


def _with_the_absent(at: datetime, limit: int) -> list[tuple[UUID, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t.id, coalesce(t.claimed_by, t.assigned_to) FROM orch_task t
             WHERE t.state = 'open'
               AND EXISTS (SELECT FROM orch_absence a
                            WHERE a.principal_id = coalesce(t.claimed_by, t.assigned_to)
                              AND a.begins_at <= %(at)s AND a.ends_at > %(at)s)
             ORDER BY t.priority DESC, t.due_at NULLS LAST, t.opened_at LIMIT %(limit)s
            """,
            {"at": at, "limit": limit},
        )
        return [(row[0], row[1]) for row in cursor.fetchall()]


def _deputy(people: tuple[Worker, ...], absent: str | None) -> str | None:
    return next((each.deputy_id for each in people if each.principal_id == absent), None)


def _note_unassigned(task: TaskRow, why: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_task SET assigned_why = %s WHERE id = %s AND assigned_why <> %s",
            [why, task.id, why],
        )
