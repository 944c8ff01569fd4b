"""Writing what a move led to: state, history, what was taken and what is due, in one statement.

Two fences guard the write. `rev` must be the one the work began from, and a worker's claim must
still be its own: whoever lost either writes nothing, and its transaction takes back its effects.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestration.core.state import InstanceState
from orchestration.durable import statements
from orchestration.durable.store import HistoryRow
from orchestration.durable.texts import PART, line_texts, to_text


class InstanceMoved(RuntimeError):
    """Somebody else has moved the instance since it was read, or has claimed it; nothing moved."""

    code = "instance_moved"
    is_retryable = True

    def __init__(self, instance_id: str, rev: int) -> None:
        super().__init__(instance_id, rev)
        self.instance_id, self.rev = instance_id, rev


@dataclass(frozen=True, slots=True)
class Progress:
    """What happened to one instance since it was read.

    `fence` is a worker's claim, None for one who holds the row's lock. `due_at` is when the state
    next has something to do; `moves` how much it has done without waiting. With `is_in_hand` its
    worker goes on with it.
    """

    instance_id: UUID
    rev: int
    state: InstanceState
    lines: Sequence[HistoryRow]
    taken: Sequence[int]
    end_node: str | None
    due_at: datetime | None
    fence: int | None = None
    moves: int = 0
    is_in_hand: bool = False


# Columns that a step does not change keep their bytes, so that little is logged: `state` and
# `rev` stand side by side in the row.
_SAVE = """
WITH w AS (
    SELECT * FROM unnest(%(ids)s::uuid[], %(revs)s::bigint[], %(counts)s::int[],
        string_to_array(%(states)s, chr(30)), %(statuses)s::text[], %(end_nodes)s::text[],
        %(ended)s::timestamptz[], %(dues)s::timestamptz[], %(moves)s::int[])
        AS t(id, rev, count, state, status, end_node, ended_at, due_at, moves)
), held AS (
    SELECT w.* FROM w
     WHERE %(fences)s::bigint[] IS NULL OR EXISTS (
        SELECT FROM unnest(%(ids)s::uuid[], %(fences)s::bigint[]) AS f(id, fence)
          JOIN orch_ready y ON y.instance_id = f.id AND y.fence = f.fence
           AND y.lease_until > clock_timestamp()
         WHERE f.id = w.id)
), moved AS (
    UPDATE orch_instance i
       SET state = held.state, status = held.status, rev = i.rev + held.count,
           end_node = coalesce(held.end_node, i.end_node),
           ended_at = CASE WHEN held.status <> 'running'
                           THEN coalesce(i.ended_at, held.ended_at) END
      FROM held
     WHERE i.id = held.id AND i.rev = held.rev
 RETURNING i.id, i.queue, i.priority
), written AS (
    INSERT INTO orch_history (instance_id, seq, event, entries, ignored, at)
    SELECT line.* FROM unnest(%(line_ids)s::uuid[], %(seqs)s::bigint[],
           string_to_array(%(events)s, chr(30)), string_to_array(%(entries)s, chr(30)),
           %(ignored)s::text[], %(ats)s::timestamptz[])
           AS line(id, seq, event, entries, ignored, at)
      JOIN moved ON moved.id = line.id
), taken AS (
    UPDATE orch_inbox SET taken_at = clock_timestamp()
     WHERE position = ANY(%(taken)s::bigint[])
), next AS (
    SELECT moved.*, w.moves, least(w.due_at, (
        SELECT min(c.due_at) FROM orch_call c
         WHERE c.instance_id = w.id AND c.state = 'due' AND w.ended_at IS NULL)) AS due_at
      FROM moved JOIN w ON w.id = moved.id
     WHERE NOT %(in_hand)s
), gone AS (
    DELETE FROM orch_ready y USING next
     WHERE y.instance_id = next.id AND next.due_at IS NULL
), kept AS (
    INSERT INTO orch_ready AS y (instance_id, queue, priority, due_at, moves)
    SELECT id, queue, priority, due_at, moves FROM next WHERE due_at IS NOT NULL
    ON CONFLICT (instance_id) DO UPDATE
       SET due_at = excluded.due_at, moves = excluded.moves, lease_until = NULL, failures = 0,
           fence = nextval('orch_fence')
)
SELECT id FROM moved
"""
# The same of one instance: with values instead of arrays the server's plan of any values is as good
# as one of these, so that it plans once. What the statement above costs more is its planning.
_SAVE_ONE = """
WITH moved AS (
    UPDATE orch_instance i
       SET state = %(state)s, status = %(status)s, rev = i.rev + %(count)s::int,
           end_node = coalesce(%(end_node)s::text, i.end_node),
           ended_at = CASE WHEN %(status)s <> 'running'
                           THEN coalesce(i.ended_at, %(ended)s::timestamptz) END
     WHERE i.id = %(id)s::uuid AND i.rev = %(rev)s::bigint
       AND (%(fence)s::bigint IS NULL OR EXISTS (
        SELECT FROM orch_ready y
         WHERE y.instance_id = %(id)s::uuid AND y.fence = %(fence)s::bigint
           AND y.lease_until > clock_timestamp()))
 RETURNING i.id, i.queue, i.priority
), written AS (
    INSERT INTO orch_history (instance_id, seq, event, entries, ignored, at)
    SELECT moved.id, line.* FROM moved, unnest(%(seqs)s::bigint[],
           string_to_array(%(events)s, chr(30)), string_to_array(%(entries)s, chr(30)),
           %(ignored)s::text[], %(ats)s::timestamptz[]) AS line(seq, event, entries, ignored, at)
), taken AS (
    UPDATE orch_inbox SET taken_at = clock_timestamp()
     WHERE position = ANY(%(taken)s::bigint[])
), next AS (
    SELECT moved.*, least(%(due)s::timestamptz, (
        SELECT min(c.due_at) FROM orch_call c
         WHERE c.instance_id = %(id)s::uuid AND c.state = 'due'
           AND %(ended)s::timestamptz IS NULL)) AS due_at
      FROM moved WHERE NOT %(in_hand)s
), gone AS (
    DELETE FROM orch_ready y USING next
     WHERE y.instance_id = %(id)s::uuid AND next.due_at IS NULL
), kept AS (
    INSERT INTO orch_ready AS y (instance_id, queue, priority, due_at, moves)
    SELECT id, queue, priority, due_at, %(moves)s::int FROM next WHERE due_at IS NOT NULL
    ON CONFLICT (instance_id) DO UPDATE
       SET due_at = excluded.due_at, moves = excluded.moves, lease_until = NULL, failures = 0,
           fence = nextval('orch_fence')
)
SELECT id FROM moved
"""
# One event of one instance whose worker goes on with it: the lease is only looked at.
_STEP = statements.Single(
    "orch_step",
    """
    WITH moved AS (
        UPDATE orch_instance SET state = $1, rev = rev + 1
         WHERE id = $2 AND rev = $3
           AND EXISTS (SELECT FROM orch_ready y WHERE y.instance_id = $2
                          AND y.fence = $4 AND y.lease_until > clock_timestamp())
     RETURNING id
    )
    INSERT INTO orch_history (instance_id, seq, event, entries, ignored, at)
    SELECT id, $3, $5, $6, $7, $8 FROM moved
    """,
    ("text", "uuid", "int8", "int8", "text", "text", "text", "timestamptz"),
)


def save(progress: Progress) -> None:
    """Write the progress of one instance.

    Raises:
        InstanceMoved: it was moved or claimed by somebody else meanwhile.
    """
    texts = [line_texts(line.event, line.entries) for line in progress.lines]
    rows = statements.run(
        _SAVE_ONE,
        {
            "id": progress.instance_id,
            "rev": progress.rev,
            "count": len(progress.lines),
            "state": to_text(progress.state),
            "status": progress.state.status.value,
            "end_node": progress.end_node,
            "ended": _ended_at(progress),
            "due": progress.due_at,
            "moves": progress.moves,
            "in_hand": progress.is_in_hand,
            "fence": progress.fence,
            "seqs": [line.seq for line in progress.lines],
            "events": PART.join(event for event, _ in texts),
            "entries": PART.join(entries for _, entries in texts),
            "ignored": [line.ignored for line in progress.lines],
            "ats": [line.at for line in progress.lines],
            "taken": list(progress.taken),
        },
    )
    if not rows:
        raise InstanceMoved(str(progress.instance_id), progress.rev)


def save_all(all_progress: Sequence[Progress]) -> None:
    """Write the progress of several instances: of all or, when one was lost, of none.

    Raises:
        InstanceMoved: one was moved or claimed by somebody else meanwhile; roll back.
    """
    if len(all_progress) == 1:
        save(all_progress[0])
        return
    lines = [(each.instance_id, line) for each in all_progress for line in each.lines]
    texts = [line_texts(line.event, line.entries) for _, line in lines]
    fences = [each.fence for each in all_progress]
    rows = statements.run(
        _SAVE,
        {
            "ids": [each.instance_id for each in all_progress],
            "revs": [each.rev for each in all_progress],
            "counts": [len(each.lines) for each in all_progress],
            "states": PART.join(to_text(each.state) for each in all_progress),
            "statuses": [each.state.status.value for each in all_progress],
            "end_nodes": [each.end_node for each in all_progress],
            "ended": [_ended_at(each) for each in all_progress],
            "dues": [each.due_at for each in all_progress],
            "moves": [each.moves for each in all_progress],
            "in_hand": any(each.is_in_hand for each in all_progress),
            "fences": None if None in fences else fences,
            "line_ids": [instance_id for instance_id, _ in lines],
            "seqs": [line.seq for _, line in lines],
            "events": PART.join(event for event, _ in texts),
            "entries": PART.join(entries for _, entries in texts),
            "ignored": [line.ignored for _, line in lines],
            "ats": [line.at for _, line in lines],
            "taken": [position for each in all_progress for position in each.taken],
        },
    )
    written = {row[0] for row in rows}
    for each in all_progress:
        if each.instance_id not in written:
            raise InstanceMoved(str(each.instance_id), each.rev)


def save_step(instance_id: UUID, fence: int, state: InstanceState, line: HistoryRow) -> None:
    """Write one event of an instance in hand, which its worker goes on with.

    Raises:
        InstanceMoved: it was moved or claimed by somebody else meanwhile.
    """
    event, entries = line_texts(line.event, line.entries)
    written = _STEP.count(
        (
            to_text(state),
            str(instance_id),
            str(line.seq),
            str(fence),
            event,
            entries,
            line.ignored,
            line.at.isoformat(),
        )
    )
    if written != 1:
        raise InstanceMoved(str(instance_id), line.seq)


def _ended_at(progress: Progress) -> datetime | None:
    return progress.lines[-1].at if progress.state.is_ended and progress.lines else None
