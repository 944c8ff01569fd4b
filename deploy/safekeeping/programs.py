"""Runs the programs of PostgreSQL that copy databases, says how far they are, and counts."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg

from deploy.embedded.place import EmbeddedUnavailable, place_for
from deploy.home import home
from deploy.safekeeping.manifest import BackupRefused
from deploy.settings.database import conninfo

Say = Callable[[str], None]
SAY_SECONDS = 5.0
_POLL_SECONDS = 0.1
_WORDS_MAX = 2000


def program(name: str) -> Path:
    """Return one of PostgreSQL's programs: the wheel's, else the machine's.

    Raises:
        BackupRefused: there is neither.
    """
    try:
        path = place_for(home()).binaries / name
    except EmbeddedUnavailable:
        path = Path()
    if path.is_file():
        return path
    found = shutil.which(name)
    if found is None:
        raise BackupRefused(f"{name} is not on this machine; it comes with PostgreSQL's clients.")
    return Path(found)


def addressed(database: Mapping[str, Any]) -> tuple[str, str]:
    """Return libpq's words for a database without its password, and the password.

    What stands in a program's arguments can be read by everybody on the machine.
    """
    options = dict(database["OPTIONS"])
    password = str(options.pop("password", "") or database["PASSWORD"] or "")
    return conninfo({**database, "PASSWORD": "", "OPTIONS": options}), password


def count(session: psycopg.Connection, question: str) -> int:
    """Return the one number a question is answered with."""
    row = session.execute(question).fetchone()
    assert row is not None
    return int(row[0])


def run(
    arguments: Sequence[str | Path], *, what: str, say: Say, watched: Path, password: str = ""
) -> None:
    """Run a program to its end, saying every few seconds how much stands in the watched folder.

    A password goes with the environment, which only the program's own user can read.

    Raises:
        BackupRefused: it failed; its own last words are the reason.
    """
    words = watched.parent / f".{watched.name}.words"
    secret = {"PGPASSWORD": password} if password else {}
    try:
        with words.open("w+") as output:
            process = subprocess.Popen(
                [str(each) for each in arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **secret, "LC_ALL": "C", "TZ": "UTC"},
            )
            _wait(process, what, say, watched)
            output.seek(0)
            said = output.read()[-_WORDS_MAX:].strip()
    finally:
        words.unlink(missing_ok=True)
    if process.returncode:
        raise BackupRefused(f"{what} failed: {said}")


def _wait(process: subprocess.Popen[bytes], what: str, say: Say, watched: Path) -> None:
    said_at = time.monotonic()
    try:
        while process.poll() is None:
            if time.monotonic() - said_at >= SAY_SECONDS:
                said_at = time.monotonic()
                say(f"{what}: {_bytes_in(watched) / 1e6:.0f} MB so far")
            _wait_a_moment(process)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _wait_a_moment(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
