"""Reading the log of the current legal entity: records, feed, health, the check of one record."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from sentinel.entities import current_entity
from sentinel.log.merkle import ProofRefused, verify_inclusion
from sentinel.log.note import (
    CheckpointRefused,
    VerificationKey,
    origin_of,
    parse_vkey,
    verify_note,
)
from sentinel.log.proofs import InclusionProof, RecordNotFound, inclusion_proof
from sentinel.log.records import LogRecord
from sentinel.signing.canonical import Canonical, NotCanonical, parse_canonical

PAGE_MAX = 1000
_RECORDS = """
SELECT r.id, r.kind, r.decision_id, r.case_id, r.body, r.leaf, r.recorded_at, l.idx
FROM sentinel_record r LEFT JOIN sentinel_leaf l ON l.record_id = r.id
"""
# An outcome names its decision, and only the decision names the case.
_OF_CASE = """
WHERE r.case_id = %(id)s OR r.decision_id IN
    (SELECT d.decision_id FROM sentinel_record d WHERE d.case_id = %(id)s)
"""
_HEALTH = """
SELECT coalesce((SELECT size FROM sentinel_tree), 0),
    (SELECT count(*) FROM sentinel_pending),
    coalesce((SELECT extract(epoch FROM clock_timestamp() - min(r.recorded_at))::float8
        FROM (SELECT record_id FROM sentinel_pending ORDER BY seq LIMIT 100) p
        JOIN sentinel_record r ON r.id = p.record_id), 0),
    (SELECT signed_at FROM sentinel_checkpoint ORDER BY size DESC LIMIT 1),
    (SELECT cosigned_at FROM sentinel_cosignature ORDER BY size DESC LIMIT 1),
    (SELECT size FROM sentinel_cosignature ORDER BY size DESC LIMIT 1)
"""


@dataclass(frozen=True, slots=True)
class LogHealth:
    """How the log is doing. `lag_seconds` is the age of the oldest record not yet sequenced."""

    size: int
    pending: int
    lag_seconds: float
    last_checkpoint_at: datetime | None
    last_witness_at: datetime | None
    last_witness_size: int | None


@dataclass(frozen=True, slots=True)
class LogEvent:
    """One sequenced record in the feed. `position` is the cursor to go on from."""

    position: str
    record: LogRecord


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """What was found when one record was checked against the log, each part on its own.

    It is checked with the database's own rows: whoever rewrote all of them and holds the key is
    found only by `frontline-verify` with a checkpoint kept outside.
    """

    record_id: UUID
    kind: str
    is_body_canonical: bool
    is_body_intact: bool
    is_included: bool
    is_signed: bool
    proof: InclusionProof

    @property
    def index(self) -> int:
        """The number of the record in the log, from zero."""
        return self.proof.index

    @property
    def is_verified(self) -> bool:
        """Whether every part of the check passed."""
        return all((self.is_body_canonical, self.is_body_intact, self.is_included, self.is_signed))

    @property
    def words(self) -> str:
        """The result, for people."""
        if not self.is_signed:
            return "The checkpoint over this record is not signed by the log's own key."
        if not self.is_included:
            return "The log's tree does not contain this record where it was sealed."
        if not (self.is_body_intact and self.is_body_canonical):
            return "This record does not say what was sealed: it was altered."
        return f"Record {self.index} is unaltered and in the log of {self.proof.size} records."


def records_of(
    *, case_id: UUID | None = None, decision_id: UUID | None = None
) -> tuple[LogRecord, ...]:
    """Return the records of a case or of a decision, oldest first.

    Raises:
        ValueError: not exactly one of the two was given.
    """
    if (case_id is None) == (decision_id is None):
        raise ValueError("name a case or a decision")
    condition = _OF_CASE if decision_id is None else "WHERE r.decision_id = %(id)s"
    return _records(
        f"{condition} ORDER BY l.idx NULLS LAST, r.recorded_at", {"id": case_id or decision_id}
    )


def record(*, record_id: UUID) -> LogRecord:
    """Return one record.

    Raises:
        RecordNotFound: this legal entity has no such record.
    """
    found = _records("WHERE r.id = %s", [record_id])
    if not found:
        raise RecordNotFound(record_id)
    return found[0]


def events_after(*, cursor: str = "", limit: int = 100) -> tuple[LogEvent, ...]:
    """Return the sequenced records after a cursor, in the order of the log; '' is the beginning.

    The order is that of the tree: a record gets its number after it is committed, so a reader
    that has seen a number never finds a smaller one later.

    Raises:
        ValueError: the cursor is not one this feed gave.
    """
    following = int(cursor) + 1 if cursor else 0
    rows = _records("WHERE l.idx >= %s ORDER BY l.idx LIMIT %s", [following, min(limit, PAGE_MAX)])
    return tuple(LogEvent(str(row.index), row) for row in rows)


def log_health() -> LogHealth:
    """Return the size, the backlog and the freshness of this legal entity's log."""
    with connection.cursor() as cursor:
        cursor.execute(_HEALTH)
        return LogHealth(*cursor.fetchone())


def verify_record(*, record_id: UUID) -> RecordCheck:
    """Check one record now: its body against its leaf, the leaf against the signed tree.

    Raises:
        RecordNotFound: this legal entity has no such record.
        NotSequencedYet: no signed checkpoint covers it yet.
        ProofRefused: a hash of the tree is missing, so somebody removed it.
    """
    found, proof = record(record_id=record_id), inclusion_proof(record_id=record_id)
    try:
        checkpoint = verify_note(proof.note, recorded_log_keys())
        verify_inclusion(proof.index, proof.size, proof.leaf, proof.hashes, checkpoint.root)
        is_signed = is_included = True
    except CheckpointRefused:
        is_signed = is_included = False
    except ProofRefused:
        is_signed, is_included = True, False
    return RecordCheck(
        record_id=record_id,
        kind=found.kind,
        is_body_canonical=_envelope(found.body) is not None,
        is_body_intact=found.computed_leaf() == proof.leaf,
        is_included=is_included,
        is_signed=is_signed,
        proof=proof,
    )


def recorded_log_keys() -> tuple[VerificationKey, ...]:
    """Return the keys that the log itself records as its own, oldest first."""
    origin = origin_of(current_entity())
    return tuple(key for key in recorded_keys() if key.name == origin)


def recorded_keys() -> tuple[VerificationKey, ...]:
    """Return every key the log records: its own and the witnesses', oldest first."""
    records = _records("WHERE r.kind = 'key' ORDER BY r.recorded_at", [])
    keys = (_recorded_key(item) for item in records)
    return tuple(key for key in keys if key is not None)


def _recorded_key(item: LogRecord) -> VerificationKey | None:
    """Return the key of a record, or None if somebody altered it: then nothing it signed counts."""
    try:
        return parse_vkey(str(item.content.get("vkey")))
    except (NotCanonical, CheckpointRefused):
        return None


def _records(condition: str, parameters: list[Any] | dict[str, Any]) -> tuple[LogRecord, ...]:
    with connection.cursor() as cursor:
        cursor.execute(f"{_RECORDS} {condition}", parameters)
        return tuple(_record(row) for row in cursor.fetchall())


def _record(row: tuple[Any, ...]) -> LogRecord:
    record_id, kind, decision_id, case_id, body, leaf, recorded_at, index = row
    return LogRecord(
        record_id, kind, decision_id, case_id, bytes(body), bytes(leaf), recorded_at, index
    )


def _envelope(body: bytes) -> Canonical:
    try:
        return parse_canonical(body)
    except NotCanonical:
        return None
