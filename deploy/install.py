"""Makes the virtual environment and installs the locked requirements into it.

Run by the Makefile with the machine's own Python and nothing but its standard library:
`python3 deploy/install.py [--dev]`. A second run sees that nothing changed and ends at once.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
VENV = SOURCE / ".venv"
PYTHON = VENV / "bin" / "python"
VERSION_MIN = (3, 11)
_NEWER = ("python3.13", "python3.12", "python3.11")


def main() -> int:
    """Install, or say what is missing and how to get it."""
    if sys.version_info < VERSION_MIN:
        return _with_newer_python()
    is_dev = "--dev" in sys.argv[1:]
    lock = SOURCE / ("requirements-dev.lock" if is_dev else "requirements.lock")
    if not _is_usable() and not _make_venv():
        return 1
    if not _is_installed(lock):
        _say(f"installing {_count(lock)} locked packages, a minute or so the first time")
        if _pip(lock):
            _say("The install failed; pip's words are above. Run the same command again to go on.")
            return 1
        _stamp(lock).write_text(_digest(lock))
    _write_verifier()
    return subprocess.run([str(PYTHON), "-m", "deploy.assets"], cwd=SOURCE, check=False).returncode


def _with_newer_python() -> int:
    for name in _NEWER:
        newer = shutil.which(name)
        if newer:
            os.execv(newer, [newer, *sys.argv])
    _say(f"Python 3.11 or later is needed; this is {sys.version.split()[0]}.")
    _say("Install one (on Debian 12 or later: apt-get install python3 python3-venv),")
    _say("or name yours: make run PYTHON=/path/to/python3.12")
    return 1


def _is_usable() -> bool:
    """Return whether the environment's Python runs: it does not when the base Python is gone."""
    if not PYTHON.exists():
        return False
    asked = subprocess.run(
        [str(PYTHON), "-c", "import sys; sys.exit(0)"], capture_output=True, check=False
    )
    return asked.returncode == 0


def _make_venv() -> bool:
    _say("making the virtual environment .venv")
    if importlib.util.find_spec("ensurepip"):
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False)
    elif importlib.util.find_spec("virtualenv"):
        made = subprocess.run(
            [sys.executable, "-m", "virtualenv", "--quiet", str(VENV)], check=False
        )
    elif importlib.util.find_spec("pip") and importlib.util.find_spec("venv"):
        # Debian ships venv without its pip; the machine's own pip serves the new environment.
        made = subprocess.run(
            [sys.executable, "-m", "venv", "--clear", "--without-pip", str(VENV)], check=False
        )
    else:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        _say("This Python can make no virtual environment. On Debian or Ubuntu, as root, run:")
        _say(f"  apt-get install python{version}-venv")
        _say("and then the same command again.")
        return False
    return made.returncode == 0


def _pip(lock: Path) -> int:
    has_own = (
        subprocess.run(
            [str(PYTHON), "-c", "import pip"], capture_output=True, check=False
        ).returncode
        == 0
    )
    pip = [str(PYTHON), "-m", "pip"]
    if not has_own:
        pip = [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    options = ["install", "--no-deps", "--require-hashes", "--no-compile", "--quiet"]
    options += ["--disable-pip-version-check", "--no-input", "--progress-bar", "on"]
    environment = {**os.environ, "PIP_ROOT_USER_ACTION": "ignore"}
    process = subprocess.Popen([*pip, *options, "-r", str(lock)], env=environment)
    waited = 0
    while True:
        try:
            return process.wait(10)
        except subprocess.TimeoutExpired:
            waited += 10
            _say(f"still installing, {waited} s")


def _is_installed(lock: Path) -> bool:
    stamp = _stamp(lock)
    if lock.name == "requirements.lock" and not stamp.exists():
        # What the tests need holds everything a run needs.
        whole = SOURCE / "requirements-dev.lock"
        return _stamp(whole).exists() and _stamp(whole).read_text() == _digest(whole)
    return stamp.exists() and stamp.read_text() == _digest(lock)


def _stamp(lock: Path) -> Path:
    return VENV / f"{lock.name}.installed"


def _digest(lock: Path) -> str:
    """Return what the installed packages depend on: the lock and the Python beneath."""
    content = lock.read_bytes() + sys.version.encode()
    return hashlib.sha256(content).hexdigest()


def _count(lock: Path) -> int:
    return sum("==" in line for line in lock.read_text().splitlines())


def _write_verifier() -> None:
    """Put `frontline-verify` beside the environment's Python; it needs nothing of Django."""
    verifier = SOURCE / "sentinel" / "verify" / "frontline_verify.py"
    script = VENV / "bin" / "frontline-verify"
    if verifier.exists():
        script.write_text(f'#!/bin/sh\nexec "{PYTHON}" "{verifier}" "$@"\n')
        script.chmod(0o755)


def _say(words: str) -> None:
    sys.stdout.write(f"  {words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
