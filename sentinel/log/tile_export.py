"""The log as a folder of static files: tiles first, the checkpoint that covers them last."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sentinel.log.merkle import ProofRefused, verify_consistency
from sentinel.log.note import Checkpoint, CheckpointRefused, verify_note
from sentinel.log.proofs import SignedCheckpoint, consistency_proof, latest_checkpoint
from sentinel.log.reading import recorded_log_keys
from sentinel.log.tiles import TileDamaged, read_tile, tiles_of

_CHECKPOINT = "checkpoint"


class ExportRefused(Exception):
    """The folder holds the tiles of another log, or the log is empty, altered or cut."""

    code = "export_refused"
    is_retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TileExport:
    """What an export covers, and how many files it added."""

    size: int
    written: int


def export_tiles(*, folder: Path) -> TileExport:
    """Bring a folder up to the newest checkpoint; full tiles that are there stay as they are.

    Raises:
        ExportRefused: nothing is sealed yet, or the log is not the folder's, grown.
        OSError: the folder cannot be written.
    """
    latest = latest_checkpoint()
    if latest is None:
        raise ExportRefused("nothing is sealed yet")
    before = _before(folder, latest)
    written = 0
    try:
        for tile in tiles_of(size=latest.size, since=before):
            written += _add(folder / tile.path, read_tile(path=tile.path))
    except TileDamaged as error:
        raise ExportRefused(f"{error.path} lacks something that was sealed") from error
    _replace(folder / _CHECKPOINT, latest.note.encode())
    return TileExport(latest.size, written)


def _before(folder: Path, latest: SignedCheckpoint) -> int:
    """Return the size the folder covers already, if it is an earlier state of this very log."""
    place = folder / _CHECKPOINT
    try:
        newest = verify_note(latest.note, recorded_log_keys())
        if not place.exists():
            return 0
        known = verify_note(place.read_text(encoding="utf-8"), recorded_log_keys())
        _require_growth(known, newest)
    except CheckpointRefused as error:
        raise ExportRefused(error.reason) from error
    except ProofRefused as error:
        raise ExportRefused("the log does not contain what was exported before") from error
    return known.size


def _require_growth(known: Checkpoint, newest: Checkpoint) -> None:
    proof = consistency_proof(first=known.size, second=newest.size)
    verify_consistency(known.size, newest.size, proof.hashes, known.root, newest.root)


def _add(place: Path, content: bytes) -> bool:
    """Write a file that is not there yet."""
    if place.exists():
        return False
    _replace(place, content)
    return True


def _replace(place: Path, content: bytes) -> None:
    """Write a file so that a reader finds it whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=place.parent)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.chmod(draft, 0o644)
    os.replace(draft, place)
