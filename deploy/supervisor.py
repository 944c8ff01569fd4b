"""Runs the bank's processes as one: starts them, restarts what dies, and ends them together."""

import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy import processes
from deploy.embedded.place import EmbeddedUnavailable
from deploy.embedded.server import EmbeddedPostgres

CHILDREN_STOP_SECONDS_MAX = 9.0
RESTART_SECONDS_MAX = 10.0
# A child that ran this long was well: its next restart is quick again.
WELL_SECONDS = 30.0
_FIRST_RESTART_SECONDS = 0.2
Say = Callable[[str], None]


@dataclass(slots=True)
class Child:
    """One program, started again whenever it ends on its own."""

    name: str
    arguments: list[str]
    environment: Mapping[str, str]
    log: Path
    kept: tuple[int, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    failures: int = 0
    started_at: float = 0.0
    start_at: float = 0.0

    def start(self, now: float) -> None:
        """Start the program; what it writes goes to its log."""
        with self.log.open("ab") as log:
            # Killed at once when the supervisor is killed: the database goes then, too.
            self.process = processes.spawn(
                self.arguments,
                environment=self.environment,
                output=log,
                last_signal=signal.SIGKILL,
                kept=self.kept,
            )
        self.started_at = now

    def note_end(self, now: float) -> float:
        """Plan the next start after the program ended; return the seconds until then."""
        self.process = None
        self.failures = 0 if now - self.started_at > WELL_SECONDS else self.failures + 1
        delay = _pause_after(self.failures)
        self.start_at = now + delay
        return delay

    def last_words(self, lines: int = 5) -> str:
        """Return the end of the program's log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@dataclass(slots=True)
class Supervisor:
    """Watches the children and, if there is one, the embedded PostgreSQL."""

    children: list[Child]
    postgres: EmbeddedPostgres | None
    say: Say
    clock: Callable[[], float] = field(default=time.monotonic)
    _database_failures: int = 0
    _database_start_at: float = 0.0

    def watch(self) -> None:
        """Look at every process once and start what is not running."""
        if self.postgres is not None and not self.postgres.is_running():
            self._restart(self.postgres)
        now = self.clock()
        for child in self.children:
            if child.process is None:
                if now >= child.start_at:
                    child.start(now)
            elif (code := child.process.poll()) is not None:
                delay = child.note_end(now)
                self.say(
                    f"{child.name} ended ({_in_words(code)}); starting it again in {delay:.1f} s. "
                    f"Its log: {child.log}"
                )

    def _restart(self, postgres: EmbeddedPostgres) -> None:
        """Start the database again; what kept it from starting may be over the next time."""
        if self.clock() < self._database_start_at:
            return
        self.say("PostgreSQL ended; starting it again")
        try:
            postgres.restart()
        except EmbeddedUnavailable as refusal:
            # It may have been killed while it was starting.
            self._database_failures += 1
            delay = _pause_after(self._database_failures)
            self._database_start_at = self.clock() + delay
            self.say(f"{refusal.reason}\ntrying again in {delay:.1f} s")
        else:
            self._database_failures = 0

    def stop(self) -> None:
        """End the children, at first politely, then the database."""
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            if process.poll() is None:
                process.terminate()
        deadline = self.clock() + CHILDREN_STOP_SECONDS_MAX
        for process in running:
            left = max(0.0, deadline - self.clock())
            processes.stop(process, first=signal.SIGTERM, seconds=left)
        if self.postgres is not None:
            self.postgres.stop()


def _pause_after(failures: int) -> float:
    delay: float = min(_FIRST_RESTART_SECONDS * 2**failures, RESTART_SECONDS_MAX)
    return delay


def _in_words(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"
