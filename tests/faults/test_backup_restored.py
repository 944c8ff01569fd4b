"""A bank copied while customers pay is put back elsewhere, whole, and what was altered is named."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from deploy.embedded.server import EmbeddedPostgres
from deploy.home import SOURCE
from deploy.safekeeping import manifest, unfinished
from tests.banks import FOREIGN, Bank
from tests.databases import fresh_home
from tests.faults.test_bank_killed import customers, one, superuser

pytestmark = pytest.mark.slow
PASSPHRASE = "correct horse battery"
SECONDS_MAX = 180


@pytest.fixture(scope="module")
def folder():
    made = fresh_home()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def backup(folder):
    """Take a backup while three customers pay, and let them finish."""
    bank = Bank(folder / "first", arguments=("--customers", "3")).start()
    stopping, deadline = threading.Event(), time.monotonic() + SECONDS_MAX
    payers = customers(bank, stopping)
    before = one(bank, "SELECT count(*) FROM ledger_transfer")
    try:
        with ThreadPoolExecutor(len(payers)) as pool:
            paying = [
                pool.submit(pay_until, stopping, each, range(101 + index, 1101, 3), deadline)
                for index, each in enumerate(payers)
            ]
            while one(bank, "SELECT count(*) FROM ledger_transfer") == before:
                assert time.monotonic() < deadline
            made = command(bank, "backup", str(folder / "backup"), "--with-keys")
            in_backup = one(bank, "SELECT count(*) FROM ledger_transfer")
            assert not any(each.done() for each in paying)
            stopping.set()
            for each in paying:
                each.result(timeout=SECONDS_MAX)
        assert in_backup > before
        assert made.returncode == 0, made.stderr
        yield folder / "backup", bank
    finally:
        stopping.set()
        bank.stop()


def pay_until(stopping, payer, amounts, deadline):
    for amount in amounts:
        if stopping.is_set():
            return
        payer.pay_all([amount], deadline)


def environment(bank):
    return {**bank.environment(), "FRONTLINE_BACKUP_PASSPHRASE": PASSPHRASE}


def command(bank, *arguments, **more):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=SOURCE,
        env={**environment(bank), **more},
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


@pytest.fixture(scope="module")
def restored(backup, folder):
    taken, bank = backup
    second = Bank(folder / "second")
    done = command(bank, "restore", str(taken), "--into", str(second.home))
    assert done.returncode == 0, done.stdout + done.stderr
    return second, done.stdout


def test_a_backup_taken_while_payments_run_is_put_back_and_proved(restored, backup):
    second, said = restored

    assert not (second.home / "RESTORING").exists()
    assert "SOUND: 2 legal entities" in said
    assert "and the checkpoint given say" in said
    verified = command(second, "verify", "--backup", str(backup[0]), "--all")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "WRONG" not in verified.stdout


def test_the_gate_stays_shut_until_the_loss_is_said_and_everything_is_compared(restored, backup):
    """The first bank went on after the backup, and its witness saw it."""
    second, said = restored
    _, first = backup
    witnessed = ("--witnessed", str(first.home / "witness"))
    assert "Its gate is shut" in said
    second.start()
    try:
        shut = command(second, "gate", "status")
        unsaid = command(second, "gate", "continue", *witnessed)
        lost = command(second, "gate", "continue", *witnessed, "--reason", "The first disk burnt")
        compared = command(second, "reconcile")
        ready = command(second, "gate", "status")
        opened = command(second, "gate", "open")
        after = command(second, "gate", "status")

        assert (shut.returncode, unsaid.returncode) == (1, 2)
        assert shut.stdout.count("SHUT") == 2
        assert "were witnessed and are not in what was put back" in unsaid.stderr
        assert lost.returncode == 0, lost.stderr
        assert "are lost, and the log says so" in lost.stdout
        assert compared.returncode == 0, compared.stdout
        assert (ready.returncode, opened.returncode, after.returncode) == (3, 0, 0)
        verified = command(second, "verify")
        assert verified.returncode == 0, verified.stdout
    finally:
        second.stop()


def test_the_restored_bank_runs_and_its_customers_pay(restored):
    second, _ = restored
    second.start()
    try:
        stopping = threading.Event()
        (payer, *_others) = customers(second, stopping)
        before = one(second, "SELECT count(*) FROM ledger_transfer WHERE amount = 777")

        payer.pay_all([777], time.monotonic() + SECONDS_MAX)

        assert payer.paid == {777}
        assert one(second, "SELECT count(*) FROM ledger_transfer WHERE amount = 777") == before + 1
        assert one(second, "SELECT count(*) FROM sentinel_record WHERE kind = 'restored'") == 2
    finally:
        assert second.stop() == 0


def test_a_row_altered_after_the_restore_is_named(restored):
    second, _ = restored
    second.start()
    try:
        with superuser(second) as session:
            session.execute("SET session_replication_role = replica")
            (account,) = session.execute(
                "UPDATE ledger_account SET credits_posted = credits_posted + 1 WHERE id ="
                " (SELECT id FROM ledger_account WHERE kind = 'customer_current' LIMIT 1)"
                " RETURNING id"
            ).fetchone()
            (record,) = session.execute(
                "UPDATE sentinel_record SET body = convert_to(replace("
                "convert_from(body, 'UTF8'), 'restored', 'restores'), 'UTF8')"
                " WHERE kind = 'restored' AND entity = 'meridian-nl' RETURNING id"
            ).fetchone()

        found = command(second, "verify")

        assert found.returncode == 1
        assert f"account {account}: credits_posted" in found.stdout
        assert f"({record}) was altered after it was sealed" in found.stdout
        assert "NOT SOUND" in found.stderr
    finally:
        second.stop()


def test_a_backup_overwrites_nothing_and_fills_only_what_is_empty(backup):
    taken, bank = backup

    again = command(bank, "backup", str(taken))
    over = command(bank, "restore", str(taken), "--into", str(bank.home))

    assert (again.returncode, over.returncode) == (2, 2)
    assert "overwrites nothing" in again.stderr
    assert "is not empty" in over.stderr
    assert bank.is_live()


@pytest.mark.parametrize("name", ["base.tar.gz", "pg_wal.tar.gz", "keys.sealed"])
def test_a_flipped_byte_in_a_backup_is_refused_and_nothing_is_made(backup, folder, name):
    taken, bank = backup
    spoilt = folder / "spoilt"
    shutil.copytree(taken, spoilt)
    raw = bytearray((spoilt / name).read_bytes())
    raw[len(raw) // 2] ^= 1
    (spoilt / name).write_bytes(raw)

    refused = command(bank, "restore", str(spoilt), "--into", str(folder / "third"))

    shutil.rmtree(spoilt)
    assert refused.returncode == 2
    assert f"{name} was altered" in refused.stderr or f"{name} cannot be opened" in refused.stderr
    assert not (folder / "third").exists()


def rewritten(taken, spoilt):
    """Copy a backup, alter a file of it and let the manifest say so, as an attacker would."""
    shutil.copytree(taken, spoilt)
    with (spoilt / "base.tar.gz").open("ab") as file:
        file.write(b"altered")
    said = json.loads((spoilt / "manifest.json").read_text())
    said["files"]["base.tar.gz"] = manifest.kept(spoilt / "base.tar.gz").model_dump()
    (spoilt / "manifest.json").write_text(json.dumps(said))
    return spoilt


@pytest.mark.parametrize("is_sealed", [True, False])
def test_a_manifest_that_fits_what_was_altered_is_refused(backup, folder, is_sealed):
    taken, bank = backup
    spoilt = rewritten(taken, folder / "rewritten")
    if not is_sealed:
        (spoilt / "manifest.seal").unlink()

    restored = command(bank, "restore", str(spoilt), "--into", str(folder / "sixth"))
    verified = command(bank, "verify", "--backup", str(spoilt))

    shutil.rmtree(spoilt)
    assert (restored.returncode, verified.returncode) == (3, 3)
    words = "does not fit" if is_sealed else "holds no manifest.seal"
    assert words in restored.stderr
    assert words in verified.stderr
    assert not (folder / "sixth").exists()


def test_a_restore_killed_before_it_was_settled_leaves_a_bank_that_does_not_start(backup, folder):
    taken, bank = backup
    killed = Bank(folder / "killed")
    with subprocess.Popen(
        [sys.executable, "manage.py", "restore", str(taken), "--into", str(killed.home)],
        cwd=SOURCE,
        env=environment(bank),
        stdout=subprocess.PIPE,
        text=True,
    ) as restoring:
        for line in restoring.stdout:
            if "starting PostgreSQL" in line:
                restoring.kill()

    refused = command(killed, "up")

    assert restoring.returncode == -9
    assert (killed.home / "RESTORING").is_file()
    assert refused.returncode == 2
    assert "was not finished" in refused.stderr


def test_a_wrong_passphrase_opens_nothing_and_leaves_nothing(backup, folder):
    taken, bank = backup

    refused = command(
        bank,
        *("restore", str(taken), "--into", str(folder / "fourth")),
        FRONTLINE_BACKUP_PASSPHRASE="another horse battery",
    )

    assert refused.returncode == 2
    assert "the passphrase is wrong" in refused.stderr
    assert not (folder / "fourth").exists()


def test_a_backup_without_keys_needs_those_of_this_very_bank(backup, folder, tmp_path):
    _, bank = backup
    made = command(bank, "backup", str(folder / "bare"))
    other = Bank(tmp_path / "other")
    command(other, "help", "backup")
    into = ("--into", str(folder / "fifth"))

    without = command(bank, "restore", str(folder / "bare"), *into)
    foreign = command(bank, "restore", str(folder / "bare"), *into, "--keys", str(bank.home))
    own = command(bank, "restore", str(folder / "bare"), *into, "--keys", str(bank.home / "keys"))

    assert made.returncode == 0, made.stderr
    assert "The keys are NOT in it" in made.stdout
    assert not list((folder / "bare").glob("keys*"))
    assert (without.returncode, foreign.returncode, own.returncode) == (2, 2, 0), own.stderr
    assert "holds no keys" in without.stderr
    assert "holds no key data-encryption" in foreign.stderr


def test_a_dump_of_a_server_fills_an_empty_database_of_another(folder):
    with Server(folder / "one") as first, Server(folder / "two") as second:
        home = folder / "application"
        for arguments in (("prepare_database",), ("seed", "--customers", "3")):
            assert on_server(first, home, *arguments).returncode == 0
        begun = newest_transaction(first)

        taken = on_server(first, home, "backup", str(folder / "dump"))
        filled = on_server(second, home, "restore", str(folder / "dump"), "--into", "database")
        again = on_server(second, home, "restore", str(folder / "dump"), "--into", "database")

        assert taken.returncode == 0, taken.stderr
        assert filled.returncode == 0, filled.stdout + filled.stderr
        assert "SOUND: 2 legal entities" in filled.stdout
        # No new transaction may bear the number of one that is stored.
        assert newest_transaction(second) > begun
        assert again.returncode == 2
        assert "is not empty" in again.stderr
        assert not is_marked(second)
        mark(second)
        for program in ("web", "worker", "tick"):
            refused = on_server(second, home, program)
            assert refused.returncode == 2
            assert "The restore into the database bank was not finished" in refused.stderr


class Server:
    """A PostgreSQL with an empty database `bank`, as a server of its own."""

    def __init__(self, home):
        home.mkdir(mode=0o755)
        self.postgres = EmbeddedPostgres(home, lambda words: None, {"fsync": "off"})

    def __enter__(self):
        socket = self.postgres.start()
        with psycopg.connect(
            host=str(socket), user="postgres", dbname="postgres", autocommit=True
        ) as session:
            session.execute("CREATE DATABASE bank TEMPLATE template0")
        return f"postgres://postgres@/bank?host={socket}"

    def __exit__(self, *_error):
        self.postgres.stop()


def on_server(url, home, *arguments):
    own = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=SOURCE,
        env={
            **own,
            "DATABASE_URL": url,
            "FRONTLINE_HOME": str(home),
            "DJANGO_SETTINGS_MODULE": "deploy.settings.development",
        },
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def is_marked(url):
    with psycopg.connect(url) as session:
        return session.execute("SELECT to_regnamespace('frontline_restoring')").fetchone() != (
            None,
        )


def mark(url):
    with psycopg.connect(url) as session:
        unfinished.mark_database(session)


def newest_transaction(url):
    with psycopg.connect(url) as session:
        return session.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()[0]


def test_a_manifest_is_readable_and_names_every_file(backup):
    taken, _ = backup

    said = json.loads((taken / "manifest.json").read_text())

    assert set(said["files"]) == {path.name for path in taken.iterdir()} - {
        *("manifest.json", "manifest.seal")
    }
    assert set(said["checkpoints"]) == {"meridian-be", "meridian-nl"}
    assert said["are_keys_included"] is True
