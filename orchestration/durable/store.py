"""Rows of the engine: instances, inbox and history, read with as few statements as possible."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from uuid import UUID

from django.db import connection

from orchestration.core.events import Event
from orchestration.core.history import Entry
from orchestration.core.state import InstanceState
from orchestration.durable import statements
from orchestration.durable.texts import PART, entries_of, from_text, line_texts, to_text


class InstanceUnknown(LookupError):
    """No such instance is known to this legal entity."""

    code = "instance_unknown"
    is_retryable = False

    def __init__(self, instance_id: str) -> None:
        super().__init__(instance_id)
        self.instance_id = instance_id


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """One run of a drawing as stored; `rev` is the fencing number of its next write.

    `moves` counts what it has done since it last waited, `bindings` names the versions of called
    processes that were fixed when it began.
    """

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
    queue: str = "default"
    priority: int = 0
    bindings: str | None = None
    has_messages: bool = False
    has_calls: bool = False
    moves: int = 0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message in the inbox of an instance; `bus_id` names one that can be given back."""

    position: int
    event: Event
    at: datetime
    bus_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One event in the life of an instance and what followed from it."""

    seq: int
    event: Event
    entries: tuple[Entry, ...]
    ignored: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Beginning:
    """An instance as it was begun, and the event that set it off; it may be in any state now."""

    id: UUID
    definition: str
    process: str
    customer_id: UUID | None
    case_id: UUID
    parent_id: UUID | None
    event: Event


# Columns are constants of this module; values are always bound.
_COLUMNS = """
    i.id, i.definition, i.process, i.status, i.is_paused, i.state, i.rev, i.case_id,
    i.conversation_id, i.customer_id, i.principal, i.parent_id, i.parent_token, i.started_at,
    i.queue, i.priority, i.bindings,
    EXISTS (SELECT FROM orch_inbox m WHERE m.instance_id = i.id AND m.taken_at IS NULL),
    EXISTS (SELECT FROM orch_call c WHERE c.instance_id = i.id AND c.state = 'due'),
    coalesce((SELECT y.moves FROM orch_ready y WHERE y.instance_id = i.id), 0)
"""
_STATE = 5
_READ = f"SELECT {_COLUMNS} FROM orch_instance i WHERE i.id = %s"  # noqa: S608
_LOCK = _READ + " FOR NO KEY UPDATE OF i"
_LOCK_FREE = _LOCK + " SKIP LOCKED"
# What a worker claimed and still holds; it is not locked, for the fence guards the write.
_HELD = f"""
SELECT {_COLUMNS}, r.fence
  FROM unnest(%s::uuid[], %s::bigint[]) AS w(id, fence)
  JOIN orch_ready r ON r.instance_id = w.id AND r.fence = w.fence
   AND r.lease_until > clock_timestamp()
  JOIN orch_instance i ON i.id = w.id
"""  # noqa: S608

_HAS_TRACES = """
      EXISTS (SELECT FROM orch_call c WHERE c.instance_id = w.id AND c.state <> 'closed')
    OR EXISTS (SELECT FROM orch_task t WHERE t.instance_id = w.id AND t.state = 'open')
    OR EXISTS (SELECT FROM orch_card d WHERE d.instance_id = w.id AND d.state = 'open')
    OR EXISTS (SELECT FROM orch_incident n WHERE n.instance_id = w.id AND n.resolved_at IS NULL)
    OR EXISTS (SELECT FROM orch_subscription s WHERE s.instance_id = w.id)
