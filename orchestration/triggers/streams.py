"""Consumers of feeds: every event at least once, worked on once, with its place in our commit."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection, transaction

from orchestration.durable.calls import STEP_FAULTS
from orchestration.durable.faults import crash_point

LATENCY_EVENTS = 1000
# Of the database, not of what is worked on: the work is done again as a whole.
TROUBLE = (OperationalError, InterfaceError)
_ERROR_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One event of a feed; `cursor` asks for what comes after it, `id` tells it from all others."""

    cursor: str
    id: str
    occurred_at: datetime
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class StreamFigures:
    """How many events a consumer has taken, and the seconds from an event to its effect."""

    consumer: str
    taken: int
    failed: int
    latency_p50_seconds: float | None
    latency_p99_seconds: float | None


def consume(
    *,
    consumer: str,
    read: Callable[[str, int], Sequence[StreamEvent]],
    handle: Callable[[StreamEvent], None],
    limit: int,
) -> int:
    """Work on the next events of a feed in one commit with its cursor; return how many were new.

    An event whose handling breaks is kept with its error and passed over: one bad event does not
    stop those behind it. Another process that holds the consumer leaves it alone.

    Raises:
        OperationalError, InterfaceError: the database is in trouble (a deadlock, a lost session),
            which is no fault of the event: nothing is kept, and the same events come again.
    """
    with transaction.atomic():
        cursor = _held(consumer)
        if cursor is None:
            return 0
        events = read(cursor, limit)
        taken = sum(_take(consumer, event, handle) for event in events)
        if events:
            _go_on(consumer, events[-1].cursor, dropped=len(events) - taken)
        crash_point("stream_taken")
    return taken


def stream_figures(*, consumer: str) -> StreamFigures:
    """Return what a consumer has done, and how long its last events took from end to end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE error <> '') FROM orch_stream_event"
            " WHERE entity = frontline_entity() AND consumer = %s",
            [consumer],
        )
        taken, failed = cursor.fetchone()
        cursor.execute(
            """
            SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds),
                   percentile_cont(0.99) WITHIN GROUP (ORDER BY seconds)
              FROM (SELECT extract(epoch FROM consumed_at - occurred_at)::float AS seconds
                      FROM orch_stream_event
                     WHERE entity = frontline_entity() AND consumer = %s
                     ORDER BY consumed_at DESC LIMIT %s) AS last
            """,
            [consumer, LATENCY_EVENTS],
        )
        middle, late = cursor.fetchone()
    return StreamFigures(consumer, taken, failed, middle, late)


def _held(consumer: str) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_stream (consumer) VALUES (%s) ON CONFLICT DO NOTHING", [consumer]
        )
        cursor.execute(
            "SELECT cursor FROM orch_stream WHERE entity = frontline_entity() AND consumer = %s"
            " FOR UPDATE SKIP LOCKED",
            [consumer],
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _take(consumer: str, event: StreamEvent, handle: Callable[[StreamEvent], None]) -> bool:
    if _is_taken(consumer, event.id):
        return False
    error = ""
    try:
        with transaction.atomic():
            handle(event)
    except TROUBLE:
        raise
    except STEP_FAULTS as broken:
        error = str(getattr(broken, "code", type(broken).__name__))[:_ERROR_LENGTH_MAX]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_stream_event (consumer, event_id, occurred_at, error)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [consumer, event.id, event.occurred_at, error],
        )
    return True


def _is_taken(consumer: str, event_id: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM orch_stream_event WHERE entity = frontline_entity()"
            " AND consumer = %s AND event_id = %s",
            [consumer, event_id],
        )
        return cursor.fetchone() is not None


def _go_on(consumer: str, to: str, *, dropped: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_stream SET cursor = %s, dropped = dropped + %s,"
            " moved_at = clock_timestamp() WHERE entity = frontline_entity() AND consumer = %s",
            [to, dropped, consumer],
        )
