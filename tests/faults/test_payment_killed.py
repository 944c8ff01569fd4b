"""Invariant 9: a killed process loses nothing and repeats nothing."""

import os
import random
import signal
import subprocess
import sys

import pytest
from django.db import connection

from deploy.home import SOURCE
from deploy.sample.story import RENT_MINOR_UNITS
from orchestration.durable import engine, store
from orchestration.durable.faults import POINTS, VARIABLE
from tests.journeys.test_invoice_story import CALLED, done, invoice, refused, tasks_of

__all__ = ["invoice"]

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
# Another process passes this one, that of whoever approves.
APPROVED = "after_approval:1"
# A ring has minutes; FRONTLINE_CRASH_PAYMENTS=200 is for whoever has more.
PAYMENTS = int(os.environ.get("FRONTLINE_CRASH_PAYMENTS", "24"))
PAYMENTS_PER_KILL = 5
# So many are left when the last kill comes that no process is through before it is killed.
PAYMENTS_LEFT = 10
SECONDS_MAX = 120 + PAYMENTS


def paying(bank, kind, number, **environment):
    return started("tests.faults.paying", bank.anna.id, kind, str(number), **environment)


def started(module, *said, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", module, *said],
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
    tried = {place.partition(":")[0] for place in (*PLACES, APPROVED)}

    assert tried == set(POINTS)


def approving(employee, task, **environment):
    said = (employee.entity, employee.id, employee.person_id, "operations", str(task.id))
    return started("tests.faults.approving", *said, **environment)


@pytest.mark.slow
def test_invariant_09_an_approval_killed_once_it_is_kept_counts_once(bank, invoice):
    chat = bank.chat()
    before, transfers = bank.balance(), bank.transfers()
    called_back = refused(bank, chat, invoice)
    done(bank, "omar", called_back, {**CALLED, "iban_choice": "known"})
    (approval,) = tasks_of(bank, "omar", "approval")
    omar = bank.employees["omar"]
    killed = approving(omar, approval, **{VARIABLE: APPROVED})
    said, _ = killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL, said
    assert [each.id for each in tasks_of(bank, "omar", "approval")] == [approval.id]

    again = approving(omar, approval)
    said, _ = again.communicate(timeout=120)

    assert again.returncode == 0, said
    assert tasks_of(bank, "omar", "approval") == []
    (answer,) = approvals()
    assert answer == (omar.id, "approve")
    (step_up,) = [card for card in chat.cards("step_up") if card.state == "open"]
    chat.answers(step_up, answer="code", code=chat.code())
    assert bank.transfers() == transfers + 1
    assert bank.balance() == before - RENT_MINOR_UNITS
    assert sum_of_ledger() == 0
    assert open_work() == 0


def approvals():
    with connection.cursor() as cursor:
        cursor.execute("SELECT approver_id, verdict FROM sentinel_approval")
        return cursor.fetchall()


@pytest.mark.slow
def test_invariant_09_killed_at_random_every_payment_is_made_once(bank):
    before, transfers = bank.balance(), bank.transfers()
    chance = random.Random(20261121)
    killed, count = 0, PAYMENTS + PAYMENTS_LEFT
    for first in range(0, PAYMENTS, PAYMENTS_PER_KILL):
        with paying(bank, "own", count) as process:
            # Whatever is done already is passed over, so that the kills go through all of them.
            for _line in range(first + chance.randint(1, PAYMENTS_PER_KILL - 1)):
                process.stdout.readline()
            try:
                process.wait(timeout=chance.uniform(0.0, 0.2))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                killed += 1

    assert killed == len(range(0, PAYMENTS, PAYMENTS_PER_KILL))
    finished(bank, "own", count)

    assert bank.transfers() == transfers + count
    assert bank.balance() == before - count * 100
    assert sum_of_ledger() == 0
    assert open_work() == 0
