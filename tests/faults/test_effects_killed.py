"""Invariant 9, elsewhere: killed between any two commits, another system acts exactly once."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from uuid import uuid4

import pytest
from django.db import connection

from deploy.home import SOURCE
from orchestration.durable.faults import OUTSIDE_POINTS, VARIABLE
from sentinel.vocabulary import OutcomeKind
from tests.processor import Processor

# What the processor does to the first order, with every place at which the process may end.
PLACES = [(point, "") for point in OUTSIDE_POINTS] + [
    ("call_claimed:2", "lose_after"),
    ("call_answered:2", "lose_after"),
    ("call_concluded:1", "lose_after"),
    ("call_answered:1", "lose_before"),
]
CARDS = int(os.environ.get("FRONTLINE_CRASH_EFFECTS", "12"))
SECONDS_MAX = 120


@pytest.fixture(scope="module")
def processor(tmp_path_factory):
    started = Processor(tmp_path_factory.mktemp("processor")).start()
    yield started
    started.kill()


def stopping(bank, processor, cards, **environment):
    operations = next(each for each in bank.employees.values() if "operations" in each.roles)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.stopping", operations.id, *cards],
        cwd=SOURCE,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "deploy.settings.test",
            "EFFECT_LEASE_SECONDS": "4",
            **processor.environment,
            **environment,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(bank, processor, cards):
    process = stopping(bank, processor, cards)
    said, _ = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 0, said


def asked(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def every_effect_ended_once(processor, cards):
    assert [processor.acts(card) for card in cards] == [["stop"]] * len(cards)
    assert asked("SELECT count(*) FROM gc_outside WHERE ended_at IS NULL") == [(0,)]
    assert asked("SELECT count(*) FROM orch_effect WHERE state <> 'taken'") == [(0,)]
    assert asked("SELECT count(*) FROM orch_call WHERE state <> 'closed'") == [(0,)]
    ended = asked(
        "SELECT o.kind, count(*) FROM gc_outside g JOIN sentinel_outcome o"
        " ON o.decision_id = g.token AND o.is_final GROUP BY o.kind"
    )
    assert ended == [(OutcomeKind.DONE.value, len(cards))]


@pytest.mark.slow
@pytest.mark.parametrize(("place", "fault"), PLACES)
def test_invariant_09_an_effect_elsewhere_killed_at_any_commit_happens_once(
    bank, processor, place, fault
):
    card = str(uuid4())
    if fault:
        processor.fault(fault)
    killed = stopping(bank, processor, [card], **{VARIABLE: place})
    said, _ = killed.communicate(timeout=SECONDS_MAX)
    assert killed.returncode == -signal.SIGKILL, said

    finished(bank, processor, [card])

    every_effect_ended_once(processor, [card])


@pytest.mark.slow
def test_invariant_09_killed_at_random_while_answers_are_lost(bank, processor):
    cards = [str(uuid4()) for _ in range(CARDS)]
    chance = random.Random(20261121)
    kills: Counter[bool] = Counter()
    for fault in ("lose_after", "lose_before", "html", "lose_after"):
        processor.fault(fault, 2)
        with stopping(bank, processor, cards) as process:
            try:
                process.wait(timeout=chance.uniform(3.0, 5.0))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                kills[True] += 1

    finished(bank, processor, cards)

    assert kills[True] >= 1
    every_effect_ended_once(processor, cards)
