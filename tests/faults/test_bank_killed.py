"""Invariant 9, with the whole bank: whatever process is killed while customers pay, each pays once.

FRONTLINE_CRASH_BANK_PAYMENTS says how many payments, FRONTLINE_CRASH_BANK_CALM how many seconds
go by at most before something is killed again; a ring has a minute.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from tests.banks import Bank, all_gone, wait_until
from tests.databases import fresh_home
from tests.faults.web_customer import ENTITY, WebCustomer

PAYMENTS = int(os.environ.get("FRONTLINE_CRASH_BANK_PAYMENTS", "9"))
CALM_SECONDS_MAX = float(os.environ.get("FRONTLINE_CRASH_BANK_CALM", "1.5"))
SEED = int(os.environ.get("FRONTLINE_CRASH_BANK_SEED", "20261121"))
VICTIMS = ("web", "worker", "tick", "postgres", "backend", "supervisor")
PAYERS = ("anna", "bob", "sophie")
SMALLEST_CENTS = 101
# A killed program is back within seconds; the machine may be busy with other things.
READY_SECONDS_MAX = 90
SECONDS_MAX = 300 + 10 * PAYMENTS
# A permit nobody redeemed ends when its half minute and the sweeper's grace are over.
OUTCOME_SECONDS_MAX = 90

OPEN_ENDS = """
SELECT (SELECT count(*) FROM orch_inbox WHERE taken_at IS NULL)
  + (SELECT count(*) FROM orch_call WHERE state <> 'closed')
  + (SELECT count(*) FROM orch_instance WHERE status IN ('created', 'incident'))
  + (SELECT count(*) FROM sentinel_pending)
"""
WITHOUT_OUTCOME = """
SELECT count(*) FROM sentinel_decision d WHERE d.verdict = 'permit' AND NOT EXISTS
  (SELECT FROM sentinel_outcome o WHERE o.decision_id = d.id AND o.is_final)
"""
SAVED = """
SELECT t.amount, count(*) FROM ledger_transfer t
JOIN ledger_account d ON d.id = t.debit_account JOIN ledger_account c ON c.id = t.credit_account
WHERE t.posted_at > %s AND d.kind = 'customer_current' AND c.kind = 'customer_savings'
GROUP BY t.amount ORDER BY t.amount
"""


@pytest.fixture
def bank():
    folder = fresh_home()
    running = Bank(folder / "var", arguments=("--customers", str(len(PAYERS))))
    try:
        yield running.start()
    finally:
        running.stop()
        shutil.rmtree(folder, ignore_errors=True)


def superuser(bank):
    socket = (bank.home / "postgres.socket").read_text().strip()
    return psycopg.connect(host=socket, user="postgres", dbname="frontline", autocommit=True)


def one(bank, asked, *values):
    with superuser(bank) as session:
        return session.execute(asked, values).fetchone()[0]


def customers(bank, stopping):
    everyone = json.loads((bank.home / "sign-in.json").read_text())
    people = {each["username"]: each for each in everyone if each["entity"] == ENTITY}
    with superuser(bank) as session:
        savings = dict(
            session.execute(
                "SELECT p.name, a.iban FROM core_party p JOIN ledger_account a ON a.party_id = p.id"
                " WHERE a.entity = %s AND a.kind = 'customer_savings'",
                [ENTITY],
            ).fetchall()
        )
    return [
        WebCustomer(
            address=bank.url,
            username=username,
            password=people[username]["password"],
            name=people[username]["display_name"],
            savings_iban=savings[people[username]["display_name"]],
            stopping=stopping,
        )
        for username in PAYERS
    ]


def backend_of(bank):
    """Return a process of PostgreSQL that serves a session of ours."""
    with suppress(psycopg.OperationalError), superuser(bank) as session:
        row = session.execute(
            "SELECT pid FROM pg_stat_activity WHERE usename = 'frontline_app'"
            " ORDER BY (state = 'active') DESC, random() LIMIT 1"
        ).fetchone()
        return row and row[0]
    return None


def kill(bank, victim):
    """Kill one process of the bank without a word; say whether it was there to be killed."""
    if victim == "supervisor":
        children = bank.children()
        bank.kill()
        assert wait_until(lambda: all_gone(children), 30), children
        bank.start()
        return True
    pid = backend_of(bank) if victim == "backend" else bank.children().get(victim)
    if pid is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        return True
    return False


def kill_while(bank, are_paying, chance):
    """Kill at random moments for as long as customers pay, everything at least once."""
    kills, order = dict.fromkeys(VICTIMS, 0), []
    while are_paying() or not all(kills.values()):
        if not order:
            order = chance.sample(VICTIMS, len(VICTIMS))
        threading.Event().wait(chance.uniform(0.0, CALM_SECONDS_MAX))
        victim = order.pop()
        kills[victim] += kill(bank, victim)
        is_back = wait_until(lambda: bank.status("/health/ready") == 200, READY_SECONDS_MAX)
        assert is_back, f"after killing {victim}:\n{bank.words()}"
    return kills


def verified(bank, checkpoint, folder):
    """Export the evidence and let the verifier of outsiders judge it."""
    bundle = folder / "evidence.zip"
    exported = bank.command("export_evidence", "--entity", ENTITY, "--out", str(bundle))
    assert exported.returncode == 0, exported.stderr
    return subprocess.run(
        [Path(sys.executable).with_name("frontline-verify"), bundle, "--checkpoint", checkpoint],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_invariant_09_a_bank_killed_process_by_process_makes_every_payment_once(bank, tmp_path):
    stopping, deadline = threading.Event(), time.monotonic() + SECONDS_MAX
    begin = one(bank, "SELECT clock_timestamp()")
    said = bank.command("checkpoint", "--entity", ENTITY).stdout
    checkpoint = said.partition(ENTITY)[2].strip()
    payers = customers(bank, stopping)
    amounts = list(range(SMALLEST_CENTS, SMALLEST_CENTS + PAYMENTS))
    shares = [amounts[index :: len(payers)] for index in range(len(payers))]

    with ThreadPoolExecutor(len(payers)) as pool:
        paying = [
            pool.submit(payer.pay_all, share, deadline)
            for payer, share in zip(payers, shares, strict=True)
        ]
        try:
            kills = kill_while(
                bank, lambda: not all(each.done() for each in paying), random.Random(SEED)
            )
            for each in paying:
                each.result(timeout=SECONDS_MAX)
        finally:
            stopping.set()

    sys.stdout.write(f"kills {kills}, looked again {sum(each.repeats for each in payers)} times\n")
    assert min(kills.values()) >= 1
    assert set().union(*(payer.paid for payer in payers)) == set(amounts)
    assert wait_until(lambda: one(bank, OPEN_ENDS) == 0, OUTCOME_SECONDS_MAX)
    assert wait_until(lambda: one(bank, WITHOUT_OUTCOME) == 0, OUTCOME_SECONDS_MAX)
    with superuser(bank) as session:
        assert session.execute(SAVED, [begin]).fetchall() == [(amount, 1) for amount in amounts]
    assert one(bank, "SELECT sum(debits_posted) - sum(credits_posted) FROM ledger_account") == 0
    judged = verified(bank, checkpoint, tmp_path)
    assert (judged.returncode, judged.stderr) == (0, ""), judged.stdout
    assert "VERIFIED" in judged.stdout
