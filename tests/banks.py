"""A whole bank in processes of its own, as `manage.py up` runs it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deploy.benches.daytime import zone_at_noon
from deploy.home import SOURCE
from deploy.processes import is_alive

# On a quiet machine it takes ten; this many mean that it hangs.
START_SECONDS_MAX = 240
# What the suite sets for its own database must not reach this bank.
FOREIGN = ("DATABASE_URL", "BROKER_URL", "CHANNELS_URL", "FRONTLINE_SOCKET", "FRONTLINE_DATABASE")


@dataclass(slots=True)
class Bank:
    """One installation; `start` and `kill` may follow each other."""

    home: Path
    arguments: tuple[str, ...] = ("--customers", "0")
    process: subprocess.Popen[bytes] | None = None
    extra: dict[str, str] = field(default_factory=dict)
    output: Path = field(init=False)

    def __post_init__(self) -> None:
        self.output = self.home.parent / f"{self.home.name}.output"

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one command of ours on this installation, to its end."""
        return subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=SOURCE,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=START_SECONDS_MAX,
            check=False,
        )

    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        settings = "deploy.settings.development"
        return {
            **own,
            "FRONTLINE_HOME": str(self.home),
            "DJANGO_SETTINGS_MODULE": settings,
            "FRONTLINE_TIME_ZONE": zone_at_noon(),
            **self.extra,
        }

    def start(self, seconds_max: float = START_SECONDS_MAX) -> "Bank":
        """Start it and wait until pages answer."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *self.arguments],
                cwd=SOURCE,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        if not wait_until(lambda: self.has_ended() or bool(self.url()), seconds_max):
            raise AssertionError(f"not up in time:\n{self.words()}")
        if self.has_ended():
            raise AssertionError(f"ended at once:\n{self.words()}")
        return self

    def has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def url(self) -> str:
        """Return where it answers, empty while it starts."""
        try:
            note = json.loads((self.home / "up.json").read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return ""
        is_ours = self.process is not None and note["pid"] == self.process.pid
        return str(note["url"]) if is_ours else ""

    def is_live(self) -> bool:
        return self.status("/health/live") == 200

    def status(self, path: str) -> int:
        """Return the status of a page, zero when nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.url()}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refusal:
            return refusal.code
        except (OSError, ValueError):
            return 0

    def words(self) -> str:
        return self.output.read_text(errors="replace")

    def children(self) -> dict[str, int]:
        """Return the processes it started, by what they are."""
        assert self.process is not None
        marks = {
            "web": " -m deploy.serving ",
            "worker": " -m celery ",
            "tick": "manage.py tick",
            "postgres": "bin/postgres -D ",
        }
        listed = subprocess.run(
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return {
            name: int(line.split()[0])
            for line in listed.stdout.splitlines()
            for name, mark in marks.items()
            if mark in line
        }

    def kill(self) -> None:
        """Kill the parent without a word, as the power would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """End it politely; return its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def all_gone(pids: dict[str, int]) -> bool:
    return not any(is_alive(pid) for pid in pids.values())


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> bool:
    """Return whether the condition came true in time."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while time.monotonic() < end:
        if holds():
            return True
        pause.wait(0.05)
    return holds()
