"""Invariant 9, with a plan: killed anywhere, every step is begun once and nothing is forgotten."""

import os
import signal
import subprocess
import sys

import pytest
from django.db import connection

from deploy.home import SOURCE
from orchestration.durable.faults import VARIABLE

# The first commit is the question, the second the confirmation of the plan, which begins step one.
PLACES = [
    "after_start:1",
    "before_call:1",
    "before_commit:1",
    "after_commit:1",
    "before_commit:2",
    "after_effect:4",
    "after_step_up:1",
    "before_call:5",
    "after_effect:5",
    "before_commit:3",
    "after_commit:2",
]

pytestmark = pytest.mark.slow


def planner(bank, **environment):
    return subprocess.run(
        [sys.executable, "-m", "tests.faults.planner", bank.anna.id],
        cwd=SOURCE,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "deploy.settings.test", **environment},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def found(question):
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchall()


@pytest.mark.parametrize("place", PLACES)
def test_invariant_09_a_plan_killed_at_any_point_does_each_step_once(bank, place):
    before, transfers = bank.balance(), bank.transfers()
    killed = planner(bank, **{VARIABLE: place})
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    finished = planner(bank)

    assert finished.returncode == 0, finished.stderr
    assert bank.transfers() == transfers + 1
    assert bank.balance() == before - 25_000
    assert found("SELECT state FROM orch_plan") == [("done",)]
    assert found("SELECT state, starts FROM orch_plan_step ORDER BY position") == [
        ("done", 1),
        ("done", 0),
    ]
    assert found("SELECT count(*) FROM orch_instance") == [(1,)]
    assert found("SELECT count(*) FROM orch_card WHERE kind = 'balance'") == [(1,)]
