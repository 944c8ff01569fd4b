"""Starts, watches and stops the embedded PostgreSQL as a direct child of this process."""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy import processes
from deploy.embedded import predecessor
from deploy.embedded.place import MAJOR_VERSION, EmbeddedUnavailable, Place, place_for

SUPERUSER = "postgres"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 5
LOG_BYTES_MAX = 10_000_000
_POLL_SECONDS = 0.05
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "log_destination": "stderr",
    "logging_collector": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "idle_in_transaction_session_timeout": "5min",
    "cluster_name": "frontline",
    # The first change of a page after a checkpoint logs the whole page.
    "wal_compression": "on",
}
Say = Callable[[str], None]


class AlreadyRunning(Exception):
    """Another process of this installation runs the embedded PostgreSQL."""

    code = "already_running"
    is_retryable = False

    def __init__(self, home: str) -> None:
        super().__init__(home)
        self.home = home


@dataclass(slots=True)
class EmbeddedPostgres:
    """One PostgreSQL of this installation. Only the holder of the lock file may start it."""

    home: Path
    say: Say
    settings: Mapping[str, str] = field(default_factory=dict)
    start_seconds_max: int = START_SECONDS_MAX
    place: Place | None = None
    _process: subprocess.Popen[bytes] | None = None
    _lock: int | None = None

    def start(self) -> Path:
        """Start the server, making its data first if there is none; return the socket's folder.

        Raises:
            AlreadyRunning: another process holds this installation's lock.
            EmbeddedUnavailable: it cannot run here, or did not come up; the reason says why.
        """
        self._lock = _locked(self.home)
        self.place = place_for(self.home)
        _refuse_other_release(self.place)
        self._wait_for_predecessor(self.place)
        if not (self.place.data / "PG_VERSION").exists():
            self.say("making the database")
            _initialise(self.place)
        self._run(self.place)
        (self.home / "postgres.socket").write_text(f"{self.place.socket}\n")
        return self.place.socket

    def is_running(self) -> bool:
        """Return whether the server's process is alive."""
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        """Return how the server ended, if it did, and the end of its log."""
        code = None if self._process is None else self._process.poll()
        log = "" if self.place is None else _last_lines(self.place.log)
        return f"PostgreSQL {'runs' if code is None else f'ended with code {code}'}:\n{log}"

    def restart(self) -> None:
        """Start the server again after it died; its log says what it recovered."""
        if self.place is None:
            raise AssertionError("restart comes after start")
        self._wait_for_predecessor(self.place)
        self._run(self.place)

    def stop(self) -> None:
        """Stop the server, ending open sessions, and let go of the lock."""
        if self._process is not None:
            processes.stop(self._process, first=signal.SIGINT, seconds=STOP_SECONDS_MAX)
            self._process = None
        if self.place is not None and self.place.socket != self.place.data:
            shutil.rmtree(self.place.socket, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _run(self, place: Place) -> None:
        if place.log.exists() and place.log.stat().st_size > LOG_BYTES_MAX:
            place.log.replace(place.log.with_suffix(".log.1"))
        options = {**_SETTINGS, "unix_socket_directories": _quoted(place.socket), **self.settings}
        with place.log.open("ab") as log:
            self._process = processes.spawn(
                [str(place.binaries / "postgres"), "-D", str(place.data)]
                + [f"--{name}={value}" for name, value in options.items()],
                environment=_environment(),
                output=log,
                last_signal=signal.SIGINT,
                user=place.user,
            )
        self._wait_until_ready(place)

    def _wait_until_ready(self, place: Place) -> None:
        process = self._process
        for waited in _waiting(self.start_seconds_max):
            if process is None or process.poll() is not None:
                raise EmbeddedUnavailable(f"PostgreSQL did not start:\n{_last_lines(place.log)}")
            if _is_ready(place):
                return
            if waited:
                self.say(f"waiting for PostgreSQL, {waited} s")
        raise EmbeddedUnavailable(f"PostgreSQL is not ready yet; see {place.log}")

    def _wait_for_predecessor(self, place: Place) -> None:
        """Wait while the server of a killed run shuts down, and end what it left behind."""
        for waited in _waiting(START_SECONDS_MAX):
            if not predecessor.is_serving(place.data) and predecessor.clear(place.data):
                return
            if waited:
                self.say(f"waiting for the previous PostgreSQL to stop, {waited} s")
        holder = predecessor.server_of(place.data)
        raise EmbeddedUnavailable(f"Process {holder} still holds {place.data}.")


def _locked(home: Path) -> int:
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home / "postgres.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise AlreadyRunning(str(home)) from None
    return descriptor


def _refuse_other_release(place: Place) -> None:
    stamp = place.data / "PG_VERSION"
    if not stamp.exists():
        return
    version = stamp.read_text().strip()
    if version != MAJOR_VERSION:
        reason = (
            f"The data in {place.data} was made by PostgreSQL {version}; this release runs "
            f"{MAJOR_VERSION} and leaves it untouched. Start the earlier release and export with "
            f"pg_dump, then move the folder away and import; or move it away to begin anew."
        )
        raise EmbeddedUnavailable(reason)


def _initialise(place: Place) -> None:
    """Make the data in a folder of its own first, so that an interrupted run leaves none."""
    draft = place.data / "new"
    for leftover in place.data.iterdir():
        shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
    made = subprocess.run(
        [
            str(place.binaries / "initdb"),
            *("-D", str(draft), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            "--no-instructions",
        ],
        capture_output=True,
        text=True,
        check=False,
        user=place.user,
        group=pwd.getpwnam(place.user).pw_gid if place.user else None,
        extra_groups=[] if place.user else None,
        cwd="/",
        env=_environment(),
    )
    if made.returncode:
        raise EmbeddedUnavailable(f"initdb failed: {made.stderr.strip()}")
    # PG_VERSION moves last: without it the folder still counts as empty.
    for path in sorted(draft.iterdir(), key=lambda item: item.name == "PG_VERSION"):
        path.rename(place.data / path.name)
    draft.rmdir()


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _quoted(folder: Path) -> str:
    return '"' + str(folder).replace('"', '""') + '"'


def _is_ready(place: Place) -> bool:
    asked = subprocess.run(
        [str(place.binaries / "pg_isready"), "-q", "-h", str(place.socket), "-U", SUPERUSER],
        env=_environment(),
        check=False,
    )
    return asked.returncode == 0


def _last_lines(log: Path) -> str:
    if not log.exists():
        return f"{log} is gone, and so may be everything beside it"
    return "\n".join(log.read_text(errors="replace").splitlines()[-8:])


def _waiting(seconds_max: float) -> Iterator[int]:
    """Yield until the time is over: zero mostly, and the whole second each time one passes."""
    begin = time.monotonic()
    said = 0
    while (passed := time.monotonic() - begin) < seconds_max:
        yield int(passed) if int(passed) > said else 0
        said = int(passed)
        time.sleep(_POLL_SECONDS)
