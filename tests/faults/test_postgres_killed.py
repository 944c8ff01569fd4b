"""The embedded PostgreSQL is killed: it comes back, whatever its own processes still do."""

import os
import shutil
import signal
import subprocess
import threading

import psycopg
import pytest

from deploy.embedded.server import EmbeddedPostgres
from deploy.processes import is_alive
from tests.banks import wait_until
from tests.databases import fresh_home

BUSY_FOR_MINUTES = "SELECT count(*) FROM generate_series(1, 4000000000)"


@pytest.fixture
def server():
    home = fresh_home()
    server = EmbeddedPostgres(home, lambda _: None)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(home)


def session(server):
    return psycopg.connect(host=str(server.place.socket), user="postgres", dbname="postgres")


def postmaster(server):
    return int((server.place.data / "postmaster.pid").read_text().splitlines()[0])


@pytest.fixture
def busy(server):
    """Keep one session's process computing: it does not notice that its server is gone."""
    connection = session(server)
    pid = connection.info.backend_pid

    def compute():
        with pytest.raises(psycopg.OperationalError):
            connection.execute(BUSY_FOR_MINUTES)

    thread = threading.Thread(target=compute)
    thread.start()
    with session(server) as looking:
        asked = "SELECT state FROM pg_stat_activity WHERE pid = %s"
        assert wait_until(lambda: looking.execute(asked, [pid]).fetchone() == ("active",))
    yield pid
    if is_alive(pid):
        os.kill(pid, signal.SIGKILL)
    thread.join(60)


def test_a_killed_server_comes_back_though_a_session_of_it_is_still_computing(server, busy):
    os.kill(postmaster(server), signal.SIGKILL)
    assert wait_until(lambda: not server.is_running())
    assert is_alive(busy)

    server.restart()

    assert server.is_running()
    assert not is_alive(busy)
    with session(server) as asked:
        assert asked.execute("SELECT 1").fetchone() == (1,)


def test_the_next_run_starts_though_a_session_of_the_killed_one_is_still_computing(server, busy):
    os.kill(postmaster(server), signal.SIGKILL)
    assert wait_until(lambda: not server.is_running())
    server.stop()

    server.start()

    assert not is_alive(busy)
    with session(server) as asked:
        assert asked.execute("SELECT 1").fetchone() == (1,)


def test_a_shell_that_stands_in_the_data_folder_is_left_alone(server):
    with subprocess.Popen(["/bin/cat"], cwd=server.place.data, stdin=subprocess.PIPE) as shell:
        os.kill(postmaster(server), signal.SIGKILL)
        assert wait_until(lambda: not server.is_running())

        server.restart()

        assert server.is_running()
        assert shell.poll() is None
        shell.stdin.close()


def test_another_installations_server_is_left_alone(server):
    home = fresh_home()
    other = EmbeddedPostgres(home, lambda _: None)
    other.start()
    os.kill(postmaster(server), signal.SIGKILL)
    assert wait_until(lambda: not server.is_running())
    before = postmaster(other)

    server.restart()

    assert other.is_running()
    assert postmaster(other) == before
    with session(other) as asked:
        assert asked.execute("SELECT 1").fetchone() == (1,)
    other.stop()
    shutil.rmtree(home)


def test_a_lock_file_whose_number_is_another_programs_by_now_holds_nobody_up(server):
    os.kill(postmaster(server), signal.SIGKILL)
    assert wait_until(lambda: not server.is_running())
    lock = server.place.data / "postmaster.pid"
    _, *others = lock.read_text().splitlines(keepends=True)
    server.stop()
    lock.write_text("".join([f"{os.getpid()}\n", *others]))

    server.start()

    assert server.is_running()
    assert postmaster(server) != os.getpid()
