"""Invariant 9 for workers: killed at any point, again and again, they lose and repeat nothing.

Every step of every instance writes a line into the history of its case, in the transaction of the
step, so that a repeated or a lost effect shows there.
"""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice, pairwise
from uuid import uuid4

import pytest
from django.db import connection

from deploy.home import SOURCE
from orchestration.durable import engine, store
from orchestration.durable.faults import VARIABLE, WORKER_POINTS
from orchestration.durable.mass import NewRun, begin_flows
from orchestration.durable.publication import publish
from orchestration.journeys import FlowContent, FlowSource

# A ring has minutes; FRONTLINE_CRASH_KILLS=100 is for whoever has more.
KILLS = int(os.environ.get("FRONTLINE_CRASH_KILLS", "10"))
STEPS, RUNS_PER_KILL = 3, 3
CALLS = STEPS * RUNS_PER_KILL
# Each point with how the flow commits that comes by there, and how often it does so at least.
PLACES = (
    ("after_claim", "wait", 1),
    ("after_claim", "step", 1),
    ("before_call", "wait", CALLS),
    ("before_call", "step", CALLS),
    ("after_effect", "wait", CALLS),
    ("after_effect", "step", CALLS),
    ("before_batch_commit", "wait", 1),
    ("after_batch_commit", "wait", 1),
    ("before_step_commit", "step", CALLS),
    ("after_step_commit", "step", CALLS),
)
HEAD = (
    '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"'
    ' xmlns:frontline="https://frontline.bank/bpmn/1.0" id="d" targetNamespace="t">'
)
STEP = """<serviceTask id="step{number}"><extensionElements>
<frontline:task call="read:reference"/><frontline:output name="reference"/>
</extensionElements></serviceTask>"""
NAMES = [f"step{number}" for number in range(STEPS)]


def drawing(process):
    names = ["s", "wait", *NAMES, "e"]
    waits = (
        '<intermediateCatchEvent id="wait"><timerEventDefinition><timeDuration>PT0.01S'
        "</timeDuration></timerEventDefinition></intermediateCatchEvent>"
    )
    body = "".join(STEP.format(number=number) for number in range(STEPS))
    arrows = "".join(
        f'<sequenceFlow id="f{source}" sourceRef="{source}" targetRef="{target}"/>'
        for source, target in pairwise(names)
    )
    return (
        f'{HEAD}<process id="{process}" isExecutable="true"><startEvent id="s"/>{waits}{body}'
        f'<endEvent id="e"/>{arrows}</process></definitions>'
    )


def published(commit):
    content = FlowContent(
        drawing="p.bpmn",
        title="Steps",
        summary="Steps.",
        purpose="servicing",
        notes={name: f"Done: {name}." for name in NAMES},
        queue="kills",
        commit=commit,
    )
    process = f"kills_{commit}"
    publish(FlowSource("t", process, drawing(process), {}, content, {}))
    return process


def begin(bank, process, count):
    runs = [NewRun(uuid4(), {}) for _ in range(count)]
    at = datetime.now(UTC) - timedelta(seconds=5)
    begin_flows(process=process, runs=runs, principal=bank.anna, at=at)
    return [each.id for each in runs]


def effects():
    """Return how often each step of each instance has left its line."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.case_id, n.reference, count(*) FROM orch_case_note n"
            " WHERE n.kind = 'step' AND n.reference = ANY(%s) GROUP BY 1, 2",
            [NAMES],
        )
        return {(case_id, name): count for case_id, name, count in cursor.fetchall()}


def working(**environment):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.faults.working", "meridian-nl"],
        cwd=SOURCE,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "deploy.settings.test", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def let_leases_run_out():
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_ready SET lease_until = clock_timestamp() - interval '1 second'"
            " WHERE lease_until IS NOT NULL"
        )
        cursor.execute("UPDATE orch_ready SET failures = 0, due_at = least(due_at, now())")


@pytest.mark.slow
def test_invariant_09_workers_killed_at_every_point_lose_and_repeat_nothing(bank):
    processes = {commit: published(commit) for commit in ("wait", "step")}
    chance, begun, killed = random.Random(20261121), [], Counter()
    for point, commit, passings in islice(cycle(PLACES), KILLS):
        begun += begin(bank, processes[commit], RUNS_PER_KILL)
        worker = working(**{VARIABLE: f"{point}:{chance.randint(1, passings)}"})
        said, _ = worker.communicate(timeout=120)
        assert worker.returncode == -signal.SIGKILL, (point, commit, said)
        killed[point] += 1
        let_leases_run_out()

    for _ in range(3):
        last = working()
        said, _ = last.communicate(timeout=240)
        assert last.returncode == 0, said
        let_leases_run_out()

    sys.stdout.write(f"{killed.total()} kills of {len(begun)} runs: {dict(killed)}\n")
    assert killed.total() == KILLS
    assert set(killed) == set(WORKER_POINTS)
    assert {store.read_instance(each).status for each in begun} == {"completed"}
    cases = [store.read_instance(each).case_id for each in begun]
    assert effects() == {(case_id, name): 1 for case_id in cases for name in NAMES}
    for each in begun:
        assert engine.rebuilt_state(each) == store.read_instance(each).state


def test_every_point_of_a_worker_is_tried():
    assert {point for point, _, _ in PLACES} == set(WORKER_POINTS)
    assert len(PLACES) <= KILLS
