"""Runs the suite ring by ring, each with its budget: `python -m tests.rings`.

The browser has a process of its own, because its driver and other event loops cannot share one.
Races and faults have a PostgreSQL for each process and run before the rest, which shares the cores.
"""

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.conformance import bpmn_engine
from tests.databases import in_memory

SOURCE = Path(__file__).resolve().parent.parent
TESTS = SOURCE / "tests"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
NO_TESTS_COLLECTED = 5


@dataclass(frozen=True, slots=True)
class Ring:
    """Folders of tests that run in one pytest, and the minutes they may take on two cores."""

    folders: tuple[str, ...]
    minutes: float
    options: tuple[str, ...] = ()

    @property
    def present(self) -> list[str]:
        """Return those folders that hold tests, as pytest takes them."""
        return [f"tests/{name}" for name in self.folders if any((TESTS / name).rglob("test_*.py"))]


BROWSER = Ring(("browser",), 14)
ALONE = Ring(("races", "faults", "benchmarks"), 16, ("-n", "2", "--dist", "loadfile"))
SHARED = Ring(
    ("unit", "layers", "properties", "conformance", "architecture", "replay", "journeys"),
    15,
    ("-n", "2", "--dist", "loadfile"),
)
# One after the other: what one process holds open on a shared server holds up another's feeds. The
# rest of `layers` runs there with `make test-servers ARGS=--all`; it says the same SQL embedded.
SERVERS = Ring(
    (
        *(f"layers/{name}" for name in ("api", "deploy", "grand_central", "interaction", "nexus")),
        "layers/sentinel/log",
        "races",
        "servers",
    ),
    8,
)
ALL_ON_SERVERS = Ring(("layers", "races", "servers"), 18)


def chromium() -> str | None:
    """Return the browser on this machine, or the one FRONTLINE_CHROMIUM names."""
    named = os.environ.get("FRONTLINE_CHROMIUM")
    return named or next(filter(None, map(shutil.which, CHROMIUM)), None)


def run(ring: Ring, extra: list[str]) -> int:
    """Run one ring; return pytest's exit code, zero when the ring has no tests."""
    if not ring.present:
        return 0
    say(f"ring {' + '.join(ring.folders)}: budget {ring.minutes:g} min on two cores")
    begin = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", *ring.options, *ring.present, *extra]
    code = subprocess.run(command, cwd=SOURCE, env=environment(), check=False).returncode
    minutes = (time.monotonic() - begin) / 60
    if minutes > ring.minutes:
        sys.stderr.write(f"  over budget: {minutes:.1f} of {ring.minutes:g} min\n")
    return 0 if code == NO_TESTS_COLLECTED else code


def environment() -> dict[str, str]:
    """Return the environment of a ring: its banks lie in memory where there is room.

    The many processes that tests start keep their compiled modules, whatever was set outside.
    """
    kept = {name: word for name, word in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    place = in_memory()
    return {**kept, "TMPDIR": place} if place else kept


def main(arguments: list[str]) -> int:
    """Run every ring this machine can run; the exit code is the first failure's."""
    if "--servers" in arguments:
        ring = ALL_ON_SERVERS if "--all" in arguments else SERVERS
        return run(ring, [word for word in arguments if word not in {"--servers", "--all"}])
    codes = []
    if chromium():
        codes.append(run(BROWSER, arguments))
    else:
        say("ring browser: NOT RUN, no Chromium on this machine (Debian: apt-get install chromium)")
    codes.append(run(ALONE, arguments))
    if not bpmn_engine.is_installed():
        say(f"differential runs in another engine: NOT RUN, {bpmn_engine.NOT_HERE}")
    codes.append(run(SHARED, arguments))
    return next(filter(None, codes), 0)


def say(words: str) -> None:
    """Write a line of our own between pytest's."""
    sys.stdout.write(f"\n{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
