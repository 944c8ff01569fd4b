"""The sequencer: numbers committed records, grows the tree and signs a checkpoint.

Any number of sequencers may run. The tree's row is locked first, so one works at a time, and
everything happens in one transaction, so a killed one leaves nothing half done.
"""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from sentinel.entities import legal_entity
from sentinel.log.merkle import Frontier, TileNode, extend
from sentinel.log.note import ED25519, Checkpoint, VerificationKey, origin_of, signed_note
from sentinel.log.records import append
from sentinel.signing.keys import FileSigner, Purpose, Signer, signer_for

BATCH = 5000


@dataclass(frozen=True, slots=True)
class _Fence:
    """The tree while its row is locked by this transaction."""

    frontier: Frontier
    is_key_known: bool


def run_sequencer_once(*, limit: int = BATCH) -> int:
    """Sequence up to `limit` records of every legal entity and return how many there were.

    Raises:
        KeyRefused: the signing key of a log cannot be read; its records stay pending.
    """
    return sum(_sequence(entity, limit) for entity in _entities_with_work())


def _entities_with_work() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sentinel_pending_entities() ORDER BY 1")
        return [entity for (entity,) in cursor.fetchall()]


def _sequence(entity: str, limit: int) -> int:
    signer = log_signer(entity)
    with legal_entity(entity=entity), transaction.atomic():
        fence = _fence(log_key(entity, signer))
        if not fence.is_key_known:
            record_key(entity=entity, purpose=Purpose.LOG, key=log_key(entity, signer))
        leaves = _drain(limit)
        if leaves:
            _seal(entity, signer, *extend(fence.frontier, leaves))
    return len(leaves)


def log_signer(entity: str) -> FileSigner:
    """Return the key that signs the checkpoints of a legal entity."""
    return signer_for(folder=Path(settings.KEYS_DIR), entity=entity, purpose=Purpose.LOG)


def log_key(entity: str, signer: Signer) -> VerificationKey:
    """Return the public half of a log's key under the log's name."""
    return VerificationKey(origin_of(entity), ED25519, signer.public_bytes)


def record_key(*, entity: str, purpose: Purpose, key: VerificationKey) -> None:
    """Record that a key is in use, so that the log itself says by which keys to check it."""
    body = {"entity": entity, "purpose": purpose.value, "vkey": key.encoded()}
    with connection.cursor() as cursor:
        append(cursor, kind="key", body=body)


def _fence(key: VerificationKey) -> _Fence:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT size, frontier, is_key_known FROM sentinel_fence(%s)", [key.encoded()]
        )
        size, frontier, is_key_known = cursor.fetchone()
    return _Fence(Frontier(size, tuple(bytes(item) for item in frontier)), is_key_known)


def _drain(limit: int) -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sentinel_drain(%s)", [limit])
        (leaves,) = cursor.fetchone()
    return [bytes(leaf) for leaf in leaves]


def _seal(entity: str, signer: Signer, frontier: Frontier, nodes: list[TileNode]) -> None:
    root = frontier.root()
    note = signed_note(Checkpoint(origin_of(entity), frontier.size, root), signer)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sentinel_seal(%s, %s, %s, %s::smallint[], %s::bigint[], %s::bytea[])",
            [
                root,
                list(frontier.hashes),
                note,
                [node.level for node in nodes],
                [node.index for node in nodes],
                [node.hash for node in nodes],
            ],
        )
