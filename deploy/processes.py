"""Child processes that do not outlive their parent."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

_PR_SET_PDEATHSIG = 1
_watched_until_death: list[int] = []
_HAS_DEATH_SIGNAL = sys.platform == "linux"


def spawn(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    output: IO[bytes] | None = None,
    last_signal: signal.Signals = signal.SIGTERM,
    user: str | None = None,
    kept: tuple[int, ...] = (),
) -> subprocess.Popen[bytes]:
    """Start a child in its own session, which gets `last_signal` when this process dies.

    The kernel sends it on Linux; elsewhere a watchdog process holding a pipe does. `kept` are
    the open descriptors the child inherits.
    """
    child = subprocess.Popen(
        list(arguments),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        # Another user may not be allowed to stand in our folder.
        cwd="/" if user else None,
        user=user,
        group=_group_of(user),
        extra_groups=[] if user else None,
        pass_fds=kept,
        start_new_session=True,
        preexec_fn=_on_parent_death(last_signal) if _HAS_DEATH_SIGNAL else None,  # noqa: PLW1509
    )
    if not _HAS_DEATH_SIGNAL:
        _watch(child.pid, last_signal)
    return child


def _group_of(user: str | None) -> int | None:
    if user is None:
        return None
    return pwd.getpwnam(user).pw_gid


def _on_parent_death(last_signal: signal.Signals) -> Callable[[], None]:
    """Return what the child runs before its program: ask the kernel for the signal.

    The request is lost when the process changes its user, so it comes after that. A parent
    that died in between is noticed by its number.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(last_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return ask


def _watch(pid: int, last_signal: signal.Signals) -> None:
    reading, writing = os.pipe()
    subprocess.Popen(
        [sys.executable, "-m", "deploy.watchdog", str(pid), str(int(last_signal))],
        stdin=reading,
        start_new_session=True,
    )
    os.close(reading)
    # The other end stays open as long as this process lives.
    _watched_until_death.append(writing)


def stop(child: subprocess.Popen[bytes], *, first: signal.Signals, seconds: float) -> int:
    """Ask the child to end, and kill it when it has not within the given seconds."""
    if child.poll() is None:
        child.send_signal(first)
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        return child.wait()


def is_alive(pid: int) -> bool:
    """Return whether a process of this number runs (a zombie does not)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
