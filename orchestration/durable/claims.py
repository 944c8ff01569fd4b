"""Who does what next: instances found due are claimed in batches, each with a lease and a fence.

A claim commits before the work begins. Should the worker die or dawdle, its lease runs out and the
next claim gives the work, with a higher fence, to another. Busy queues share a batch by their
shares, so that a flood in one does not hold up the other; what a queue may have in hand at once is
counted under the queue's lock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from orchestration.durable import statements
from orchestration.durable.store import InstanceRow

DEFAULT_QUEUE = "default"
LEASE_SECONDS = 30.0
HEARD_AT_ONCE = 1_000
FAILURES_MAX = 5
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Claim:
    """An instance in hand; `failures` counts the workers it has cost so far."""

    instance_id: UUID
    fence: int
    queue: str
    failures: int


@dataclass(frozen=True, slots=True)
class _Queue:
    name: str
    room: int | None  # None: no cap.
    share: int


# Messages left in the inbox, and calls whose question was answered, make their instance ready. Of
# what is ready or in hand already nothing is written: claims must not get in each other's way.
_HEAR = """
INSERT INTO orch_ready AS y (instance_id, queue, priority, due_at)
SELECT i.id, i.queue, i.priority, %(at)s
  FROM (SELECT DISTINCT instance_id FROM (
            SELECT m.instance_id FROM orch_inbox m WHERE m.taken_at IS NULL
            UNION ALL
            SELECT c.instance_id FROM orch_call c
             WHERE c.state = 'due' AND c.due_at <= 'epoch'::timestamptz) AS left_behind
         WHERE %(only)s::uuid IS NULL OR instance_id = %(only)s) AS w
  JOIN orch_instance i ON i.id = w.instance_id
 WHERE NOT i.is_paused
   AND NOT EXISTS (SELECT FROM orch_ready o WHERE o.instance_id = i.id
                      AND (o.due_at <= %(at)s OR o.lease_until > clock_timestamp()
                       OR o.failures >= %(failures_max)s))
 ORDER BY i.id LIMIT %(limit)s
ON CONFLICT (instance_id) DO UPDATE SET due_at = least(y.due_at, excluded.due_at)
 WHERE y.due_at > excluded.due_at
"""
_HAS_LEFT = """
SELECT EXISTS (SELECT FROM orch_inbox WHERE taken_at IS NULL)
    OR EXISTS (SELECT FROM orch_call WHERE state = 'due' AND due_at <= 'epoch'::timestamptz),
       EXISTS (SELECT FROM orch_call WHERE state = 'apart')
"""
_QUEUES = """
SELECT q.name, q.cap, q.share
  FROM (SELECT name, cap, share FROM orch_queue
        UNION ALL SELECT 'default', NULL, 1
         WHERE NOT EXISTS (SELECT FROM orch_queue WHERE name = 'default')) AS q
 WHERE EXISTS (
    SELECT FROM (VALUES (2::smallint), (1), (0), (-1)) AS p(priority), LATERAL (
        SELECT FROM orch_ready r
         WHERE r.queue = q.name AND r.priority = p.priority AND r.due_at <= %(at)s
           AND (r.lease_until IS NULL OR r.lease_until < clock_timestamp()) LIMIT 1) AS due)
 ORDER BY q.name
"""
_IN_HAND = """
SELECT count(*) FROM orch_ready
 WHERE queue = %s AND lease_until IS NOT NULL AND lease_until > clock_timestamp()
