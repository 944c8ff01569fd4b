"""Unpacks the archives of a backup into the data of an embedded PostgreSQL."""

import os
import pwd
import shutil
import tarfile
import zlib
from pathlib import Path

from deploy.embedded.place import Place
from deploy.safekeeping.manifest import BackupRefused

# A server does what its configuration says, programs to run included: what was put back gets its
# own, as a new one has it. All else the supervisor gives it when it starts.
_CONFIGURATION = {
    "postgresql.conf": "",
    "postgresql.auto.conf": "",
    "pg_hba.conf": "local all all trust\nlocal replication all trust\n",
    "pg_ident.conf": "",
}
_LEFT_OUT = {*_CONFIGURATION, "standby.signal", "recovery.signal"}


def unpack(folder: Path, place: Place) -> None:
    """Unpack beside the data and move it over, so that an interrupted run leaves no database.

    Raises:
        BackupRefused: an archive cannot be read, leads elsewhere, or is larger than there is room.
    """
    draft = place.data.with_name("restoring")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    try:
        _fill(draft, folder)
        _own(draft, place.user)
        place.data.rmdir()
        draft.rename(place.data)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fill(draft: Path, folder: Path) -> None:
    room = _Room(shutil.disk_usage(draft).free)
    for name, target in (("base.tar.gz", draft), ("pg_wal.tar.gz", draft / "pg_wal")):
        try:
            with tarfile.open(folder / name) as archive:
                # The filter ends in that of the standard library, which lets nothing lead out.
                archive.extractall(target, filter=room.admit)  # noqa: S202
        except (tarfile.TarError, zlib.error, EOFError) as error:
            raise BackupRefused(f"{name} cannot be unpacked: {error}") from error
    for name, words in _CONFIGURATION.items():
        (draft / name).write_text(words, encoding="utf-8")


class _Room:
    """How much may still be unpacked, and what may not be."""

    def __init__(self, bytes_left: int) -> None:
        self._left = bytes_left

    def admit(self, member: tarfile.TarInfo, target: str) -> tarfile.TarInfo | None:
        """Return what is to be unpacked of a member; None of what the bank makes itself."""
        # The copy also holds the lock of the socket of the server it was taken from.
        name = os.path.normpath(member.name)
        if name in _LEFT_OUT or name.startswith(".s.PGSQL."):
            return None
        self._left -= member.size
        if self._left < 0:
            raise BackupRefused("The backup unpacks to more than there is room for.")
        return tarfile.data_filter(member, target)


def _own(draft: Path, user: str | None) -> None:
    owner = pwd.getpwnam(user) if user else None
    for path in (draft, *draft.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        if owner:
            os.chown(path, owner.pw_uid, owner.pw_gid)
