"""A bank put back to a moment after its backup, out of the log that was kept elsewhere."""

import shutil
import threading
import time

import pytest

from tests.banks import Bank
from tests.databases import fresh_home
from tests.faults.test_backup_restored import SECONDS_MAX, command
from tests.faults.test_bank_killed import customers, one, superuser

pytestmark = pytest.mark.slow
ARCHIVED = "SELECT last_archived_wal FROM pg_stat_archiver WHERE last_archived_time > %s"


@pytest.fixture(scope="module")
def folder():
    made = fresh_home()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def archived(folder):
    """A backup, a payment, a moment, another payment; all of it in the archive."""
    bank = Bank(folder / "first", arguments=("--customers", "3"))
    bank.extra = {"FRONTLINE_WAL_ARCHIVE": str(folder / "archive")}
    bank.start()
    try:
        (payer, *_others) = customers(bank, threading.Event())
        taken = command(bank, "backup", str(folder / "base"), "--with-keys")
        assert taken.returncode == 0, taken.stderr
        payer.pay_all([771], time.monotonic() + SECONDS_MAX)
        with superuser(bank) as session:
            (between,) = session.execute("SELECT clock_timestamp()").fetchone()
        payer.pay_all([772], time.monotonic() + SECONDS_MAX)
        kept_until_now(bank, between)
    finally:
        bank.stop()
    return bank, between


def kept_until_now(bank, since):
    deadline = time.monotonic() + SECONDS_MAX
    with superuser(bank) as session:
        session.execute("SELECT pg_switch_wal()")
        while session.execute(ARCHIVED, [since]).fetchone() is None:
            assert time.monotonic() < deadline


def restored(bank, folder, into, *more):
    wanted = ("restore", str(folder / "base"), "--wal", str(folder / "archive"))
    return command(bank, *wanted, "--into", str(folder / into), *more)


def test_a_moment_between_two_payments_is_put_back_and_proved(archived, folder):
    bank, between = archived

    done = restored(bank, folder, "back", "--until", between.isoformat())

    assert done.returncode == 0, done.stdout + done.stderr
    assert "SOUND: 2 legal entities" in done.stdout
    back = Bank(folder / "back").start()
    try:
        paid = "SELECT count(*) FROM ledger_transfer WHERE amount = "
        assert (one(back, paid + "771"), one(back, paid + "772")) == (1, 0)
        assert command(back, "gate", "status").returncode == 1
    finally:
        back.stop()


@pytest.mark.parametrize(
    ("until", "words"),
    [
        ("2100-01-01", "recovery ended before configured recovery target was reached"),
        ("2020-01-01", "UTC, after that"),
    ],
)
def test_a_moment_that_is_not_in_the_archive_is_refused(archived, folder, until, words):
    bank, _ = archived

    refused = restored(bank, folder, "never", "--until", until)

    assert refused.returncode == 2
    assert words in refused.stderr
    assert not (folder / "never").exists()
