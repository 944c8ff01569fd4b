"""Rows of runs over files: what was handed in, how far it is read, and what people did to it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import connection

Standing = Literal["going", "paused", "stopped"]


@dataclass(frozen=True, slots=True)
class BatchRow:
    """A run over one file; `roles` are those of whoever handed it in.

    `items` have been read so far; the file has been read to its end since `read_at`. What was
    counted when it ended stays in `tally`.
    """

    id: UUID
    process: str
    name: str
    file_name: str
    definition: str
    items: int
    made_by: str
    made_at: datetime
    ended_at: datetime | None = None
    read_at: datetime | None = None
    standing: Standing = "going"
    tally: Mapping[str, int] = field(default_factory=dict)
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchMove:
    """What somebody did to a run, with why, and how many items it moved."""

    move: str
    made_by: str
    reason: str
    items: int
    at: datetime


_COLUMNS = (
    "id, process, name, file_name, definition, items, made_by, made_at, ended_at, read_at,"
    " standing, tally, roles FROM orch_batch"
)
_READ = f"SELECT {_COLUMNS} WHERE id = %s"
_LOCK = _READ + " FOR UPDATE"
_LOCK_OPEN = _READ + " AND ended_at IS NULL AND read_at IS NOT NULL FOR UPDATE SKIP LOCKED"
_NEWEST = f"SELECT {_COLUMNS} WHERE entity = frontline_entity() ORDER BY made_at DESC, id LIMIT %s"


def insert(batch: BatchRow, digest: bytes) -> None:
    """Keep a run, once for each file."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_batch (id, process, name, file_name, digest, definition, items,"
            " made_by, made_at, roles) VALUES (%s, %s, %s, %s, %s, %s, 0, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [
                batch.id,
                batch.process,
                batch.name,
                batch.file_name,
                digest,
                batch.definition,
                batch.made_by,
                batch.made_at,
                list(batch.roles),
            ],
        )


def read_so_far(batch_id: UUID, items: int) -> None:
    """Keep how many items of a file have been read."""
    _update("UPDATE orch_batch SET items = %s WHERE id = %s", items, batch_id)


def read_to_end(batch_id: UUID) -> None:
    """Keep that a file has been read to its end: its items may begin."""
    _update(
        "UPDATE orch_batch SET read_at = clock_timestamp() WHERE id = %s AND read_at IS NULL",
        batch_id,
    )


def open_batches() -> tuple[UUID, ...]:
    """Return the runs whose files are read and that are not over, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM orch_batch WHERE entity = frontline_entity() AND ended_at IS NULL"
            " AND read_at IS NOT NULL ORDER BY made_at, id"
        )
        return tuple(row[0] for row in cursor.fetchall())


def lock_open(batch_id: UUID) -> BatchRow | None:
    """Take a run for this transaction; None when it is over or another process has it."""
    return _one(_LOCK_OPEN, batch_id)


def lock(batch_id: UUID) -> BatchRow | None:
    """Take a run for this transaction, waiting for whoever has it."""
    return _one(_LOCK, batch_id)


def read(batch_id: UUID) -> BatchRow | None:
    """Return a run."""
    return _one(_READ, batch_id)


def newest(limit: int) -> tuple[BatchRow, ...]:
    """Return the newest runs."""
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST, [limit])
        return tuple(_batch(row) for row in cursor.fetchall())


def end(batch_id: UUID, tally: Mapping[str, int]) -> None:
    """End a run of which no item is left, and keep how they ended."""
    _update(
        "UPDATE orch_batch SET ended_at = clock_timestamp(), tally = %s WHERE id = %s",
        json.dumps(tally),
        batch_id,
    )


def open_again(batch_id: UUID) -> None:
    """Let a run go on whose failed items wait once more."""
    _update(
        "UPDATE orch_batch SET ended_at = NULL, tally = NULL, standing = 'going' WHERE id = %s",
        batch_id,
    )


def set_standing(batch_id: UUID, standing: Standing) -> None:
    """Keep that a run is held, stopped, or goes on."""
    _update("UPDATE orch_batch SET standing = %s WHERE id = %s", standing, batch_id)


def keep_move(batch_id: UUID, made: BatchMove) -> None:
    """Keep what somebody did to a run."""
    _update(
        "INSERT INTO orch_batch_move (batch_id, move, made_by, reason, items, at)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        batch_id,
        made.move,
        made.made_by,
        made.reason,
        made.items,
        made.at,
    )


def moves_of(batch_id: UUID) -> tuple[BatchMove, ...]:
    """Return what people did to a run, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT move, made_by, reason, items, at FROM orch_batch_move"
            " WHERE batch_id = %s ORDER BY position",
            [batch_id],
        )
        return tuple(BatchMove(*row) for row in cursor.fetchall())


def _update(statement: str, *values: UUID | str | int | datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _one(statement: str, batch_id: UUID) -> BatchRow | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [batch_id])
        row = cursor.fetchone()
    return _batch(row) if row else None


def _batch(row: Sequence[Any]) -> BatchRow:
    tally = row[11]
    kept = json.loads(tally) if isinstance(tally, str) else tally or {}
    return replace(BatchRow(*row), tally=kept, roles=tuple(row[-1]))
