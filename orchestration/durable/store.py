"""Rows of the engine: instances, history and inbox, written with as few statements as possible."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from orchestration.core.events import Event
from orchestration.core.history import Entry
from orchestration.core.state import InstanceState
from orchestration.durable.texts import from_text, to_text


class InstanceUnknown(LookupError):
    """No such instance is known to this legal entity."""

    code = "instance_unknown"
    is_retryable = False

    def __init__(self, instance_id: str) -> None:
        super().__init__(instance_id)
        self.instance_id = instance_id


class InstanceMoved(RuntimeError):
    """Somebody else has moved the instance since it was read; nothing was written."""

    code = "instance_moved"
    is_retryable = True

    def __init__(self, instance_id: str, rev: int) -> None:
        super().__init__(instance_id, rev)
        self.instance_id, self.rev = instance_id, rev


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """One run of a drawing as stored; `rev` is the fencing number of its next write."""

    id: UUID
    definition: str
    process: str
    status: str
    is_paused: bool
    state: InstanceState
    rev: int
    case_id: UUID
    conversation_id: UUID | None
    customer_id: UUID | None
    principal: str
    parent_id: UUID | None
    parent_token: str | None
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message in the inbox of an instance."""

    position: int
    event: Event
    at: datetime


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One event in the life of an instance and what followed from it."""

    seq: int
    event: Event
    entries: tuple[Entry, ...]
    ignored: str | None
    at: datetime


_COLUMNS = (
    "id, definition, process, status, is_paused, state, rev, case_id, conversation_id,"
    " customer_id, principal, parent_id, parent_token, started_at"
)
_STATE = 5
# The columns are a constant of this module; values are always bound.
_LOCK = f"SELECT {_COLUMNS} FROM orch_instance WHERE id = %s FOR NO KEY UPDATE"  # noqa: S608
_LOCK_FREE = _LOCK + " SKIP LOCKED"
_READ = f"SELECT {_COLUMNS} FROM orch_instance WHERE id = %s"  # noqa: S608

_SAVE = """
WITH moved AS (
    UPDATE orch_instance
       SET state = %(state)s, status = %(status)s, rev = rev + %(count)s,
           updated_at = clock_timestamp(),
           end_node = coalesce(%(end_node)s, end_node),
           ended_at = CASE WHEN %(is_ended)s THEN coalesce(ended_at, %(last)s) END
     WHERE id = %(id)s AND rev = %(rev)s
 RETURNING id
), written AS (
    INSERT INTO orch_history (instance_id, seq, event, entries, ignored, at)
    SELECT moved.id, line.*
      FROM moved, unnest(%(seqs)s::bigint[], %(events)s::text[], %(entries)s::text[],
           %(ignored)s::text[], %(ats)s::timestamptz[]) AS line
), taken AS (
    UPDATE orch_inbox SET taken_at = clock_timestamp()
     WHERE position = ANY(%(taken)s)
)
SELECT count(*) FROM moved
"""


def insert_instance(row: InstanceRow) -> None:
    """Write a new instance to which nothing has happened yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orch_instance (id, definition, process, status, state, case_id,
                   conversation_id, customer_id, principal, parent_id, parent_token, started_at)
            VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
            """,
            [
                row.id,
                row.definition,
                row.process,
                row.status,
                to_text(row.state),
                row.case_id,
                row.conversation_id,
                row.customer_id,
                row.principal,
                row.parent_id,
                row.parent_token,
                row.started_at,
            ],
        )


def lock_instance(instance_id: UUID, *, is_waiting: bool) -> InstanceRow | None:
    """Lock and return an instance; None when it is not there, or busy and not waited for."""
    return _instance(_LOCK if is_waiting else _LOCK_FREE, instance_id)


def read_instance(instance_id: UUID) -> InstanceRow:
    """Return an instance as last written.

    Raises:
        InstanceUnknown: there is none with this id.
    """
    found = _instance(_READ, instance_id)
    if found is None:
        raise InstanceUnknown(str(instance_id))
    return found


def _instance(statement: str, instance_id: UUID) -> InstanceRow | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [instance_id])
        row = cursor.fetchone()
    if row is None:
        return None
    values = list(row)
    values[_STATE] = from_text(row[_STATE], InstanceState)
    return InstanceRow(*values)


def save_progress(
    row: InstanceRow,
    state: InstanceState,
    rows: Sequence[HistoryRow],
    taken: Sequence[int],
    end_node: str | None,
) -> None:
    """Write what several events led to: history, state and taken messages, in one statement.

    Raises:
        InstanceMoved: the stored `rev` is no longer the one the work began from.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _SAVE,
            {
                "state": to_text(state),
                "status": state.status.value,
                "is_ended": state.is_ended,
                "count": len(rows),
                "last": rows[-1].at,
                "id": row.id,
                "rev": row.rev,
                "seqs": [each.seq for each in rows],
                "events": [to_text(each.event) for each in rows],
                "entries": [to_text(each.entries) for each in rows],
                "ignored": [each.ignored for each in rows],
                "ats": [each.at for each in rows],
                "taken": list(taken),
                "end_node": end_node,
            },
        )
        if cursor.fetchone() != (1,):
            raise InstanceMoved(str(row.id), row.rev)


def deliver(*, instance_id: UUID, message_id: UUID, event: Event, at: datetime) -> bool:
    """Put an event into an instance's inbox, once; return whether it is new."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_inbox (id, instance_id, event, at) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (entity, id) DO NOTHING",
            [message_id, instance_id, to_text(event), at],
        )
        return bool(cursor.rowcount == 1)


def waiting_messages(instance_id: UUID) -> tuple[Arrival, ...]:
    """Return what has come in for an instance and was not taken yet, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT position, event, at FROM orch_inbox"
            " WHERE instance_id = %s AND taken_at IS NULL ORDER BY position",
            [instance_id],
        )
        rows = cursor.fetchall()
    return tuple(Arrival(at, _event(text), moment) for at, text, moment in rows)


def history_of(instance_id: UUID) -> tuple[HistoryRow, ...]:
    """Return everything that has happened to an instance, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT seq, event, entries, ignored, at FROM orch_history"
            " WHERE instance_id = %s ORDER BY seq",
            [instance_id],
        )
        rows = cursor.fetchall()
    return tuple(
        HistoryRow(seq, _event(event), from_text(entries, tuple), ignored, at)
        for seq, event, entries, ignored, at in rows
    )


def set_paused(instance_id: UUID, *, is_paused: bool) -> None:
    """Hold an instance, or let it go on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_instance SET is_paused = %s, rev = rev + 0 WHERE id = %s",
            [is_paused, instance_id],
        )


def _event(text: str) -> Event:
    event: Event = from_text(text, object)  # type: ignore[assignment]  # only events are stored
    return event