"""
_TRACED = f"SELECT w.id FROM unnest(%s::uuid[]) AS w(id) WHERE {_HAS_TRACES}"  # noqa: S608
# Of one instance: planned once, where the server plans anew for every array.
_IS_TRACED = f"SELECT w.id FROM (VALUES (%s::uuid)) AS w(id) WHERE {_HAS_TRACES}"  # noqa: S608


def insert_instance(row: InstanceRow) -> bool:
    """Write a new instance; False if its id is taken."""
    return row.id in insert_instances([row])


def insert_instances(rows: Sequence[InstanceRow]) -> set[UUID]:
    """Write new instances as they stand, in one statement; return those whose id was free."""
    written = statements.run(
        """
        INSERT INTO orch_instance (id, definition, process, status, state, rev, case_id,
               conversation_id, customer_id, principal, parent_id, parent_token, started_at,
               queue, priority, bindings)
        SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[],
               string_to_array(%s, chr(30)), %s::bigint[], %s::uuid[], %s::uuid[], %s::uuid[],
               string_to_array(%s, chr(30)), %s::uuid[], %s::text[], %s::timestamptz[],
               %s::text[], %s::smallint[], %s::text[])
        ON CONFLICT (id) DO NOTHING RETURNING id
        """,
        [
            [row.id for row in rows],
            [row.definition for row in rows],
            [row.process for row in rows],
            [row.status for row in rows],
            PART.join(to_text(row.state) for row in rows),
            [row.rev for row in rows],
            [row.case_id for row in rows],
            [row.conversation_id for row in rows],
            [row.customer_id for row in rows],
            PART.join(row.principal for row in rows),
            [row.parent_id for row in rows],
            [row.parent_token for row in rows],
            [row.started_at for row in rows],
            [row.queue for row in rows],
            [row.priority for row in rows],
            [row.bindings for row in rows],
        ],
    )
    return {row[0] for row in written}


def insert_history(lines: Sequence[tuple[UUID, HistoryRow]]) -> None:
    """Write the first lines of new instances."""
    if not lines:
        return
    texts = [line_texts(line.event, line.entries) for _, line in lines]
    statements.count(
        """
        INSERT INTO orch_history (instance_id, seq, event, entries, ignored, at)
        SELECT * FROM unnest(%s::uuid[], %s::bigint[], string_to_array(%s, chr(30)),
               string_to_array(%s, chr(30)), %s::text[], %s::timestamptz[])
        """,
        [
            [instance_id for instance_id, _ in lines],
            [line.seq for _, line in lines],
            PART.join(event for event, _ in texts),
            PART.join(entries for _, entries in texts),
            [line.ignored for _, line in lines],
            [line.at for _, line in lines],
        ],
    )


def deliver_all(arrivals: Sequence[tuple[UUID, UUID, Event, datetime]]) -> None:
    """Put events into the inboxes of instances, each once: message, instance, event, instant."""
    if not arrivals:
        return
    statements.count(
        """
        INSERT INTO orch_inbox (id, instance_id, event, at)
        SELECT * FROM unnest(%s::uuid[], %s::uuid[], string_to_array(%s, chr(30)),
               %s::timestamptz[])
        ON CONFLICT (entity, id) DO NOTHING
        """,
        [
            [message_id for message_id, _, _, _ in arrivals],
            [instance_id for _, instance_id, _, _ in arrivals],
            PART.join(to_text(event) for _, _, event, _ in arrivals),
            [at for _, _, _, at in arrivals],
        ],
    )


def with_traces(instance_ids: Sequence[UUID]) -> set[UUID]:
    """Return the instances of which something is open that their end must clear away."""
    if not instance_ids:
        return set()
    if len(instance_ids) == 1:
        return {row[0] for row in statements.run(_IS_TRACED, [instance_ids[0]])}
    return {row[0] for row in statements.run(_TRACED, [list(instance_ids)])}


def lock_instance(instance_id: UUID, *, is_waiting: bool) -> InstanceRow | None:
    """Lock and return an instance; None when it is not there, or busy and not waited for."""
    rows = statements.run(_LOCK if is_waiting else _LOCK_FREE, [instance_id])
    return _instance(rows[0]) if rows else None


def read_instance(instance_id: UUID) -> InstanceRow:
    """Return an instance as last written.

    Raises:
        InstanceUnknown: there is none with this id.
    """
    rows = statements.run(_READ, [instance_id])
    if not rows:
        raise InstanceUnknown(str(instance_id))
    return _instance(rows[0])


def beginnings_of(first_messages: Mapping[UUID, UUID]) -> dict[UUID, Beginning]:
    """Return how instances began, each with the id its first event would have in its inbox."""
    rows = statements.run(
        """
        SELECT i.id, i.definition, i.process, i.customer_id, i.case_id, i.parent_id,
               coalesce(b.event, h.event)
          FROM unnest(%s::uuid[], %s::uuid[]) AS w(id, message_id)
          JOIN orch_instance i ON i.id = w.id
          LEFT JOIN orch_inbox b ON b.id = w.message_id AND b.instance_id = w.id
          LEFT JOIN orch_history h ON h.instance_id = w.id AND h.seq = 0
        """,
        [list(first_messages), list(first_messages.values())],
    )
    return {row[0]: Beginning(*(*row[:-1], event_of(row[-1]))) for row in rows}


def held_instances(
    instance_ids: Sequence[UUID], fences: Sequence[int]
) -> tuple[tuple[InstanceRow, int], ...]:
    """Return the claimed instances whose lease still holds, each with its fence."""
    rows = statements.run(_HELD, [list(instance_ids), list(fences)])
    return tuple((_instance(row[:-1]), row[-1]) for row in rows)


def _instance(row: statements.Row) -> InstanceRow:
    values = list(row)
    values[_STATE] = from_text(row[_STATE], InstanceState)
    return InstanceRow(*values)


def deliver(
    *,
    instance_id: UUID,
    message_id: UUID,
    event: Event,
    at: datetime,
    bus_id: UUID | None = None,
) -> bool:
    """Put an event into an instance's inbox, once; return whether it is new.

    Workers find it there: nothing else need be told, and nothing of the instance is locked.
    """
    return _deliver(instance_id, message_id, event, at, bus_id, is_taken=False)


def take_in(*, instance_id: UUID, message_id: UUID, event: Event, at: datetime) -> bool:
    """Note an event that its caller takes in the same transaction; return whether it is new."""
    return _deliver(instance_id, message_id, event, at, None, is_taken=True)


def _deliver(
    instance_id: UUID,
    message_id: UUID,
    event: Event,
    at: datetime,
    bus_id: UUID | None,
    *,
    is_taken: bool,
) -> bool:
    written = statements.count(
        "INSERT INTO orch_inbox (id, instance_id, event, at, bus_id, taken_at)"
        " VALUES (%s, %s, %s, %s, %s, CASE WHEN %s THEN clock_timestamp() END)"
        " ON CONFLICT (entity, id) DO NOTHING",
        [message_id, instance_id, to_text(event), at, bus_id, is_taken],
    )
    return written == 1


def waiting_messages(instance_ids: Sequence[UUID]) -> dict[UUID, list[Arrival]]:
    """Return what has come in for instances and was not taken yet, in order."""
    rows = statements.run(
        "SELECT instance_id, position, event, at, bus_id FROM orch_inbox"
        " WHERE instance_id = ANY(%s) AND taken_at IS NULL ORDER BY position",
        [list(instance_ids)],
    )
    found: dict[UUID, list[Arrival]] = {}
    for instance_id, position, text, at, bus_id in rows:
        arrival = Arrival(position, event_of(text), at, bus_id)
        found.setdefault(instance_id, []).append(arrival)
    return found


def history_of(instance_id: UUID, *, to_seq: int | None = None) -> tuple[HistoryRow, ...]:
    """Return everything that has happened to an instance, in order, or up to one event."""
    rows = statements.run(
        "SELECT seq, event, entries, ignored, at FROM orch_history"
        " WHERE instance_id = %s AND seq <= coalesce(%s::bigint, seq) ORDER BY seq",
        [instance_id, to_seq],
    )
    return tuple(_line(*row) for row in rows)


def histories_of(instance_ids: Sequence[UUID]) -> dict[UUID, tuple[HistoryRow, ...]]:
    """Return everything that has happened to instances, in order for each."""
    rows = statements.run(
        "SELECT instance_id, seq, event, entries, ignored, at FROM orch_history"
        " WHERE instance_id = ANY(%s) ORDER BY instance_id, seq",
        [list(instance_ids)],
    )
    return {
        instance_id: tuple(_line(*row[1:]) for row in lines)
        for instance_id, lines in groupby(rows, key=itemgetter(0))
    }


def _line(seq: int, event: str, entries: str, ignored: str | None, at: datetime) -> HistoryRow:
    return HistoryRow(seq, event_of(event), entries_of(event, entries), ignored, at)


def set_paused(instance_id: UUID, *, is_paused: bool) -> None:
    """Hold an instance, or let it go on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_instance SET is_paused = %s WHERE id = %s", [is_paused, instance_id]
        )


def set_definition(instance_id: UUID, digest: str) -> None:
    """Pin an instance to another version, in the transaction that moves it there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_instance SET definition = %s WHERE id = %s", [digest, instance_id]
        )


def event_of(text: str) -> Event:
    """Return the event of a text."""
    event: Event = from_text(text, object)  # type: ignore[assignment]  # only events are stored
    return event
