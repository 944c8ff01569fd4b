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

    def start(self) -> RunningBank:
        port = _free_port()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
        command = [sys.executable, str(SOURCE / "manage.py"), "up"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(port), "--customers", str(CUSTOMERS)],
                cwd=SOURCE,
                env={**kept, "FRONTLINE_HOME": str(self._home)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait()
        people = json.loads((self._home / "sign-in.json").read_text(encoding="utf-8"))
        passwords = {(each["entity"], each["username"]): each["password"] for each in people}
        return RunningBank(f"http://127.0.0.1:{port}", passwords, self._log)

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
            said = self._log.read_text(encoding="utf-8", errors="replace")
            if "Ctrl-C" in said:
                return
            if self._process.poll() is not None:
                break
            try:
                self._process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
        said = self._log.read_text(encoding="utf-8", errors="replace")
        self.stop()
        raise BankNotReady(said[-3_000:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
