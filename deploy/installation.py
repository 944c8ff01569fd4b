"""One running bank per installation: the lock, and the note that says where it answers."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class BankRuns(Exception):
    """This installation's bank runs already; `url` is where, or empty while it starts."""

    code = "bank_runs"
    is_retryable = False

    def __init__(self, url: str, pid: int) -> None:
        super().__init__(url, pid)
        self.url, self.pid = url, pid

    def __str__(self) -> str:
        where = f"at {self.url}" if self.url else "and is starting"
        return f"The bank already runs {where} (process {self.pid}). Stop it there with Ctrl-C."


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold this installation for the time of the block.

    Raises:
        BankRuns: another process holds it.
    """
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home / "up.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise _running(home) from None
    write_note(home, url="")
    try:
        yield
    finally:
        _note(home).unlink(missing_ok=True)
        os.close(descriptor)


def write_note(home: Path, *, url: str) -> None:
    """Say where the bank answers, whole or not at all."""
    draft = _note(home).with_suffix(".draft")
    draft.write_text(json.dumps({"url": url, "pid": os.getpid()}))
    draft.replace(_note(home))


def _note(home: Path) -> Path:
    return home / "up.json"


def _running(home: Path) -> BankRuns:
    try:
        note = json.loads(_note(home).read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return BankRuns("", 0)
    return BankRuns(str(note["url"]), int(note["pid"]))
