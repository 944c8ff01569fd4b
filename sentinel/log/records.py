"""Records: what Sentinel decided and what came of it, appended in the caller's own transaction.

A record's body is canonical JSON without personal data. The database reads the columns out of
the body, adds its own clock, hashes both into a leaf and queues the leaf for the sequencer, all
in one statement: a rolled-back caller leaves nothing, a committed one cannot be forgotten.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Protocol
from uuid import UUID

from sentinel.entities import current_entity
from sentinel.identifiers import uuid7
from sentinel.log.merkle import leaf_hash
from sentinel.signing.canonical import canonical_json, domain_prefix, parse

APPEND = "SELECT sentinel_append(%s)"
BODY_VERSION = 1
_PREFIX = domain_prefix("record")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Cursor(Protocol):
    """What runs a statement: a Django or psycopg cursor, or a psycopg connection."""

    def execute(self, query: str, params: list[Any], /) -> object:
        """Run one statement."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement to run in the caller's transaction."""

    record_id: UUID
    sql: str
    parameters: list[Any]


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record as it stands in the database. `index` is None until it is sequenced."""

    id: UUID
    kind: str
    decision_id: UUID | None
    case_id: UUID | None
    body: bytes
    leaf: bytes
    recorded_at: datetime
    index: int | None

    @property
    def content(self) -> Mapping[str, object]:
        """What the writer said, without the envelope.

        Raises:
            NotCanonical: the body is no strict JSON, so somebody altered it.
        """
        envelope = parse(self.body)
        content = envelope.get("content") if isinstance(envelope, dict) else None
        return MappingProxyType(content if isinstance(content, dict) else {})

    def computed_leaf(self) -> bytes:
        """Return the leaf hash that follows from time and body as they are now."""
        return leaf_of(self.recorded_at, self.body)


def append(
    cursor: Cursor,
    *,
    kind: str,
    body: Mapping[str, object],
    decision_id: UUID | None = None,
    case_id: UUID | None = None,
    new_id: Callable[[], UUID] = uuid7,
) -> UUID:
    """Add a record to the log of the current legal entity, in the cursor's transaction.

    Raises:
        NotCanonical: the body has no canonical form; nothing is written.
        EntityNotSet: no legal entity is being worked for.
    """
    statement = append_statement(
        kind=kind, body=body, decision_id=decision_id, case_id=case_id, new_id=new_id
    )
    cursor.execute(statement.sql, statement.parameters)
    return statement.record_id


def append_statement(
    *,
    kind: str,
    body: Mapping[str, object],
    decision_id: UUID | None = None,
    case_id: UUID | None = None,
    new_id: Callable[[], UUID] = uuid7,
) -> Statement:
    """Return the statement `append` would run, for a caller that sends several at once.

    Raises:
        NotCanonical: the body has no canonical form.
        EntityNotSet: no legal entity is being worked for.
    """
    record_id = new_id()
    envelope = {
        "case_id": None if case_id is None else str(case_id),
        "content": dict(body),
        "decision_id": None if decision_id is None else str(decision_id),
        "entity": current_entity(),
        "id": str(record_id),
        "kind": kind,
        "v": BODY_VERSION,
    }
    return Statement(record_id, APPEND, [canonical_json(envelope)])


def leaf_of(recorded_at: datetime, body: bytes) -> bytes:
    """Return the leaf hash of a record: its time in microseconds and its body."""
    return leaf_hash(entry_of(recorded_at, body))


def entry_of(recorded_at: datetime, body: bytes) -> bytes:
    """Return the log entry of a record: the version, its time in microseconds, and its body."""
    return _PREFIX + struct.pack(">q", microseconds(recorded_at)) + body


def microseconds(moment: datetime) -> int:
    """Return the exact number of microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
