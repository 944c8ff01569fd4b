"""Cases: what belongs together for the bank's people, with its history in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

import sentinel.public
from orchestration import feed
from orchestration.durable import statements


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases are looked for."""

    search: str = ""
    state: str | None = None
    customer_id: UUID | None = None


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


@dataclass(frozen=True, slots=True)
class NumberedCase:
    """A case to open under a number that is its own already, with the first line it has."""

    case: NewCase
    serial: int
    number: str
    opened: Note


def reserve_numbers(count: int, at: datetime) -> tuple[tuple[int, str], ...]:
    """Return the serials and numbers of so many cases; what is never opened leaves a gap."""
    first = f"{_initials()}-{at.year}-"
    rows = statements.run(
        "SELECT serial, %s || to_char(serial, 'FM000000') FROM ("
        "SELECT nextval(pg_get_serial_sequence('orch_case', 'serial')) AS serial"
        "  FROM generate_series(1, %s)) AS next ORDER BY serial",
        [first, count],
    )
    return tuple((serial, number) for serial, number in rows)


def open_cases(opened: Sequence[NumberedCase]) -> None:
    """Open cases with their first lines, all of them in two statements."""
    cases = [each.case for each in opened]
    statements.count(
        """
        INSERT INTO orch_case (serial, id, number, journey, title, customer_id, conversation_id,
                               instance_id, state, opened_at)
        SELECT c.serial, c.id, c.number, c.journey, c.title, c.customer_id, c.conversation_id,
               c.instance_id, 'waiting', c.opened_at
          FROM unnest(%s::bigint[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::uuid[],
                      %s::uuid[], %s::uuid[], %s::timestamptz[])
               AS c(serial, id, number, journey, title, customer_id, conversation_id,
                    instance_id, opened_at)
        """,
        [
            [each.serial for each in opened],
            [each.id for each in cases],
            [each.number for each in opened],
            [each.journey for each in cases],
            [each.title for each in cases],
            [each.customer_id for each in cases],
            [each.conversation_id for each in cases],
            [each.instance_id for each in cases],
            [each.at for each in cases],
        ],
    )
    statements.count(
        "INSERT INTO orch_case_note (case_id, at, actor, kind, words, reference)"
        " SELECT * FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::text[],"
        " %s::text[], %s::text[])",
        [
            [each.case.id for each in opened],
            [each.opened.at for each in opened],
            [each.opened.actor for each in opened],
            [each.opened.kind for each in opened],
            [each.opened.words for each in opened],
            [each.opened.reference for each in opened],
        ],
    )


def hold(case_id: UUID) -> None:
    """Let nobody else hold or change this case until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM orch_case WHERE id = %s FOR NO KEY UPDATE", [case_id])


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


def is_known(case_id: UUID) -> bool:
    """Tell whether a case has been opened."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM orch_case WHERE id = %s", [case_id])
        return cursor.fetchone() is not None


def set_state(case_id: UUID, state: str, at: datetime) -> None:
    """Say who a case waits for now, or that it is closed; unchanged states make no noise."""
    found = statements.run(
        """
        UPDATE orch_case
           SET state = %(state)s,
               closed_at = CASE WHEN %(state)s = 'closed' THEN %(at)s::timestamptz END
         WHERE id = %(id)s AND state <> %(state)s
     RETURNING customer_id
        """,
        {"id": case_id, "state": state, "at": at},
    )
    if found:
        changed(case_id, found[0][0], at)


def changed(case_id: UUID, customer_id: UUID | None, at: datetime) -> None:
    """Tell the feed that a case looks different now."""
    payload = {"case_id": str(case_id), "customer_id": str(customer_id) if customer_id else None}
    feed.publish(event_type="case.changed", subject=f"case:{case_id}", payload=payload, at=at)


def add_note(case_id: UUID, note: Note) -> None:
    """Write the next line of a case's history."""
    statements.count(
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


def find_cases(
    *, wanted: Wanted, whose: str | None, values: Mapping[str, str | list[str]], limit: int
) -> tuple[CaseRecord, ...]:
    """Return cases by number or title, newest first.

    `whose` is true of the tasks `t` that make a case somebody's, with the values it needs; without
    it every case is found.
    """
    own = (
        f"EXISTS (SELECT FROM orch_task t WHERE t.case_id = c.id AND {whose})" if whose else "true"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {_COLUMNS} FROM orch_case c
             WHERE (number ILIKE %(text)s OR title ILIKE %(text)s)
               AND (%(state)s::text IS NULL OR state = %(state)s)
               AND (%(customer)s::uuid IS NULL OR customer_id = %(customer)s) AND {own}
             ORDER BY opened_at DESC, serial DESC
             LIMIT %(limit)s
            """,  # noqa: S608  (columns and condition are constants of this layer)
            {
                **values,
                "text": _containing(wanted.search),
                "state": wanted.state,
                "customer": wanted.customer_id,
                "limit": limit,
            },
        )
        return tuple(CaseRecord(*row) for row in cursor.fetchall())


def _containing(text: str) -> str:
    """Return the pattern that finds a text exactly as it was typed, signs of LIKE included."""
    escaped = text.strip().replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"


def _initials() -> str:
    entity = sentinel.public.current_entity()
    names: Mapping[str, str] = {each.entity: each.name for each in sentinel.public.legal_entities()}
    words = names.get(entity, entity).replace("-", " ").split()
    return "".join(word[0] for word in words if word[0].isalnum()).upper()[:4]


def cases_about(*, customer_id: UUID) -> tuple[CaseRecord, ...]:
    """Return every case of a customer, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM orch_case WHERE customer_id = %s ORDER BY opened_at DESC, id",
            [customer_id],
        )
        found = [case_id for (case_id,) in cursor.fetchall()]
    return tuple(read_case(case_id) for case_id in found)
