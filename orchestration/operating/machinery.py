"""The machinery as operations sees it: what begins flows, how queues stand, how feeds are read."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

import nexus.public
from orchestration.operating.role import require_operations
from orchestration.operating.running import flow_name
from orchestration.triggers import rows
from orchestration.triggers.changes import CONSUMER
from orchestration.triggers.receiving import Trigger, triggers_in_force
from orchestration.triggers.streams import stream_figures
from sentinel.vocabulary import Principal

BEHIND_MAX = 1_000


@dataclass(frozen=True, slots=True)
class TriggerRow:
    """One way in which a flow begins: what it waits for, how it stands, what it has done so far."""

    name: str
    short_name: str
    kind: str
    process: str
    flow_name: str
    waits_for: str
    mandate: str
    is_paused: bool
    paused_by: str
    reason: str
    due_at: datetime | None
    started: int
    refused: int
    last_at: datetime | None
    last_code: str


@dataclass(frozen=True, slots=True)
class QueueRow:
    """How a queue of work stands; without a `cap` as much is in hand at once as there are workers.

    `waiting` is due and in nobody's hand, `later` waits for a time, `put_aside` has cost one worker
    after the other, `incidents` wait for a person. `oldest` is how long the first of the waiting
    has been due.
    """

    name: str
    cap: int | None
    share: int
    waiting: int
    running: int
    later: int
    put_aside: int
    incidents: int
    oldest: timedelta | None
    flows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StreamRow:
    """How far a consumer has read its feed; `behind` counts the lines ahead of it, up to a limit.

    `lag` is the age of the first line it has not read. Times are from an event to its effect.
    """

    consumer: str
    position: str
    moved_at: datetime | None
    behind: int
    lag: timedelta
    taken: int
    failed: int
    dropped: int
    latency_p50_seconds: float | None
    latency_p99_seconds: float | None


def trigger_rows(*, principal: Principal) -> tuple[TriggerRow, ...]:
    """Return every trigger in force with what it has started and refused.

    Raises:
        OperationsOnly: the principal is not of operations.
    """
    require_operations(principal)
    figures = _figures()
    return tuple(_trigger(each, figures) for each in triggers_in_force())


def queue_rows(*, principal: Principal, at: datetime) -> tuple[QueueRow, ...]:
    """Return every queue as it stands now.

    Raises:
        OperationsOnly: the principal is not of operations.
    """
    require_operations(principal)
    with connection.cursor() as cursor:
        cursor.execute(_QUEUES, {"at": at})
        return tuple(_queue(row) for row in cursor.fetchall())


def stream_rows(*, principal: Principal, at: datetime) -> tuple[StreamRow, ...]:
    """Return how far each feed has been read.

    Raises:
        OperationsOnly: the principal is not of operations.
    """
    require_operations(principal)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT cursor, dropped, moved_at FROM orch_stream"
            " WHERE entity = frontline_entity() AND consumer = %s",
            [CONSUMER],
        )
        row = cursor.fetchone()
    position, dropped, moved_at = row or ("", 0, None)
    unread = nexus.public.events_after(cursor=position, limit=BEHIND_MAX)
    figures = stream_figures(consumer=CONSUMER)
    return (
        StreamRow(
            consumer=CONSUMER,
            position=position,
            moved_at=moved_at,
            behind=len(unread),
            lag=max(timedelta(0), at - unread[0].changed_at) if unread else timedelta(0),
            taken=figures.taken,
            failed=figures.failed,
            dropped=dropped,
            latency_p50_seconds=figures.latency_p50_seconds,
            latency_p99_seconds=figures.latency_p99_seconds,
        ),
    )


_FIGURES = """
SELECT trigger, sum(started)::int, sum(refused)::int, max(at), max(code)
  FROM (SELECT trigger, count(*) AS started, 0 AS refused, max(received_at) AS at, NULL AS code
          FROM orch_trigger_run WHERE entity = frontline_entity() GROUP BY trigger
        UNION ALL
        SELECT trigger, 0, count(*), max(at), (array_agg(code ORDER BY position DESC))[1]
          FROM orch_trigger_refusal WHERE entity = frontline_entity() GROUP BY trigger) AS told
 GROUP BY trigger
"""
_QUEUES = """
SELECT q.name, q.cap, q.share,
       count(r.instance_id) FILTER (WHERE r.due_at <= %(at)s AND NOT r.is_held),
       count(r.instance_id) FILTER (WHERE r.is_held),
       count(r.instance_id) FILTER (WHERE r.due_at > %(at)s AND NOT r.is_held
                                      AND r.due_at < 'infinity'),
       count(r.instance_id) FILTER (WHERE r.failures >= 5),
       (SELECT count(*) FROM orch_incident n JOIN orch_instance i ON i.id = n.instance_id
         WHERE i.queue = q.name AND n.resolved_at IS NULL),
       %(at)s - min(r.due_at) FILTER (WHERE r.due_at <= %(at)s AND r.due_at > 'epoch'
                                        AND NOT r.is_held),
       coalesce((SELECT array_agg(DISTINCT i.process ORDER BY i.process) FROM orch_instance i
                  WHERE i.queue = q.name AND i.ended_at IS NULL), '{}')
  FROM (SELECT name, cap, share FROM orch_queue
        UNION ALL SELECT 'default', NULL, 1
         WHERE NOT EXISTS (SELECT FROM orch_queue WHERE name = 'default')) AS q
  LEFT JOIN (SELECT *, coalesce(lease_until > clock_timestamp(), false) AS is_held
               FROM orch_ready) AS r ON r.queue = q.name
 GROUP BY q.name, q.cap, q.share
 ORDER BY q.name
"""


def _figures() -> Mapping[str, tuple[int, int, datetime | None, str]]:
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES)
        return {row[0]: (row[1], row[2], row[3], row[4] or "") for row in cursor.fetchall()}


def _queue(row: tuple[Any, ...]) -> QueueRow:
    values: list[Any] = [*row[:-1], tuple(row[-1])]
    return QueueRow(*values)


def _trigger(
    trigger: Trigger, figures: Mapping[str, tuple[int, int, datetime | None, str]]
) -> TriggerRow:
    control = rows.control_of(trigger.name) or rows.Control()
    started, refused, last_at, last_code = figures.get(trigger.name, (0, 0, None, ""))
    return TriggerRow(
        name=trigger.name,
        short_name=trigger.name.partition("/")[2],
        kind=trigger.content.kind,
        process=trigger.flow.process,
        flow_name=flow_name(trigger.flow),
        waits_for=_waits_for(trigger),
        mandate=trigger.content.mandate,
        is_paused=control.is_paused,
        paused_by=control.paused_by,
        reason=control.reason,
        due_at=control.due_at,
        started=started,
        refused=refused,
        last_at=last_at,
        last_code=last_code,
    )


def _waits_for(trigger: Trigger) -> str:
    content = trigger.content
    match content.kind:
        case "api":
            return "A program that holds a key"
        case "schedule":
            return f"The clock: {content.every}, {content.zone}"
        case "data_change":
            each = "Each transfer" if content.each == "transfer" else "A change"
            return f"{each} in {', '.join(content.topics)}"
        case "file":
            return f"A file in {content.source}: {content.pattern}"
        case "email":
            return f"An e-mail to {content.source}"
    return f"{content.kind.capitalize()} {content.source}"
