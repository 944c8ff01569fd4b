"""`manage.py up` restarts what dies, leaves nothing behind, and says what is in the way."""

import os
import shutil
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.banks import Bank, all_gone, wait_until
from tests.databases import fresh_home

STOP_SECONDS_MAX = 15
EVERYTHING = {"web", "worker", "tick", "postgres"}


@pytest.fixture(scope="module")
def installed():
    """Keep one installation for all tests of this file, in a path with a space."""
    folder = fresh_home()
    bank = Bank(folder / "a bank with a space" / "var")
    bank.home.parent.mkdir(mode=0o755)
    yield bank
    bank.stop()
    shutil.rmtree(folder)


@pytest.fixture
def bank(installed):
    """Give a running bank, whatever the test before did to it."""
    if installed.process is None or installed.has_ended():
        installed.start()
    assert wait_until(lambda: set(installed.children()) == EVERYTHING)
    return installed


def test_a_killed_parent_leaves_nothing_and_the_next_start_works(bank):
    children = bank.children()

    bank.kill()

    assert wait_until(lambda: all_gone(children), 10), children
    bank.start()
    assert bank.is_live()


@pytest.mark.parametrize("name", ["web", "worker", "tick", "postgres"])
def test_a_killed_child_is_started_again(bank, name):
    killed = bank.children()[name]

    os.kill(killed, signal.SIGKILL)

    assert wait_until(lambda: bank.children().get(name, killed) != killed)
    assert wait_until(lambda: bank.status("/health/ready") == 200), bank.words()


def test_a_second_run_names_the_first_and_changes_nothing(bank):
    before = bank.children()

    second = bank.command("up")

    assert second.returncode == 0
    assert bank.url() in second.stdout
    assert str(bank.process.pid) in second.stdout
    assert bank.children() == before


def test_other_commands_use_the_running_database(bank):
    asked = bank.command("showmigrations", "--database", "owner", "--plan")

    assert asked.returncode == 0
    assert "[X]  sentinel.0001_initial" in asked.stdout
    assert "[ ]" not in asked.stdout


def test_a_polite_end_is_quick_and_complete(bank):
    children = bank.children()
    begin = time.monotonic()

    code = bank.stop()

    assert code == 0
    assert time.monotonic() - begin < STOP_SECONDS_MAX
    assert all_gone(children)
    assert not (bank.home / "up.json").exists()


def test_a_taken_port_asked_for_is_refused_and_nothing_stays(installed):
    installed.stop()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]

        refused = installed.command("up", "--port", str(taken))

    assert refused.returncode != 0
    assert f"Port {taken} is taken" in refused.stderr
    assert not (installed.home / "up.json").exists()


def test_commands_borrow_a_database_when_no_bank_runs(installed):
    installed.stop()

    asked = installed.command("showmigrations", "--database", "owner", "--plan")

    assert asked.returncode == 0, asked.stderr
    assert "[X]  sentinel.0001_initial" in asked.stdout
    assert not (installed.home / "postgres" / "postmaster.pid").exists()


def test_preparing_twice_at_once_is_as_good_as_once(bank):
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(bank.command, ["prepare_database"] * 2)

    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
