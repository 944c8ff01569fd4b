"""Receipts: what a person or a program keeps to prove, without the bank, that a record was made.

A receipt is a C2SP tlog-proof: the record's number, the way from its leaf to the root, and the
checkpoint over it. The record itself travels as its extra data, so that the leaf can be computed.
"""

import base64
from dataclasses import dataclass
from uuid import UUID

from sentinel.log.merkle import inclusion_ranges
from sentinel.log.proofs import (
    NotSequencedYet,
    RecordNotFound,
    SignedCheckpoint,
    latest_checkpoint,
    range_hashes,
    witnessed_checkpoint,
)
from sentinel.log.reading import record, records_of
from sentinel.log.records import LogRecord, entry_of

FIRST_LINE = "c2sp.org/tlog-proof@v1"
SUFFIX = ".tlog-proof"


@dataclass(frozen=True, slots=True)
class LogReceipt:
    """One record with its proof. `text` is the whole file; `is_witnessed` tells who else signed."""

    record_id: UUID
    kind: str
    index: int
    size: int
    is_witnessed: bool
    text: str


def receipt(*, record_id: UUID) -> LogReceipt:
    """Return the receipt of a record, against the newest witnessed checkpoint that covers it.

    If no witness has seen it yet, the checkpoint is the newest one of the log alone.

    Raises:
        RecordNotFound: this legal entity has no such record.
        NotSequencedYet: no signed checkpoint covers it yet.
        ProofRefused: a hash of the tree is missing, so somebody removed it.
    """
    return _receipt(record(record_id=record_id))


def receipts_of(*, decision_id: UUID) -> tuple[LogReceipt, ...]:
    """Return the receipts of all records of a decision, in the order of the log.

    Raises:
        RecordNotFound: this legal entity has no record of it.
        NotSequencedYet: no signed checkpoint covers one of them yet.
        ProofRefused: a hash of the tree is missing, so somebody removed it.
    """
    found = records_of(decision_id=decision_id)
    if not found:
        raise RecordNotFound(decision_id)
    return tuple(_receipt(each) for each in found)


def _receipt(found: LogRecord) -> LogReceipt:
    if found.index is None:
        raise NotSequencedYet(found.id)
    over = witnessed_checkpoint(beyond=found.index) or latest_checkpoint()
    if over is None or over.size <= found.index:
        raise NotSequencedYet(found.id)
    text = _text(found, found.index, over)
    return LogReceipt(found.id, found.kind, found.index, over.size, over.is_witnessed, text)


def _text(found: LogRecord, index: int, over: SignedCheckpoint) -> str:
    hashes = range_hashes(inclusion_ranges(index, over.size))
    lines = [FIRST_LINE, f"extra {_base64(entry_of(found.recorded_at, found.body))}"]
    lines += [f"index {index}", *map(_base64, hashes), "", over.note]
    return "\n".join(lines)


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
