"""The local witness: it remembers the last checkpoint it saw, outside the database.

The witness keeps its memory as files that are never rewritten, one per checkpoint. It cosigns
only a checkpoint that extends what it remembers, so a log that was rewritten or cut short gets
no further cosignature, and the alarm says so.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from sentinel.compromise.revoked import trusted_at
from sentinel.entities import legal_entity
from sentinel.log.merkle import ProofRefused, verify_consistency
from sentinel.log.note import (
    COSIGNATURE_V1,
    Checkpoint,
    CheckpointRefused,
    VerificationKey,
    cosignature_line,
    parse_checkpoint,
    verify_note,
)
from sentinel.log.proofs import SignedCheckpoint, consistency_proof, latest_checkpoint
from sentinel.log.reading import recorded_keys, recorded_log_keys
from sentinel.log.sequencer import record_key
from sentinel.signing.keys import FileSigner, Purpose, signer_for

WITNESS_NAME = "frontline.example/witness/local"
CHECKPOINT_SUFFIX = ".checkpoint"


class WitnessRefused(Exception):
    """The log is not the one the witness remembers, grown: it was rewritten, cut or forged."""

    code = "witness_refused"
    is_retryable = False

    def __init__(self, entity: str, reason: str) -> None:
        super().__init__(entity, reason)
        self.entity, self.reason = entity, reason


@dataclass(frozen=True, slots=True)
class Memory:
    """What a witness remembers of one log: a folder of checkpoints it cosigned."""

    folder: Path

    def latest(self) -> Checkpoint | None:
        """Return the last checkpoint cosigned, if any."""
        files = sorted(self.folder.glob("*" + CHECKPOINT_SUFFIX))
        return parse_checkpoint(files[-1].read_text(encoding="utf-8")) if files else None

    def add(self, note: str, size: int) -> None:
        """Keep a cosigned checkpoint, durably and once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=self.folder)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(draft, 0o444)
        try:
            os.link(draft, self.folder / f"{size:015d}{CHECKPOINT_SUFFIX}")
        except FileExistsError:
            return
        finally:
            os.unlink(draft)


def run_witness_once() -> int:
    """Cosign the newest checkpoint of every legal entity's log; return how many were new.

    Raises:
        WitnessRefused: a log is not the remembered one, grown. Nothing of it is cosigned.
    """
    return sum(_witness(entity) for entity in _entities_with_logs())


def memory_of(entity: str) -> Memory:
    """Return what the local witness remembers of a legal entity's log."""
    return Memory(Path(settings.FRONTLINE_WITNESS_DIR) / entity)


def _entities_with_logs() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sentinel_log_entities() ORDER BY 1")
        return [entity for (entity,) in cursor.fetchall()]


def _waits_for_continuation() -> bool:
    """After a restore nothing is cosigned before somebody said from where the log goes on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM sentinel_gate"
            " WHERE opened_at IS NULL AND continued_at IS NULL)"
        )
        return bool(cursor.fetchone()[0])


def _witness(entity: str) -> bool:
    memory = memory_of(entity)
    with legal_entity(entity=entity):
        if _waits_for_continuation():
            return False
        latest, remembered = latest_checkpoint(), memory.latest()
        if latest is None:
            return False
        _require_growth(entity, remembered, latest)
        if remembered is not None and remembered.size == latest.size:
            return False
        _cosign(entity, latest, memory)
    return True


def _require_growth(entity: str, remembered: Checkpoint | None, latest: SignedCheckpoint) -> None:
    try:
        keys = trusted_at(size=latest.size, keys=recorded_log_keys())
        checkpoint = verify_note(latest.note, keys)
        if remembered is not None:
            if checkpoint.size < remembered.size:
                raise WitnessRefused(entity, "the log is shorter than what was witnessed")
            proof = consistency_proof(first=remembered.size, second=checkpoint.size)
            verify_consistency(
                remembered.size, checkpoint.size, proof.hashes, remembered.root, checkpoint.root
            )
    except CheckpointRefused as error:
        raise WitnessRefused(entity, error.reason) from error
    except ProofRefused as error:
        raise WitnessRefused(entity, "the log does not contain what was witnessed") from error


def _cosign(entity: str, latest: SignedCheckpoint, memory: Memory) -> None:
    signer = signer_for(folder=Path(settings.KEYS_DIR), entity=entity, purpose=Purpose.WITNESS)
    _record_own_key(entity, signer)
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::bigint")
        (seconds,) = cursor.fetchone()
        line = cosignature_line(latest.checkpoint, WITNESS_NAME, seconds, signer)
        cursor.execute("SELECT sentinel_cosign(%s, %s, %s)", [latest.size, WITNESS_NAME, line])
    # The file comes last: if this process dies before it, the next run does both again.
    memory.add(latest.note + line, latest.size)


def _record_own_key(entity: str, signer: FileSigner) -> None:
    key = VerificationKey(WITNESS_NAME, COSIGNATURE_V1, signer.public_bytes)
    if key not in recorded_keys():
        record_key(entity=entity, purpose=Purpose.WITNESS, key=key)
