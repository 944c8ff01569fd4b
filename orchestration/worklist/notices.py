"""Notices: when work is brought forward or late, its role and whoever has it are told.

Told in the workspace at once, and by a message outside it. What is told follows from the feed,
behind a cursor of its own: a crash in between tells again what is recognised as told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from django.db import connection, transaction

from orchestration import act, feed
from orchestration.durable.doorbell import database_time
from orchestration.durable.workers import Clock
from orchestration.worklist import persons
from sentinel.vocabulary import Principal

ESCALATED, OVERDUE = "escalated", "overdue"
_KINDS = {"task.escalated": ESCALATED, "task.overdue": OVERDUE}
_WORDS = {ESCALATED: "Brought forward", OVERDUE: "Overdue"}
_LINES_MAX = 500
_MESSAGES_MAX = 50
_PEOPLE_MAX = 50
_SHOWN_MAX = 20
# A notice is for one person where there is one, else for everybody of its role.
_MINE = """
n.role = ANY(%(roles)s::text[]) AND coalesce(n.person, %(person)s) = %(person)s
"""


class NoticeUnknown(LookupError):
    """There is no such notice for this person."""

    code = "notice_unknown"
    is_retryable = False

    def __init__(self, notice_id: str) -> None:
        super().__init__(notice_id)
        self.notice_id = notice_id


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody of the bank is told of a task; `kind` is escalated or overdue."""

    id: UUID
    kind: str
    words: str
    title: str
    why: str
    task_id: UUID
    case_id: UUID
    at: datetime


def notices(*, principal: Principal) -> tuple[Notice, ...]:
    """Return what a person has not yet seen of tasks that are still open, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT n.id, n.kind, t.title, t.escalated_why, n.task_id, n.case_id, n.at
              FROM orch_notice n JOIN orch_task t ON t.id = n.task_id
             WHERE {_MINE} AND t.state = 'open' AND NOT t.excluded && %(names)s::text[]
               AND NOT EXISTS (SELECT FROM orch_notice_seen s
                                WHERE s.notice_id = n.id AND s.principal_id = %(person)s)
             ORDER BY n.at DESC, n.id LIMIT %(limit)s
            """,  # noqa: S608  (the condition is a constant of this module)
            {
                **_who(principal),
                "names": list(persons.names_of(principal)),
                "limit": _SHOWN_MAX,
            },
        )
        return tuple(
            Notice(notice_id, kind, _WORDS[kind], title, why, task_id, case_id, at)
            for notice_id, kind, title, why, task_id, case_id, at in cursor.fetchall()
        )


def see_notice(*, notice_id: UUID, principal: Principal, at: datetime) -> None:
    """Note that a person has seen a notice; it is shown to them no more.

    Raises:
        NoticeUnknown: there is no such notice for this person.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO orch_notice_seen (notice_id, principal_id, at)
            SELECT n.id, %(person)s, %(at)s FROM orch_notice n WHERE n.id = %(id)s AND {_MINE}
            ON CONFLICT (notice_id, principal_id) DO UPDATE SET at = orch_notice_seen.at
            """,  # noqa: S608  (the condition is a constant of this module)
            {**_who(principal), "id": notice_id, "at": at},
        )
        if cursor.rowcount == 0:
            raise NoticeUnknown(str(notice_id))


def notify_once(*, clock: Clock = database_time) -> int:
    """Tell what the feed says is pressing, and send the messages that are due; return how many."""
    at = clock()
    told = _tell(at)
    return told + _send(at)


def _tell(at: datetime) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO orch_notice_cursor DEFAULT VALUES ON CONFLICT DO NOTHING")
        cursor.execute("SELECT cursor FROM orch_notice_cursor FOR UPDATE")
        (place,) = cursor.fetchone()
        events = feed.events_after(cursor=place, limit=_LINES_MAX)
        if not events:
            return 0
        told = sum(
            _keep(_KINDS[event.type], event.payload, at) for event in events if event.type in _KINDS
        )
        cursor.execute("UPDATE orch_notice_cursor SET cursor = %s", [events[-1].cursor])
    return told


def _keep(kind: str, said: Mapping[str, object], at: datetime) -> bool:
    """Write a notice and whom it is sent to, once for each task, kind and role."""
    task_id, case_id = UUID(str(said["task_id"])), UUID(str(said["case_id"]))
    role, assignee = str(said["role"]), said.get("assignee")
    # Work that will be late is its holder's to hurry; work that is late is everybody's.
    person = str(assignee) if assignee and kind == ESCALATED else None
    notice_id = uuid5(task_id, f"{kind}|{role}")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_notice (id, kind, role, person, task_id, case_id, at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [notice_id, kind, role, person, task_id, case_id, at],
        )
        if cursor.rowcount == 0:
            return False
        cursor.execute(
            """
            INSERT INTO orch_notice_message (notice_id, recipient)
            SELECT %(id)s, people.who
              FROM (SELECT w.principal_id AS who FROM orch_worker w
                     WHERE %(role)s = ANY(w.roles) AND %(person)s::text IS NULL
                     UNION SELECT %(person)s WHERE %(person)s::text IS NOT NULL) people
             WHERE people.who LIKE 'employee:%%'
               AND NOT EXISTS (SELECT FROM orch_task t
                                WHERE t.id = %(task)s
                                  AND t.excluded && ARRAY[people.who, substr(people.who, 10)])
             ORDER BY people.who LIMIT %(limit)s
            """,
            {
                "id": notice_id,
                "role": role,
                "person": person,
                "task": task_id,
                "limit": _PEOPLE_MAX,
            },
        )
    feed.publish(
        event_type="task.noticed",
        subject=f"task:{task_id}",
        payload={"role": role, "case_id": str(case_id), "task_id": str(task_id)},
        at=at,
    )
    return True


def _send(at: datetime) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.notice_id, m.recipient, n.kind, n.case_id FROM orch_notice_message m"
            " JOIN orch_notice n ON n.id = m.notice_id WHERE m.state = 'due'"
            " ORDER BY n.at, m.notice_id, m.recipient LIMIT %s",
            [_MESSAGES_MAX],
        )
        due = cursor.fetchall()
    return sum(
        _send_one(notice_id, recipient, kind, case_id, at)
        for notice_id, recipient, kind, case_id in due
    )


def _send_one(notice_id: UUID, recipient: str, kind: str, case_id: UUID, at: datetime) -> bool:
    """Send one message under the mandate for notifications; its key keeps it from going twice."""
    parameters = {"recipient": recipient, "template": f"task_{kind}", "case": str(case_id)}
    try:
        act.perform_mandate(
            mandate="notifications",
            kind="messages.send",
            parameters=parameters,
            resource=f"notice:{notice_id}",
            idempotency_key=f"notice:{notice_id}:{recipient}",
            at=at,
        )
        state = "sent"
    except act.MandateRefused:
        state = "refused"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_notice_message SET state = %s, at = %s"
            " WHERE notice_id = %s AND recipient = %s AND state = 'due'",
            [state, at, notice_id, recipient],
        )
    return state == "sent"


def _who(principal: Principal) -> dict[str, str | list[str]]:
    return {"roles": list(principal.roles), "person": principal.id}
