"""Proves a whole log from its records: every leaf, every checkpoint, and that none went missing.

It trusts no stored hash: leaves follow from the records, the tree from the leaves. What it
compares with, a checkpoint kept elsewhere, is the only thing from outside.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection

from sentinel.compromise.revoked import trusted_at
from sentinel.entities import current_entity
from sentinel.log.merkle import EMPTY, Frontier, extend
from sentinel.log.note import CheckpointRefused, parse_checkpoint, verify_note
from sentinel.log.proofs import latest_checkpoint
from sentinel.log.reading import recorded_log_keys
from sentinel.log.records import leaf_of
from sentinel.signing.canonical import NotCanonical, parse_canonical

PAGE = 5000
FAULTS_MAX = 50
_PAGE_OF_LEAVES = """
SELECT l.idx, l.leaf, l.record_id, r.kind, r.decision_id, r.case_id, r.body, r.recorded_at
FROM sentinel_leaf l LEFT JOIN sentinel_record r ON r.id = l.record_id
WHERE l.idx >= %s AND l.idx < %s ORDER BY l.idx
"""
_LOOSE = """
SELECT count(*) FROM sentinel_record r
WHERE NOT EXISTS (SELECT FROM sentinel_leaf l WHERE l.record_id = r.id)
AND NOT EXISTS (SELECT FROM sentinel_pending p WHERE p.record_id = r.id)
"""


@dataclass(frozen=True, slots=True)
class LogProof:
    """What a recomputation of a log found; `faults` name what does not fit, in words."""

    entity: str
    size: int
    checkpoints: int
    faults: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether everything fits."""
        return not self.faults


@dataclass(slots=True)
class _Recount:
    """The tree as it grows again from the records."""

    roots: dict[int, bytes]
    frontier: Frontier = EMPTY
    checked: int = 0
    faults: list[str] = field(default_factory=list)

    def find(self, words: str) -> None:
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(words)

    def take(self, leaf: bytes) -> None:
        self.frontier, _ = extend(self.frontier, [leaf])
        root = self.roots.get(self.frontier.size)
        if root is None:
            return
        self.checked += 1
        if root != self.frontier.root():
            self.find(f"the checkpoint of {self.frontier.size} records is not of these records")


def prove_log(*, known_note: str | None = None) -> LogProof:
    """Recompute the log of this legal entity from its records and name what does not fit.

    `known_note` is a checkpoint kept outside: the log must still begin as it says.
    """
    recount = _Recount(_roots())
    for row in _leaves():
        _take(recount, row)
    _judge_newest(recount)
    if known_note is not None:
        _judge_known(recount, known_note)
    with connection.cursor() as cursor:
        cursor.execute(_LOOSE)
        (loose,) = cursor.fetchone()
    if loose:
        recount.find(f"{loose} records are neither sealed nor waiting to be")
    return LogProof(current_entity(), recount.frontier.size, recount.checked, tuple(recount.faults))


def _roots() -> dict[int, bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT size, root FROM sentinel_checkpoint")
        return {size: bytes(root) for size, root in cursor.fetchall()}


def _leaves() -> Iterator[tuple[Any, ...]]:
    first = 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(idx), -1) + 1 FROM sentinel_leaf")
        (end,) = cursor.fetchone()
        while first < end:
            cursor.execute(_PAGE_OF_LEAVES, [first, first + PAGE])
            yield from cursor.fetchall()
            first += PAGE


def _take(recount: _Recount, row: tuple[Any, ...]) -> None:
    index, leaf, record_id, kind, decision_id, case_id, body, recorded_at = row
    if index != recount.frontier.size:
        recount.find(f"record {recount.frontier.size} is missing: the next is {index}")
    if body is None:
        recount.find(f"record {index} ({record_id}) was removed")
    else:
        if leaf_of(recorded_at, bytes(body)) != bytes(leaf):
            recount.find(f"record {index} ({record_id}) was altered after it was sealed")
        if not _fits(bytes(body), record_id, kind, decision_id, case_id):
            recount.find(f"record {index} ({record_id}) stands under other names than it says")
    recount.take(bytes(leaf))


def _fits(
    body: bytes, record_id: UUID, kind: str, decision_id: UUID | None, case_id: UUID | None
) -> bool:
    try:
        said = parse_canonical(body)
    except NotCanonical:
        return False
    columns = {
        "id": str(record_id),
        "kind": kind,
        "decision_id": None if decision_id is None else str(decision_id),
        "case_id": None if case_id is None else str(case_id),
        "entity": current_entity(),
    }
    return isinstance(said, dict) and all(said.get(name) == at for name, at in columns.items())


def _judge_newest(recount: _Recount) -> None:
    newest = latest_checkpoint()
    if newest is None:
        if recount.frontier.size:
            recount.find("there are sealed records and no checkpoint")
        return
    if newest.size != recount.frontier.size:
        recount.find(
            f"the newest checkpoint has {newest.size} records, the log {recount.frontier.size}"
        )
    try:
        verify_note(newest.note, trusted_at(size=newest.size, keys=recorded_log_keys()))
    except CheckpointRefused as error:
        recount.find(f"the newest checkpoint: {error.reason}")


def _judge_known(recount: _Recount, note: str) -> None:
    """The log must hold the very records of a checkpoint that was kept elsewhere."""
    try:
        known = parse_checkpoint(note)
    except CheckpointRefused as error:
        recount.find(f"the checkpoint given: {error.reason}")
        return
    if known.size > recount.frontier.size:
        recount.find(
            f"the log has {recount.frontier.size} records; the checkpoint given saw {known.size}"
        )
        return
    frontier = EMPTY
    for row in _leaves():
        if frontier.size == known.size:
            break
        frontier, _ = extend(frontier, [bytes(row[1])])
    if frontier.root() != known.root:
        recount.find(f"the first {known.size} records are not those of the checkpoint given")
