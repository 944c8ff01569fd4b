"""Cases: what belongs together for the bank's people, with its history in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

import sentinel.public
from orchestration import feed


class CaseUnknown(LookupError):
    """No such case is known to this legal entity, or not to this person."""

    code = "case_unknown"
    is_retryable = False

    def __init__(self, case_id: str) -> None:
        super().__init__(case_id)
        self.case_id = case_id


@dataclass(frozen=True, slots=True)
class NewCase:
    """A case to open."""

    id: UUID
    journey: str
    title: str
    customer_id: UUID | None
    conversation_id: UUID | None
    instance_id: UUID | None
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """A case as stored; `state` is open (staff), waiting (the customer) or closed."""

    id: UUID
    number: str
    journey: str
    title: str
    customer_id: UUID | None
    conversation_id: UUID | None
    instance_id: UUID | None
    state: str
    opened_at: datetime
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Note:
    """One line of a case's history; `actor` is a principal id, or `system`."""

    at: datetime
    actor: str
    kind: str
    words: str
    reference: str


_COLUMNS = (
    "id, number, journey, title, customer_id, conversation_id, instance_id, state, opened_at,"
    " closed_at"
)


def open_case(new: NewCase) -> str:
    """Open a case and return the number people call it by."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH next AS (SELECT nextval(pg_get_serial_sequence('orch_case', 'serial')) AS serial)
            INSERT INTO orch_case (serial, id, number, journey, title, customer_id,
                                   conversation_id, instance_id, state, opened_at)
            SELECT serial, %s, %s || to_char(serial, 'FM000000'), %s, %s, %s, %s, %s, 'waiting', %s
              FROM next
         RETURNING number
            """,
            [
                new.id,
                f"{_initials()}-{new.at.year}-",
                new.journey,
                new.title,
                new.customer_id,
                new.conversation_id,
                new.instance_id,
                new.at,
            ],
        )
        (number,) = cursor.fetchone()
    return str(number)


def read_case(case_id: UUID) -> CaseRecord:
    """Return a case.

    Raises:
        CaseUnknown: there is none with this id.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_COLUMNS} FROM orch_case WHERE id = %s", [case_id])  # noqa: S608
        row = cursor.fetchone()
    if row is None:
        raise CaseUnknown(str(case_id))
    return CaseRecord(*row)


def set_state(case_id: UUID, state: str, at: datetime) -> None:
    """Say who a case waits for now, or that it is closed; unchanged states make no noise."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE orch_case
               SET state = %(state)s, closed_at = CASE WHEN %(state)s = 'closed' THEN %(at)s END
             WHERE id = %(id)s AND state <> %(state)s
         RETURNING customer_id
            """,
            {"id": case_id, "state": state, "at": at},
        )
        row = cursor.fetchone()
    if row is not None:
        changed(case_id, row[0], at)


def changed(case_id: UUID, customer_id: UUID | None, at: datetime) -> None:
    """Tell the feed that a case looks different now."""
    payload = {"case_id": str(case_id), "customer_id": str(customer_id) if customer_id else None}
    feed.publish(event_type="case.changed", subject=f"case:{case_id}", payload=payload, at=at)


def add_note(case_id: UUID, note: Note) -> None:
    """Write the next line of a case's history."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_case_note (case_id, at, actor, kind, words, reference)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [case_id, note.at, note.actor, note.kind, note.words, note.reference],
        )


def notes_of(case_id: UUID) -> tuple[Note, ...]:
    """Return the history of a case in words, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT at, actor, kind, words, reference FROM orch_case_note"
            " WHERE case_id = %s ORDER BY position",
            [case_id],
        )
        return tuple(Note(*row) for row in cursor.fetchall())


def find_cases(*, search: str, state: str | None, limit: int) -> tuple[CaseRecord, ...]:
    """Return cases by number, title or customer, newest first."""
    pattern = "%" + search.strip().replace("\\", "").replace("%", "").replace("_", r"\_") + "%"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {_COLUMNS} FROM orch_case
             WHERE (number ILIKE %(text)s OR title ILIKE %(text)s)
               AND (%(state)s::text IS NULL OR state = %(state)s)
             ORDER BY opened_at DESC, serial DESC
             LIMIT %(limit)s
            """,  # noqa: S608  (the column list is a constant of this module)
            {"text": pattern, "state": state, "limit": limit},
        )
        return tuple(CaseRecord(*row) for row in cursor.fetchall())


def _initials() -> str:
    entity = sentinel.public.current_entity()
    names: Mapping[str, str] = {each.entity: each.name for each in sentinel.public.legal_entities()}
    words = names.get(entity, entity).replace("-", " ").split()
    return "".join(word[0] for word in words if word[0].isalnum()).upper()[:4]
