"""What witnesses remember, brought to a restore and put aside once the log was continued."""

from pathlib import Path
from uuid import UUID

from sentinel.entities import current_entity
from sentinel.log.note import CheckpointRefused, origin_of, parse_checkpoint
from sentinel.log.witness import CHECKPOINT_SUFFIX, memory_of


def witnessed_notes(*, places: tuple[Path, ...] = ()) -> tuple[str, ...]:
    """Return the checkpoints of this legal entity's log that the local witness keeps, and others.

    Each of `places` is a file with a checkpoint or a folder of them, as a witness keeps it.
    Checkpoints of other logs are passed over.

    Raises:
        OSError: one of the places cannot be read.
        CheckpointRefused: a file that was named is no checkpoint.
    """
    own = memory_of(current_entity()).folder
    files = sorted(own.glob(f"*{CHECKPOINT_SUFFIX}"))
    for place in places:
        files += sorted(place.rglob(f"*{CHECKPOINT_SUFFIX}")) if place.is_dir() else [place]
    notes = dict.fromkeys(_text(file) for file in files)
    mine = origin_of(current_entity())
    return tuple(note for note in notes if parse_checkpoint(note).origin == mine)


def set_memory_aside(*, backup: UUID) -> Path | None:
    """Put away what the local witness remembers of a history that is lost; nothing is deleted.

    Return where it lies now, or None if it remembered nothing.
    """
    folder = memory_of(current_entity()).folder
    if not folder.exists():
        return None
    aside = folder.with_name(f"{folder.name}.before-{backup}")
    folder.rename(aside)
    return aside


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise CheckpointRefused("text is not a checkpoint") from error
