"""Invariant 9: a killed process loses nothing and repeats nothing."""

import os
import random
import signal
import subprocess
import sys

import pytest
from django.db import connection

from deploy.home import SOURCE
from orchestration.durable import engine, store
from orchestration.durable.faults import POINTS, VARIABLE

# Five calls are made: preview, screening, fraud, pay (a code is needed), pay (it is there).
PLACES = [
    "after_start:1",
    "before_call:1",
    "after_effect:3",
    "before_commit:1",
    "after_commit:1",
    "before_call:4",
    "after_effect:4",
    "before_commit:2",
    "after_step_up:1",
    "before_call:5",
    "after_effect:5",
    "before_commit:3",
    "after_commit:2",
]
# A ring has minutes; FRONTLINE_CRASH_PAYMENTS=200 is for whoever has more.
PAYMENTS = int(os.environ.get("FRONTLINE_CRASH_PAYMENTS", "24"))
PAYMENTS_PER_KILL = 5
SECONDS_MAX = 120 + PAYMENTS


def paying(bank, kind, number, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.paying", bank.anna.id, kind, str(number)],
        cwd=SOURCE,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "deploy.settings.test", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(bank, kind, number):
    process = paying(bank, kind, number)
    said, _ = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 0, said


def instances():
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orch_instance")
        return [row[0] for row in cursor.fetchall()]


def sum_of_ledger():
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(debits_posted) - sum(credits_posted) FROM ledger_account")
        return cursor.fetchone()[0]


def open_work():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM orch_inbox WHERE taken_at IS NULL)"
            " + (SELECT count(*) FROM orch_call WHERE state <> 'closed')"
        )
        return cursor.fetchone()[0]


@pytest.mark.slow
@pytest.mark.parametrize("place", PLACES)
def test_invariant_09_a_payment_killed_at_any_point_is_made_once(bank, place):
    before, transfers = bank.balance(), bank.transfers()
    killed = paying(bank, "code", 1, **{VARIABLE: place})
    said, _ = killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL, said

    finished(bank, "code", 1)

    assert bank.transfers() == transfers + 1
    assert bank.balance() == before - 25_000
    assert sum_of_ledger() == 0
    (instance_id,) = instances()
    row = store.read_instance(instance_id)
    assert row.status == "completed"
    assert engine.rebuilt_state(instance_id) == row.state
    assert open_work() == 0


def test_every_point_of_the_payment_is_tried():
    tried = {place.partition(":")[0] for place in PLACES}

    assert tried == set(POINTS) - {"after_approval"}


@pytest.mark.slow
def test_invariant_09_killed_at_random_every_payment_is_made_once(bank):
    before, transfers = bank.balance(), bank.transfers()
    chance = random.Random(20261121)
    killed = 0
    for first in range(0, PAYMENTS, PAYMENTS_PER_KILL):
        with paying(bank, "own", PAYMENTS) as process:
            # Whatever is done already is passed over, so that the kills go through all of them.
            for _line in range(first + chance.randint(1, PAYMENTS_PER_KILL - 1)):
                process.stdout.readline()
            try:
                process.wait(timeout=chance.uniform(0.0, 0.2))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                killed += 1

    assert killed >= PAYMENTS // PAYMENTS_PER_KILL - 1
    finished(bank, "own", PAYMENTS)

    assert bank.transfers() == transfers + PAYMENTS
    assert bank.balance() == before - PAYMENTS * 100
    assert sum_of_ledger() == 0
    assert open_work() == 0
