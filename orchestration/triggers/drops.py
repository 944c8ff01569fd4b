"""Files put into a folder: taken whole, checked by their checksum, begun once, moved away.

`FILES_DROP/<entity>/<source>/incoming/` holds `name` and `name.sha256`; whoever writes them writes
the checksum last, so that a file with a checksum is complete. Afterwards both lie in `accepted` or
in `refused`. A process that ends before it has moved them is met by the next: the same name with
the same content begins nothing again.
"""

import fnmatch
import hashlib
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from orchestration.durable.doorbell import database_time
from orchestration.durable.faults import crash_point
from orchestration.triggers import rows
from orchestration.triggers.folders import (
    TOO_LARGE,
    FileNotRead,
    is_real_folder,
    read_whole,
    shown,
)
from orchestration.triggers.receiving import (
    DeliveryRefused,
    Trigger,
    receive,
    triggers_in_force,
)

CHECKSUM = ".sha256"
FILE_BYTES_MAX = 16 * 1024 * 1024
TEXT_LENGTH_MAX = 500_000
CHECKSUM_BYTES_MAX = 4096
FILES_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Drop:
    """A complete file in a folder."""

    path: Path
    content: bytes

    @property
    def checksum(self) -> str:
        """Return its SHA-256."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def event_id(self) -> str:
        """Return what tells it from every other: its name and its content."""
        return f"{shown(self.path.name)[:150]}:{self.checksum}"


def take_files_of_triggers(folder: Path) -> int:
    """Take the complete files that begin a flow each; return how many were taken."""
    return sum(
        take_file(path, trigger.name, incoming.parent, _starting(trigger))
        for trigger in triggers_in_force("file")
        for incoming in [incoming_of(folder, trigger.content.source)]
        for path in complete_in(incoming, trigger.content.pattern)
    )


def take_file(
    path: Path, trigger: str, folder: Path, begin: Callable[[Drop, datetime], object]
) -> bool:
    """Check one file, begin what it begins, and move it away; False when somebody else has it."""
    try:
        drop = Drop(path, read_whole(path, FILE_BYTES_MAX))
        checksum = read_whole(path.with_name(path.name + CHECKSUM), CHECKSUM_BYTES_MAX)
    except FileNotFoundError:
        return False
    except FileNotRead as error:
        return _turned_away(path, trigger, folder, error.reason)
    claimed = checksum.decode("utf-8", "replace")
    try:
        if claimed.split()[:1] != [drop.checksum]:
            rows.keep_refusal(trigger, drop.event_id, "checksum_differs")
            raise DeliveryRefused(trigger, "checksum_differs")
        begin(drop, database_time())
        crash_point("file_begun")
    except DeliveryRefused:
        move_away(path, folder / "refused")
        return False
    move_away(path, folder / "accepted")
    return True


def _turned_away(path: Path, trigger: str, folder: Path, reason: str) -> bool:
    """Refuse a file that is too long, so that its sender sees it; a link just stays."""
    if reason != TOO_LARGE:
        return False
    rows.keep_refusal(trigger, shown(path.name), reason)
    move_away(path, folder / "refused")
    return False


def _starting(trigger: Trigger) -> Callable[[Drop, datetime], object]:
    def begin(drop: Drop, at: datetime) -> object:
        text = drop.content.decode("utf-8", "replace")
        payload: dict[str, object] = {
            "name": shown(drop.path.name),
            "checksum": drop.checksum,
            "size": len(drop.content),
            "text": text if len(text) <= TEXT_LENGTH_MAX else None,
        }
        return receive(trigger=trigger.name, event_id=drop.event_id, payload=payload, at=at)

    return begin


def incoming_of(folder: Path, source: str) -> Path:
    """Return where files of a source are put; no source leads out of the drop."""
    name = Path(source).name
    return folder / (name if name.strip(".") else "unnamed") / "incoming"


def complete_in(incoming: Path, pattern: str) -> Iterator[Path]:
    """Yield regular files that have their checksum beside them; links lead nowhere."""
    if not is_real_folder(incoming.parent) or not is_real_folder(incoming):
        return
    checksums = sorted(incoming.glob(f"*{CHECKSUM}"))
    named = (each.with_name(each.name.removesuffix(CHECKSUM)) for each in checksums)
    complete = (path for path in named if _is_plain(path, pattern))
    # Only what is complete is counted, so that what never will be hides nothing behind it.
    yield from islice(complete, FILES_AT_ONCE)


def _is_plain(path: Path, pattern: str) -> bool:
    if not fnmatch.fnmatchcase(path.name, pattern):
        return False
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(found.st_mode)


def move_away(path: Path, folder: Path) -> None:
    """Move a file, then its checksum: a checksum that is alone names no complete file."""
    folder.mkdir(exist_ok=True)
    checksum = path.with_name(path.name + CHECKSUM)
    for each in (path, checksum):
        # Another process may have moved it already.
        with suppress(FileNotFoundError):
            each.replace(folder / each.name)
