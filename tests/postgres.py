"""The pytest plugin that gives each worker a database of its own (`-p tests.postgres`).

The paths are set while the plugin is imported, since Django reads its settings before any other
hook runs. The server itself starts with the first test that needs it; under xdist the
controller starts it, and the workers inherit the socket. Tests connect as the application,
which may not truncate: a test with `transaction=True` gets a fresh clone afterwards.
"""

import os
from pathlib import Path

import pytest

from tests.databases import TestDatabases, fresh_home

_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
_is_controller = not _WORKER
if _is_controller:
    _home = fresh_home()
    os.environ["FRONTLINE_HOME"] = str(_home)
    os.environ["FRONTLINE_TEST_RUN"] = str(os.getpid())
    os.environ.setdefault("FRONTLINE_SOCKET", str(_home / "postgres"))
databases = TestDatabases(Path(os.environ["FRONTLINE_HOME"]), os.environ["FRONTLINE_TEST_RUN"])
name = f"frontline_test_{databases.run}_{_WORKER or 'main'}"
os.environ["FRONTLINE_DATABASE"] = name
_started = False


def start_once() -> None:
    """Start the server with the first test that needs it."""
    global _started  # noqa: PLW0603 - one server per run
    if _is_controller and not _started:
        _started = True
        databases.start()


def pytest_configure(config: pytest.Config) -> None:
    # `-n 2` on the command line; a worker has no such option of its own.
    if _is_controller and getattr(config.option, "numprocesses", None):
        start_once()


def pytest_unconfigure() -> None:
    if _is_controller:
        databases.stop()
