"""A whole bank for browser tests: `manage.py up` as a process of its own."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psycopg

from deploy.benches.daytime import zone_at_noon
from tests.rings import SOURCE

READY_SECONDS_MAX = 240
STOP_SECONDS_MAX = 30
CUSTOMERS = 6
# What the test run says about its own database is not for the bank's processes.
_OWN = ("FRONTLINE_", "DJANGO_", "DATABASE_", "BROKER_", "CHANNELS_")


class BankNotReady(RuntimeError):
    """The bank did not come up; its last words follow."""


@dataclass(frozen=True, slots=True)
class RunningBank:
    """Where the bank is, and how its people sign in."""

    address: str
    passwords: dict[tuple[str, str], str]
    log: Path


class BankProcess:
    """Starts and stops a bank in a new folder."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="flb"))
        self._log = self._home / "up.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._port = _free_port()

    def start(self, **environment: str) -> RunningBank:
        """Start it, again on the same address after it was killed, and wait for its greeting."""
        command = [sys.executable, str(SOURCE / "manage.py"), "up"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self._port), "--customers", str(CUSTOMERS)],
                cwd=SOURCE,
                env={**self._environment(), **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait()
        people = json.loads((self._home / "sign-in.json").read_text(encoding="utf-8"))
        passwords = {(each["entity"], each["username"]): each["password"] for each in people}
        return RunningBank(f"http://127.0.0.1:{self._port}", passwords, self._log)

    def kill(self) -> None:
        """End it without a word, as `kill -9` does."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(STOP_SECONDS_MAX)

    def command(self, *words: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        """Run one command of ours on this bank as a visitor at the terminal does."""
        return subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=SOURCE,
            env=self._environment(),
            input=answer,
            capture_output=True,
            text=True,
            timeout=READY_SECONDS_MAX,
            check=False,
        )

    def asked(self, question: str, **values: object) -> tuple[object, ...]:
        """Return the one row the database's superuser gets for a question."""
        socket = (self._home / "postgres.socket").read_text(encoding="utf-8").strip()
        with psycopg.connect(host=socket, user="postgres", dbname="frontline") as session:
            row = session.execute(question, values).fetchone()
        assert row is not None
        return row

    def said(self) -> str:
        """Return what it wrote to the terminal since it was started last."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
        zone = zone_at_noon()
        return {**kept, "FRONTLINE_HOME": str(self._home), "FRONTLINE_TIME_ZONE": zone}

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def _wait(self) -> None:
        assert self._process is not None
        end = time.monotonic() + READY_SECONDS_MAX
        while time.monotonic() < end:
            if "Ctrl-C" in self.said():
                return
            if self._process.poll() is not None:
                break
            try:
                self._process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
        said = self.said()
        self.stop()
        raise BankNotReady(said[-3_000:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
