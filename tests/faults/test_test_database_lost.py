"""A test process that loses its PostgreSQL says so, with the server's last words."""

import os
import shutil
import signal

import pytest

from tests.banks import wait_until
from tests.databases import ServerLost, TestDatabases, fresh_home


@pytest.fixture
def databases(monkeypatch):
    # What `start` sets is for this test alone.
    monkeypatch.setenv("FRONTLINE_SOCKET", os.environ["FRONTLINE_SOCKET"])
    monkeypatch.delenv("DATABASE_URL", raising=False)
    databases = TestDatabases(fresh_home(), "lost")
    databases.start()
    return databases


def test_a_lost_server_is_named_with_its_last_words(databases, capsys):
    lock = databases.home / "postgres" / "postmaster.pid"
    os.kill(int(lock.read_text().splitlines()[0]), signal.SIGINT)
    assert wait_until(lambda: not lock.exists())

    with pytest.raises(ServerLost, match="received fast shutdown request"):
        databases.clone("anything")

    databases.stop(is_started=True)
    assert "PostgreSQL ended with code 0" in capsys.readouterr().err
    assert not databases.home.exists()


def test_a_folder_removed_under_a_running_server_is_named(databases, capsys):
    shutil.rmtree(databases.home)

    with pytest.raises(ServerLost, match="is gone, and so may be everything beside it"):
        databases.clone("anything")

    databases.stop(is_started=True)
    assert "is gone" in capsys.readouterr().err
