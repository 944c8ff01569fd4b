"""The pytest plugin that gives each process a PostgreSQL of its own (`-p tests.postgres`).

The paths are set while the plugin is imported, since Django reads its settings before any other
hook runs; the server itself starts with the first test that needs it. Workers of xdist do not
share one: what one of them holds open would hold up the feeds of the other.
"""

import os

from tests.databases import TestDatabases, fresh_home

_home = fresh_home()
_run = str(os.getpid())
databases = TestDatabases(_home, _run)
name = f"frontline_test_{_run}"
os.environ["FRONTLINE_HOME"] = str(_home)
os.environ["FRONTLINE_SOCKET"] = str(_home / "postgres")
os.environ["FRONTLINE_DATABASE"] = name
_started = False


def start_once() -> None:
    """Start the server with the first test that needs it."""
    global _started  # noqa: PLW0603 - one server per process
    if not _started:
        _started = True
        databases.start()


def pytest_unconfigure() -> None:
    databases.stop(is_started=_started)