"""
_LOCK_QUEUES = "SELECT name FROM orch_queue WHERE name = ANY(%s) ORDER BY name FOR NO KEY UPDATE"
_CLAIM = """
WITH picked AS MATERIALIZED (
    SELECT y.instance_id
      FROM unnest(%(names)s::text[], %(quotas)s::int[]) AS q(name, quota), LATERAL (
        SELECT x.instance_id
          FROM (VALUES (2::smallint), (1), (0), (-1)) AS p(priority), LATERAL (
            SELECT r.instance_id FROM orch_ready r
             WHERE r.queue = q.name AND r.priority = p.priority AND r.due_at <= %(at)s
               AND (r.lease_until IS NULL OR r.lease_until < clock_timestamp())
               AND (%(only)s::uuid IS NULL OR r.instance_id = %(only)s)
             ORDER BY r.due_at LIMIT q.quota FOR NO KEY UPDATE SKIP LOCKED) AS x
         LIMIT q.quota) AS y
)
UPDATE orch_ready r
   SET fence = nextval('orch_fence'), failures = r.failures + (r.lease_until IS NOT NULL)::int,
       lease_until = clock_timestamp() + make_interval(secs => %(seconds)s)
  FROM picked WHERE r.instance_id = picked.instance_id
RETURNING r.instance_id, r.fence, r.queue, r.failures, r.priority
"""


def claim(
    *,
    at: datetime,
    limit: int,
    only: UUID | None = None,
    lease_seconds: float = LEASE_SECONDS,
) -> tuple[Claim, ...]:
    """Take up to `limit` instances that have something to do at an instant, urgent ones first."""
    hear(at, only)
    return take(at=at, limit=limit, only=only, lease_seconds=lease_seconds)


def take(
    *,
    at: datetime,
    limit: int,
    only: UUID | None = None,
    lease_seconds: float = LEASE_SECONDS,
) -> tuple[Claim, ...]:
    """Take instances as `claim` does, for whoever has heard already what came in."""
    queues = statements.run_planned(_QUEUES, {"at": at})
    if not queues:
        return ()
    if all(cap is None for _, cap, _ in queues):
        return _picked(
            [_Queue(name, None, share) for name, _, share in queues], at, limit, only, lease_seconds
        )
    with transaction.atomic():
        lock_queues([name for name, cap, _ in queues if cap is not None])
        rooms = [_Queue(name, _room(name, cap), share) for name, cap, share in queues]
        return _picked(rooms, at, limit, only, lease_seconds)


def hear(at: datetime, only: UUID | None = None) -> bool:
    """Make instances ready for which something has come in since they last moved.

    Return whether any call is kept apart, for whoever makes those.
    """
    ((has_left, has_apart),) = statements.run(_HAS_LEFT, [])
    if has_left:
        statements.count(
            _HEAR, {"at": at, "only": only, "limit": HEARD_AT_ONCE, "failures_max": FAILURES_MAX}
        )
    return bool(has_apart)


def _room(name: str, cap: int | None) -> int | None:
    if cap is None:
        return None
    in_hand = int(statements.run(_IN_HAND, [name])[0][0])
    room: int = max(0, cap - in_hand)
    return room


def _picked(
    queues: Sequence[_Queue], at: datetime, limit: int, only: UUID | None, lease_seconds: float
) -> tuple[Claim, ...]:
    taken: list[statements.Row] = []
    for quotas in (_shared(queues, limit), None):
        left = limit - len(taken)
        if left <= 0:
            break
        # What a queue with little to do leaves of its share goes to the others.
        rooms = quotas or {each.name: _left(each, taken, left) for each in queues}
        names = [name for name, quota in rooms.items() if quota > 0]
        found = statements.run_planned(
            _CLAIM,
            {
                "names": names,
                "quotas": [rooms[name] for name in names],
                "at": at,
                "only": only,
                "seconds": lease_seconds,
            },
        )
        taken += found
        if len(queues) == 1 or only is not None:
            break
    return tuple(Claim(*row[:4]) for row in _in_turn(taken))


def _shared(queues: Sequence[_Queue], limit: int) -> dict[str, int]:
    """Return how much of a batch each queue gets: its share, at least one, at most its room."""
    total = sum(each.share for each in queues)
    quotas = {each.name: max(1, limit * each.share // total) for each in queues}
    return {
        each.name: quotas[each.name] if each.room is None else min(each.room, quotas[each.name])
        for each in queues
    }


def _left(queue: _Queue, taken: Sequence[statements.Row], left: int) -> int:
    if queue.room is None:
        return left
    return min(left, queue.room - sum(1 for row in taken if row[2] == queue.name))


def _in_turn(rows: Sequence[statements.Row]) -> list[statements.Row]:
    """Order a batch so that urgent work comes first and queues take turns."""
    turns: dict[tuple[str, int], int] = {}
    placed = []
    for row in rows:
        queue, priority = row[2], row[4]
        turn = turns[queue, priority] = turns.get((queue, priority), 0) + 1
        placed.append(((-priority, turn, queue), row))
    return [row for _, row in sorted(placed, key=lambda each: each[0])]


def renew(instance_id: UUID, fence: int, lease_seconds: float = LEASE_SECONDS) -> bool:
    """Keep an instance in hand for longer; False when it was lost already."""
    return (
        statements.count(
            "UPDATE orch_ready SET lease_until = clock_timestamp() + make_interval(secs => %s)"
            " WHERE instance_id = %s AND fence = %s AND lease_until > clock_timestamp()",
            [lease_seconds, instance_id, fence],
        )
        == 1
    )


def give_back(instance_id: UUID, fence: int, *, due_at: datetime | None, is_failed: bool) -> None:
    """Let go of a claimed instance: due again at an instant, or when something comes in."""
    statements.count(
        "UPDATE orch_ready SET lease_until = NULL, due_at = coalesce(%s::timestamptz, 'infinity'),"
        " failures = CASE WHEN %s::boolean THEN failures + 1 ELSE 0 END"
        " WHERE instance_id = %s AND fence = %s",
        [due_at, is_failed, instance_id, fence],
    )


def make_ready(instance_id: UUID, at: datetime) -> None:
    """Make an instance due at an instant; its row must be locked, or not yet known to others."""
    statements.count(
        "INSERT INTO orch_ready AS y (instance_id, queue, priority, due_at)"
        " SELECT id, queue, priority, %s FROM orch_instance WHERE id = %s"
        " ON CONFLICT (instance_id) DO UPDATE SET due_at = least(y.due_at, excluded.due_at),"
        " failures = 0",
        [at, instance_id],
    )


def make_all_ready(rows: Sequence[tuple[InstanceRow, datetime]]) -> None:
    """Say when new instances first have something to do."""
    if not rows:
        return
    statements.count(
        "INSERT INTO orch_ready (instance_id, queue, priority, due_at)"
        " SELECT * FROM unnest(%s::uuid[], %s::text[], %s::smallint[], %s::timestamptz[])",
        [
            [row.id for row, _ in rows],
            [row.queue for row, _ in rows],
            [row.priority for row, _ in rows],
            [due_at for _, due_at in rows],
        ],
    )


def lock_queues(names: Sequence[str]) -> None:
    """Let nobody else claim from these queues, or change them, until the transaction ends."""
    statements.run(_LOCK_QUEUES, [list(names)])


def setting_of(name: str) -> tuple[int | None, int] | None:
    """Return cap and share of a queue; None if no flow has named it."""
    found = statements.run("SELECT cap, share FROM orch_queue WHERE name = %s", [name])
    if not found:
        return (None, 1) if name == DEFAULT_QUEUE else None
    return found[0][0], found[0][1]


def set_queue(*, name: str, cap: int | None, share: int) -> None:
    """Say how much of a queue may be in hand at once, and its share when all are busy."""
    statements.count(
        "INSERT INTO orch_queue (name, cap, share) VALUES (%s, %s, %s)"
        " ON CONFLICT (entity, name) DO UPDATE SET cap = excluded.cap, share = excluded.share",
        [name, cap, share],
    )


def know_queue(name: str) -> None:
    """Make a queue known that a published flow names; what is set for it stays."""
    statements.count(
        "INSERT INTO orch_queue (name) VALUES (%s) ON CONFLICT (entity, name) DO NOTHING", [name]
    )
