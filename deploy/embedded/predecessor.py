"""What is left of the PostgreSQL that ran on this data before: its server, and its orphans.

The number in `postmaster.pid` may be another program's by now, and a session's process that is
computing does not notice that its server was killed: it goes on holding the shared memory, and
the next server refuses to start. So we look for programs named `postgres` that stand in the
data folder, as every process of a PostgreSQL does.
"""

import contextlib
import os
import signal
import sys
from pathlib import Path

from deploy import processes

_HAS_PROC = sys.platform == "linux"
_PROGRAM = "postgres"
# A number no process has: the file went away or is still empty.
_NOBODY = 2**31 - 1


def is_serving(data: Path) -> bool:
    """Return whether a server of PostgreSQL still holds this data."""
    server = server_of(data)
    return server in _standing_in(data) if _HAS_PROC else processes.is_alive(server)


def server_of(data: Path) -> int:
    """Return the number of the server that wrote its lock file last."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int((data / "postmaster.pid").read_text().splitlines()[0])
    return _NOBODY


def clear(data: Path) -> bool:
    """Kill what a dead server left running, and its lock file; return whether all is gone."""
    orphans = _standing_in(data) if _HAS_PROC else frozenset[int]()
    for orphan in orphans:
        with contextlib.suppress(ProcessLookupError):
            os.kill(orphan, signal.SIGKILL)
    if orphans:
        return False
    # The number in it may be in use again, and PostgreSQL would take that for a server.
    (data / "postmaster.pid").unlink(missing_ok=True)
    return True


def _standing_in(folder: Path) -> frozenset[int]:
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and _stands_in(entry, folder):
            found.add(int(entry.name))
    return frozenset(found)


def _stands_in(process: Path, folder: Path) -> bool:
    # It may end while we look, and of another user's we are not told.
    with contextlib.suppress(OSError):
        is_postgres = (process / "comm").read_text() == f"{_PROGRAM}\n"
        return is_postgres and (process / "cwd").samefile(folder)
    return False
