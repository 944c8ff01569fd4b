"""Files of items put into a folder: read piece by piece from a copy of ours, then moved away.

Folders and checksums are those of every other file that is put there. A process that ends while it
reads leaves the file where it is: the next one reads on behind what is kept.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

import sentinel.public
from orchestration.durable.doorbell import database_time
from orchestration.durable.faults import crash_point
from orchestration.triggers import rows
from orchestration.triggers.batch_files import FileNotUnderstood, digest_of
from orchestration.triggers.batch_reading import keep_batch
from orchestration.triggers.content import BatchContent
from orchestration.triggers.drops import (
    CHECKSUM,
    CHECKSUM_BYTES_MAX,
    complete_in,
    incoming_of,
    move_away,
    take_files_of_triggers,
)
from orchestration.triggers.folders import TOO_LARGE, FileNotRead, copy_into, read_whole, shown
from orchestration.triggers.receiving import flows_in_force
from sentinel.vocabulary import Principal

BATCH_BYTES_MAX = 64 * 1024 * 1024
_NAME_LENGTH_MAX = 150


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder whose files are all of one kind."""

    process: str
    name: str
    declared: BatchContent
    place: Path

    @property
    def trigger(self) -> str:
        return f"{self.process}/{self.name}"

    @property
    def principal(self) -> Principal:
        """Return for whom such a file is taken: whoever its items act for."""
        mandate = f"system:{self.declared.mandate}"
        return Principal(mandate, "system", mandate, sentinel.public.current_entity())


def take_files_once() -> int:
    """Take the complete files of every folder of this legal entity; return how many were taken."""
    folder = Path(settings.FILES_DROP) / sentinel.public.current_entity()
    taken = take_files_of_triggers(folder)
    for each in _folders(folder):
        taken += sum(_take(path, each) for path in complete_in(each.place, each.declared.pattern))
    return taken


def _folders(folder: Path) -> list[_Folder]:
    return [
        _Folder(flow.process, name, declared, incoming_of(folder, declared.source))
        for flow in flows_in_force()
        for name, declared in sorted(flow.content.batches.items())
        if declared.source
    ]


def _take(path: Path, folder: _Folder) -> bool:
    """Check one file, keep its items, and move it away; False when it is none or is refused."""
    with tempfile.TemporaryFile() as copy:
        try:
            copy_into(path, copy, BATCH_BYTES_MAX)
            checksum = read_whole(path.with_name(path.name + CHECKSUM), CHECKSUM_BYTES_MAX)
        except FileNotFoundError:
            return False
        except FileNotRead as error:
            # A link just stays.
            return error.reason == TOO_LARGE and _refuse(path, folder, "", error.reason)
        digest = digest_of(copy).hex()
        if checksum.decode("utf-8", "replace").split()[:1] != [digest]:
            return _refuse(path, folder, digest, "checksum_differs")
        try:
            keep_batch(
                process=folder.process,
                name=folder.name,
                file_name=shown(path.name),
                file=copy,
                made_by=folder.principal,
                at=database_time(),
            )
        except FileNotUnderstood as error:
            words = f"Line {error.line}: {error.reason}." if error.line else f"{error.reason}."
            return _refuse(path, folder, digest, error.code, words)
    crash_point("batch_file_read")
    move_away(path, folder.place.parent / "accepted")
    return True


def _refuse(path: Path, folder: _Folder, digest: str, code: str, words: str = "") -> bool:
    named = f"{shown(path.name)[:_NAME_LENGTH_MAX]}:{digest}" if digest else shown(path.name)
    rows.keep_refusal(folder.trigger, named, code, words)
    move_away(path, folder.place.parent / "refused")
    return False
