"""Rows of the items of files: how each stands and why, written with what was begun for it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from orchestration.triggers.batch_files import FileItem

ENDED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item that is to be begun."""

    line: int
    key: str
    values: Mapping[str, Any]
    attempt: int


@dataclass(frozen=True, slots=True)
class ItemState:
    """How one item stands; `needs_person` when what it began has stopped at an incident."""

    line: int
    key: str
    state: str
    code: str
    attempt: int
    instance_id: UUID | None
    reason: str
    needs_person: bool


@dataclass(frozen=True, slots=True)
class ItemEnd:
    """How one item has ended."""

    line: int
    state: str
    code: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class EndedRun:
    """What an item began and has ended: by which end of which version, in what state."""

    line: int
    definition: str
    status: str
    end_node: str | None
    state: str


def insert(batch_id: UUID, items: Sequence[FileItem], *, are_stopped: bool) -> None:
    """Keep items of a file: those that are fine wait, unless the rest of the file was stopped."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orch_batch_item (batch_id, line, key, item, state, code, reason)
            SELECT %s, line, key, item, CASE code WHEN '' THEN %s ELSE 'refused' END, code, reason
              FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[], %s::text[])
                   AS i(line, key, item, code, reason)
            """,
            [
                batch_id,
                "stopped" if are_stopped else "waiting",
                [item.line for item in items],
                [item.key for item in items],
                [json.dumps(item.values).replace("\\u0000", "") for item in items],
                [item.code for item in items],
                [_kept(item.reason) for item in items],
            ],
        )


def take(batch_id: UUID, limit: int, running_max: int) -> tuple[ItemRow, ...]:
    """Return the next items to be begun; the run is locked, so nobody else takes them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line, key, item, attempt FROM orch_batch_item"
            " WHERE batch_id = %(batch)s AND state = 'waiting' ORDER BY line"
            " LIMIT least(%(limit)s, greatest(0, %(most)s - (SELECT count(*) FROM orch_batch_item"
            " WHERE batch_id = %(batch)s AND state = 'running')))",
            {"batch": batch_id, "limit": limit, "most": running_max},
        )
        return tuple(ItemRow(row[0], row[1], json.loads(row[2]), row[3]) for row in cursor)


def note_begun(batch_id: UUID, begun: Sequence[tuple[int, UUID]]) -> None:
    """Keep which instance each item has begun."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_batch_item i SET state = 'running', instance_id = b.instance_id,"
            " changed_at = clock_timestamp()"
            " FROM unnest(%s::int[], %s::uuid[]) AS b(line, instance_id)"
            " WHERE i.batch_id = %s AND i.line = b.line",
            [[line for line, _ in begun], [each for _, each in begun], batch_id],
        )


def note_ended(batch_id: UUID, ended: Sequence[ItemEnd]) -> None:
    """Keep how items have ended."""
    if not ended:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_batch_item i SET state = e.state, code = e.code, reason = e.reason,"
            " changed_at = clock_timestamp()"
            " FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[])"
            " AS e(line, state, code, reason)"
            " WHERE i.batch_id = %s AND i.line = e.line",
            [
                [each.line for each in ended],
                [each.state for each in ended],
                [each.code for each in ended],
                [_kept(each.reason) for each in ended],
                batch_id,
            ],
        )


def ended_runs(batch_id: UUID) -> tuple[EndedRun, ...]:
    """Return what items have begun and has ended, so many at a time."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.line, r.definition, r.status, r.end_node, r.state
              FROM orch_batch_item i JOIN orch_instance r ON r.id = i.instance_id
             WHERE i.batch_id = %s AND i.state = 'running' AND r.ended_at IS NOT NULL
             ORDER BY i.line LIMIT %s
            """,
            [batch_id, ENDED_AT_ONCE],
        )
        return tuple(EndedRun(*row) for row in cursor.fetchall())


def restart_failed(batch_id: UUID) -> int:
    """Let failed items wait again, for another attempt; return how many."""
    return _moved(
        "UPDATE orch_batch_item SET state = 'waiting', attempt = attempt + 1, code = '',"
        " reason = '', instance_id = NULL, changed_at = clock_timestamp()"
        " WHERE batch_id = %s AND state = 'failed'",
        batch_id,
    )


def stop_waiting(batch_id: UUID) -> int:
    """Let nothing be begun any more of what waits; return how many items that are."""
    return _moved(
        "UPDATE orch_batch_item SET state = 'stopped', changed_at = clock_timestamp()"
        " WHERE batch_id = %s AND state = 'waiting'",
        batch_id,
    )


def are_left(batch_id: UUID) -> bool:
    """Tell whether an item still waits or runs."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM orch_batch_item"
            " WHERE batch_id = %s AND state IN ('waiting', 'running'))",
            [batch_id],
        )
        return bool(cursor.fetchone()[0])


def counts(batch_ids: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """Return how many items of each run stand how; `stuck` are those that need a person."""
    found: dict[UUID, dict[str, int]] = {each: {} for each in batch_ids}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT batch_id, state, count(*) FROM orch_batch_item"
            " WHERE batch_id = ANY(%s) GROUP BY batch_id, state"
            " UNION ALL SELECT i.batch_id, 'stuck', count(DISTINCT i.line) FROM orch_batch_item i"
            " JOIN orch_incident n ON n.instance_id = i.instance_id AND n.resolved_at IS NULL"
            " WHERE i.batch_id = ANY(%s) AND i.state = 'running' GROUP BY i.batch_id",
            [list(batch_ids), list(batch_ids)],
        )
        for batch_id, state, count in cursor.fetchall():
            found[batch_id][state] = count
    return found


def items_in(
    batch_id: UUID, states: Sequence[str], search: str, after_line: int, limit: int
) -> tuple[ItemState, ...]:
    """Return items by state and a part of their key, in the order of the file."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line, key, state, code, attempt, instance_id, reason,"
            " state = 'running' AND EXISTS (SELECT FROM orch_incident n"
            " WHERE n.instance_id = i.instance_id AND n.resolved_at IS NULL)"
            " FROM orch_batch_item i WHERE batch_id = %s AND state = ANY(%s) AND line > %s"
            " AND (%s = '' OR strpos(lower(key), lower(%s)) > 0) ORDER BY line LIMIT %s",
            [batch_id, list(states), after_line, search, search, limit],
        )
        return tuple(ItemState(*row) for row in cursor.fetchall())


def _moved(statement: str, batch_id: UUID) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, [batch_id])
        return int(cursor.rowcount)


def _kept(text: str) -> str:
    """Return text as the database can hold it: a stranger wrote what a reason repeats."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")
