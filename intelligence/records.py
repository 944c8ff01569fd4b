"""The record of model calls: append-only, without the text, readable by case and as a feed."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.utils.crypto import salted_hmac

from sentinel.public import run_statement

_SALT: Final = "frontline.intelligence.input/1"


class CursorNotUnderstood(ValueError):
    """A feed cursor does not have the form `<transaction>:<line>`."""

    code = "cursor_not_understood"
    is_retryable = False

    def __init__(self, cursor: str) -> None:
        super().__init__(cursor)
        self.cursor = cursor


@dataclass(frozen=True, slots=True)
class NewCall:
    """One model asked: what it said, how sure it was, how long it took; `hop` counts from 0."""

    capability: str
    version: str
    digest: str
    alias: str
    hop: int
    outcome: str
    why: str
    result: str
    confidence_permille: int | None
    reasons: tuple[str, ...]
    input_digest: str
    data_class: str
    purpose: str
    case_id: UUID | None
    cost_micros: int
    latency_us: int
    called_at: datetime


@dataclass(frozen=True, slots=True)
class ModelCall:
    """A recorded call with its id and its place in the feed."""

    id: UUID
    cursor: str
    call: NewCall


def digest_of(content: bytes) -> str:
    """Return the salted digest of an input: it shows that two were the same and nothing else."""
    return salted_hmac(_SALT, content, algorithm="sha256").hexdigest()


_NAMES: Final = tuple(NewCall.__dataclass_fields__)
_INSERT: Final = (
    f"INSERT INTO intelligence_call ({', '.join(_NAMES)})"  # noqa: S608 - names of our own fields
    f" VALUES ({', '.join(f'%({name})s' for name in _NAMES)}) RETURNING id"
)


def write(calls: Sequence[NewCall]) -> tuple[UUID, ...]:
    """Record calls and return their ids, in order."""
    ids: list[UUID] = []
    for call in calls:
        values: Mapping[str, Any] = {**asdict(call), "reasons": list(call.reasons)}
        ((call_id,),) = run_statement(sql=_INSERT, parameters=values)
        ids.append(call_id)
    return tuple(ids)


def _read(where: str, parameters: Sequence[str | int | UUID]) -> tuple[ModelCall, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id, xact::text || ':' || position, {', '.join(_NAMES)}"  # noqa: S608 - as above
            f" FROM intelligence_call {where}",
            parameters,
        )
        rows = cursor.fetchall()
    return tuple(_call_of(row) for row in rows)


def _call_of(row: Sequence[Any]) -> ModelCall:
    values = dict(zip(_NAMES, row[2:], strict=True))
    return ModelCall(row[0], row[1], NewCall(**{**values, "reasons": tuple(values["reasons"])}))


def calls_of(*, case_id: UUID) -> tuple[ModelCall, ...]:
    """Return the model calls of a case, oldest first."""
    return _read("WHERE case_id = %s ORDER BY position", [case_id])


def calls_after(*, cursor: str, limit: int) -> tuple[ModelCall, ...]:
    """Return the calls behind a cursor, oldest first; '' is the start.

    Only calls of transactions older than every running one are given out, so that a transaction
    which commits late cannot slip in behind a cursor that has passed it.

    Raises:
        CursorNotUnderstood: the cursor is not one of ours.
    """
    xact, _, position = (cursor or "0:0").partition(":")
    if not (xact.isascii() and xact.isdigit() and position.isascii() and position.isdigit()):
        raise CursorNotUnderstood(cursor)
    return _read(
        "WHERE (xact, position) > (%s::text::xid8, %s)"
        " AND xact < pg_snapshot_xmin(pg_current_snapshot())"
        " ORDER BY xact, position LIMIT %s",
        [xact, int(position), limit],
    )
