"""Checkpoints and proofs read from the log of the current legal entity."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from sentinel.log.merkle import (
    TILE_HEIGHT,
    ProofRefused,
    Range,
    complete_subtrees,
    consistency_ranges,
    fold,
    inclusion_ranges,
    node_hash,
)
from sentinel.log.note import (
    Checkpoint,
    CheckpointRefused,
    VerificationKey,
    cosigning,
    parse_checkpoint,
    parse_vkey,
)
from sentinel.signing.canonical import NotCanonical, parse_canonical

_CHECKPOINTS = """
SELECT c.note, c.signed_at, array(
    SELECT s.line FROM sentinel_cosignature s
    WHERE s.entity = c.entity AND s.size = c.size ORDER BY s.witness)
FROM sentinel_checkpoint c
"""


class RecordNotFound(LookupError):
    """The current legal entity has no record with this id."""

    code = "record_not_found"
    is_retryable = False

    def __init__(self, record_id: UUID) -> None:
        super().__init__(record_id)
        self.record_id = record_id


class NotSequencedYet(LookupError):
    """The record is stored but no signed checkpoint covers it yet; ask again in a second."""

    code = "not_sequenced_yet"
    is_retryable = True

    def __init__(self, record_id: UUID) -> None:
        super().__init__(record_id)
        self.record_id = record_id


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint with its signatures. `note` is what a C2SP verifier reads."""

    checkpoint: Checkpoint
    note: str
    signed_at: datetime
    is_witnessed: bool

    @property
    def size(self) -> int:
        """How many records the checkpoint covers."""
        return self.checkpoint.size

    @property
    def short(self) -> str:
        """The checkpoint as people copy it by hand."""
        return self.checkpoint.short()


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """That a record is the index-th of the log of `size` records under the note's root."""

    record_id: UUID
    index: int
    size: int
    leaf: bytes
    hashes: tuple[bytes, ...]
    note: str


@dataclass(frozen=True, slots=True)
class ConsistencyProof:
    """That the log of `second` records begins with the log of `first`."""

    first: int
    second: int
    hashes: tuple[bytes, ...]


def latest_checkpoint() -> SignedCheckpoint | None:
    """Return the newest signed checkpoint of this legal entity, if it has any record."""
    return _checkpoint("ORDER BY c.size DESC LIMIT 1", [])


def checkpoint_at(*, size: int) -> SignedCheckpoint | None:
    """Return the signed checkpoint of exactly this size, if one was made."""
    return _checkpoint("WHERE c.size = %s", [size])


def witnessed_checkpoint(*, beyond: int = 0) -> SignedCheckpoint | None:
    """Return the newest checkpoint of more than so many records that a witness cosigned."""
    newest = "(SELECT max(w.size) FROM sentinel_cosignature w WHERE w.size > %s)"
    return _checkpoint(f"WHERE c.size = {newest}", [beyond])


def short_checkpoint() -> str | None:
    """Return the newest checkpoint as people copy it by hand."""
    latest = latest_checkpoint()
    return None if latest is None else latest.short


def inclusion_proof(*, record_id: UUID) -> InclusionProof:
    """Return the proof that a record is in the log, against the newest checkpoint.

    Raises:
        RecordNotFound: there is no such record.
        NotSequencedYet: no signed checkpoint covers it yet.
    """
    index, leaf = _place(record_id)
    latest = latest_checkpoint()
    if latest is None or index >= latest.size:
        raise NotSequencedYet(record_id)
    hashes = range_hashes(inclusion_ranges(index, latest.size))
    return InclusionProof(record_id, index, latest.size, leaf, hashes, latest.note)


def consistency_proof(*, first: int, second: int) -> ConsistencyProof:
    """Return the proof that the log only grew between two sizes.

    Raises:
        ProofRefused: the sizes are not 0 < first <= second <= the newest checkpoint's.
    """
    latest = latest_checkpoint()
    if latest is None or second > latest.size:
        raise ProofRefused("the log is not that large")
    return ConsistencyProof(first, second, range_hashes(consistency_ranges(first, second)))


def range_hashes(ranges: Sequence[Range]) -> tuple[bytes, ...]:
    """Return the hash of each range of leaves, from the leaves and the complete tiles.

    Raises:
        ProofRefused: a hash is missing, so somebody removed it.
    """
    parts = [complete_subtrees(start, end) for start, end in ranges]
    known = _hashes({place for part in parts for subtree in part for place in _places(*subtree)})
    return tuple(
        fold([_subtree_hash([known[place] for place in _places(*subtree)]) for subtree in part])
        for part in parts
    )


def _checkpoint(condition: str, parameters: list[Any]) -> SignedCheckpoint | None:
    with connection.cursor() as cursor:
        cursor.execute(f"{_CHECKPOINTS} {condition}", parameters)
        row = cursor.fetchone()
    if row is None:
        return None
    note, signed_at, lines = row
    valid = cosigning(lines, note, key_ring()) if lines else ()
    return SignedCheckpoint(parse_checkpoint(note), note + "".join(valid), signed_at, bool(valid))


def key_ring() -> tuple[VerificationKey, ...]:
    """Return every key the log records, old ones too, but none of a record that was altered."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM sentinel_record WHERE kind = 'key'")
        found = [_vkey(bytes(body)) for (body,) in cursor.fetchall()]
    return tuple(key for key in found if key is not None)


def _vkey(body: bytes) -> VerificationKey | None:
    try:
        said = parse_canonical(body)
        content = said.get("content") if isinstance(said, dict) else None
        return parse_vkey(str(content.get("vkey") if isinstance(content, dict) else ""))
    except (NotCanonical, CheckpointRefused):
        return None


def _place(record_id: UUID) -> tuple[int, bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT idx, leaf FROM sentinel_leaf WHERE record_id = %s", [record_id])
        row = cursor.fetchone()
        if row is not None:
            return row[0], bytes(row[1])
        cursor.execute("SELECT EXISTS (SELECT FROM sentinel_record WHERE id = %s)", [record_id])
        (is_stored,) = cursor.fetchone()
    raise NotSequencedYet(record_id) if is_stored else RecordNotFound(record_id)


def _places(start: int, height: int) -> list[tuple[int, int]]:
    """Return the (level, index) of the stored hashes under a complete subtree, left to right."""
    level, rest = divmod(height, TILE_HEIGHT)
    first = start >> (TILE_HEIGHT * level)
    return [(level, index) for index in range(first, first + (1 << rest))]


def _hashes(places: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    by_level = dict[int, list[int]]()
    for level, index in places:
        by_level.setdefault(level, []).append(index)
    found = dict[tuple[int, int], bytes]()
    with connection.cursor() as cursor:
        for level, indexes in by_level.items():
            if level:
                cursor.execute(
                    "SELECT idx, hash FROM sentinel_node WHERE level = %s AND idx = ANY(%s)",
                    [level, indexes],
                )
            else:
                cursor.execute("SELECT idx, leaf FROM sentinel_leaf WHERE idx = ANY(%s)", [indexes])
            found |= {(level, index): bytes(value) for index, value in cursor.fetchall()}
            if len(indexes) != sum(place[0] == level for place in found):
                raise ProofRefused("a hash of the tree is missing")
    return found


def _subtree_hash(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [
            node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)
        ]
    return hashes[0]
