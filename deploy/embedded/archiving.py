"""The write-ahead log of the embedded PostgreSQL kept elsewhere, and read again up to a moment.

FRONTLINE_WAL_ARCHIVE names the folder. A base backup and every file since make the state of any
moment between; a file that is missing in the middle would end it early, so that is refused.
"""

import os
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from deploy.embedded.place import EmbeddedUnavailable, Place, is_reached, place_for

VARIABLE = "FRONTLINE_WAL_ARCHIVE"
# A change is in the archive after this time at the latest, however quiet the bank is.
ARCHIVE_SECONDS_MAX = 60
RECOVERY_SECONDS_MAX = 3600
_SEGMENT = re.compile(r"[0-9A-F]{24}")
_KEPT = re.compile(r"[0-9A-F]{24}|[0-9A-F]{8}\.history")
_SEGMENTS_PER_FILE = 256


def archive_settings(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the settings with which PostgreSQL keeps its log elsewhere; none if nobody asked.

    Raises:
        EmbeddedUnavailable: the folder cannot be made or reached.
    """
    named = environment.get(VARIABLE)
    if not named:
        return {}
    folder, user = Path(named).absolute(), place_for(home).user
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if user:
            shutil.chown(folder, user)
    except OSError as error:
        raise EmbeddedUnavailable(f"{VARIABLE}: {folder} cannot be made: {error}") from error
    if user and not is_reached(user, folder):
        raise EmbeddedUnavailable(f"{VARIABLE}: the user {user} cannot reach {folder}.")
    return {
        "archive_mode": "on",
        "archive_timeout": f"{ARCHIVE_SECONDS_MAX}s",
        "archive_command": archive_command(folder),
    }


@dataclass(frozen=True, slots=True)
class Recovery:
    """Archived files to go on with after a base backup, and the moment to stop at, if any."""

    archive: Path
    until: datetime | None

    def problem(self) -> str:
        """Return why these files do not make one history, or nothing."""
        if not self.archive.is_dir():
            return f"{self.archive} is no folder."
        names = sorted(path.name for path in self.archive.iterdir())
        segments = [name for name in names if _SEGMENT.fullmatch(name)]
        if not segments:
            return f"{self.archive} holds no file of a write-ahead log."
        for one, other in pairwise(segments):
            if one[:8] == other[:8] and _number(other) != _number(one) + 1:
                return f"Between {one} and {other} a file is missing in {self.archive}."
        return ""

    def settings(self, place: Place) -> dict[str, str]:
        """Copy the files to where the server reads them, and return how it does."""
        copy = place.data.with_name("recovering")
        shutil.rmtree(copy, ignore_errors=True)
        copy.mkdir(mode=0o700)
        for path in self.archive.iterdir():
            if _KEPT.fullmatch(path.name) and path.is_file() and not path.is_symlink():
                shutil.copyfile(path, copy / path.name)
        (place.data / "recovery.signal").touch(mode=0o600)
        if place.user:
            for path in (copy, *copy.iterdir(), place.data / "recovery.signal"):
                shutil.chown(path, place.user)
        asked = {
            "restore_command": f"cp {_shell(copy)}/%f %p",
            "recovery_target_action": "promote",
            # It answers once it has come to the end, and never before.
            "hot_standby": "off",
        }
        if self.until is not None:
            asked["recovery_target_time"] = self.until.astimezone(UTC).isoformat()
        return asked


def forget_copies(place: Place) -> None:
    """Remove the files a recovery was done with."""
    shutil.rmtree(place.data.with_name("recovering"), ignore_errors=True)


def _number(segment: str) -> int:
    return int(segment[8:16], 16) * _SEGMENTS_PER_FILE + int(segment[16:], 16)


def archive_command(folder: Path) -> str:
    """Return what keeps a file whole or not at all, and never another one in its place."""
    place = _shell(folder)
    return (
        f"if test -e {place}/%f; then cmp -s %p {place}/%f;"
        f" else cp %p {place}/.%f.part && sync {place}/.%f.part"
        f" && mv {place}/.%f.part {place}/%f; fi"
    )


def _shell(folder: Path) -> str:
    return shlex.quote(os.fspath(folder)).replace("%", "%%")
