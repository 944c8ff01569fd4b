"""Rows of runs over files: how each item stands, written with what was begun for it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from orchestration.triggers.batch_files import FileItem


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A run over one file; `roles` are those of whoever handed it in."""

    id: UUID
    process: str
    name: str
    file_name: str
    definition: str
    items: int
    made_by: str
    made_at: datetime
    ended_at: datetime | None
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item that is to be begun."""

    line: int
    key: str
    values: Mapping[str, Any]
    attempt: int


@dataclass(frozen=True, slots=True)
class ItemState:
    """How one item stands."""

    line: int
    key: str
    state: str
    code: str
    attempt: int
    instance_id: UUID | None


_COLUMNS = (
    "id, process, name, file_name, definition, items, made_by, made_at, ended_at, roles"
    " FROM orch_batch"
)
_READ = f"SELECT {_COLUMNS} WHERE id = %s"
_LOCK = _READ + " AND ended_at IS NULL FOR UPDATE SKIP LOCKED"
_NEWEST = f"SELECT {_COLUMNS} ORDER BY made_at DESC, id LIMIT %s"


def digest_of(content: bytes) -> bytes:
    """Return what tells a file from every other."""
    return hashlib.sha256(content).digest()


def insert(batch: BatchRow, digest: bytes) -> bool:
    """Keep a run, once for each file; return whether it is new."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_batch (id, process, name, file_name, digest, definition, items,"
            " made_by, made_at, roles) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [
                batch.id,
                batch.process,
                batch.name,
                batch.file_name,
                digest,
                batch.definition,
                batch.items,
                batch.made_by,
                batch.made_at,
                list(batch.roles),
            ],
        )
        return bool(cursor.rowcount == 1)


def insert_items(batch_id: UUID, items: Sequence[FileItem]) -> None:
    """Keep every item of a file."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO orch_batch_item (batch_id, line, key, item, state, code)
            SELECT %s, line, key, item, CASE code WHEN '' THEN 'waiting' ELSE 'refused' END, code
              FROM unnest(%s::int[], %s::text[], %s::text[], %s::text[])
                   AS i(line, key, item, code)
            """,
            [
                batch_id,
                [item.line for item in items],
                [item.key for item in items],
                [json.dumps(item.values).replace("\\u0000", "") for item in items],
                [item.code for item in items],
            ],
        )


def open_batches() -> tuple[UUID, ...]:
    """Return the runs that are not over, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM orch_batch WHERE entity = frontline_entity() AND ended_at IS NULL"
            " ORDER BY made_at, id"
        )
        return tuple(row[0] for row in cursor.fetchall())


def lock(batch_id: UUID) -> BatchRow | None:
    """Take a run for this transaction; None when it is over or another process has it."""
    return _one(_LOCK, batch_id)


def read(batch_id: UUID) -> BatchRow | None:
    """Return a run."""
    return _one(_READ, batch_id)


def newest(limit: int) -> tuple[BatchRow, ...]:
    """Return the newest runs."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [limit])
        return tuple(_batch(row) for row in cursor.fetchall())


def _one(statement: str, batch_id: UUID) -> BatchRow | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [batch_id])
        row = cursor.fetchone()
    return _batch(row) if row else None


def _batch(row: Sequence[Any]) -> BatchRow:
    return replace(BatchRow(*row), roles=tuple(row[-1]))


def take(batch_id: UUID, limit: int) -> tuple[ItemRow, ...]:
    """Return the next items to be begun; the run is locked, so nobody else takes them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line, key, item, attempt FROM orch_batch_item"
            " WHERE batch_id = %s AND state = 'waiting' ORDER BY line LIMIT %s",
            [batch_id, limit],
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


def note_ended(batch_id: UUID, ended: Sequence[tuple[int, str, str]]) -> None:
    """Keep how items have ended that begin no instance."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_batch_item i SET state = e.state, code = e.code,"
            " changed_at = clock_timestamp()"
            " FROM unnest(%s::int[], %s::text[], %s::text[]) AS e(line, state, code)"
            " WHERE i.batch_id = %s AND i.line = e.line",
            [
                [line for line, _, _ in ended],
                [state for _, state, _ in ended],
                [code for _, _, code in ended],
                batch_id,
            ],
        )


def settle(batch_id: UUID) -> int:
    """Note how the items stand whose instances have ended; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE orch_batch_item i
               SET state = CASE r.status WHEN 'completed' THEN 'done' ELSE 'failed' END,
                   code = r.status, changed_at = clock_timestamp()
              FROM orch_instance r
             WHERE i.batch_id = %s AND i.state = 'running' AND r.id = i.instance_id
               AND r.ended_at IS NOT NULL
            """,
            [batch_id],
        )
        return int(cursor.rowcount)


def close_if_over(batch_id: UUID) -> None:
    """End a run of which no item is left."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_batch SET ended_at = clock_timestamp() WHERE id = %s AND NOT EXISTS ("
            "SELECT FROM orch_batch_item WHERE batch_id = %s AND state IN ('waiting', 'running'))",
            [batch_id, batch_id],
        )


def restart_failed(batch_id: UUID) -> int:
    """Let failed items wait again, for another attempt; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_batch_item SET state = 'waiting', attempt = attempt + 1, code = '',"
            " instance_id = NULL, changed_at = clock_timestamp()"
            " WHERE batch_id = %s AND state = 'failed'",
            [batch_id],
        )
        restarted = int(cursor.rowcount)
        if restarted:
            cursor.execute("UPDATE orch_batch SET ended_at = NULL WHERE id = %s", [batch_id])
    return restarted


def counts(batch_id: UUID) -> dict[str, int]:
    """Return how many items stand how."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, count(*) FROM orch_batch_item WHERE batch_id = %s GROUP BY state",
            [batch_id],
        )
        return dict(cursor.fetchall())


def items_in(
    batch_id: UUID, states: Sequence[str], after_line: int, limit: int
) -> tuple[ItemState, ...]:
    """Return items by state, in the order of the file."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line, key, state, code, attempt, instance_id FROM orch_batch_item"
            " WHERE batch_id = %s AND state = ANY(%s) AND line > %s ORDER BY line LIMIT %s",
            [batch_id, list(states), after_line, limit],
        )
        return tuple(ItemState(*row) for row in cursor.fetchall())
