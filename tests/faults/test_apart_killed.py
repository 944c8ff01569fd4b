"""Invariant 9 for branches: killed with calls in hand, each is made by another and answered once.

Every branch writes a line into the history of its case when it is entered and when it is behind, in
the transactions of the instance, so that an answer taken twice or lost shows there.
"""

import os
import random
import signal
import sys
from collections import Counter
from itertools import cycle, islice

import pytest
from django.db import connection

from orchestration.core.events import TaskCompleted
from orchestration.durable import engine, store
from orchestration.durable.faults import APART_POINTS, VARIABLE
from orchestration.durable.publication import publish
from orchestration.journeys import FlowContent, FlowSource
from tests.faults import test_workers_killed
from tests.faults.test_workers_killed import HEAD, begin, working

# A ring has minutes; FRONTLINE_CRASH_KILLS=100 is for whoever has more.
KILLS = int(os.environ.get("FRONTLINE_CRASH_KILLS", "10"))
BRANCHES, RUNS_PER_KILL = ("x", "y", "z"), 2
CALLS = len(BRANCHES) * RUNS_PER_KILL
# Each point with how the flow commits that comes by there, and how often it does so at least.
PLACES = (
    ("before_batch_commit", "wait", 1),
    ("after_batch_commit", "wait", 1),
    ("before_step_commit", "step", RUNS_PER_KILL),
    ("after_step_commit", "step", RUNS_PER_KILL),
    ("apart_claimed", "wait", CALLS),
    ("apart_claimed", "step", CALLS),
    ("apart_made", "wait", CALLS),
    ("apart_made", "step", CALLS),
    ("apart_answered", "wait", CALLS),
    ("apart_answered", "step", CALLS),
)
STEP = """<serviceTask id="{name}"><extensionElements>
<frontline:task call="read:reference" {apart}/>
<frontline:output name="{name}" value="= result.reference"/></extensionElements></serviceTask>"""


def drawing(process):
    nodes = STEP.format(name="first", apart="") + "".join(
        STEP.format(name=name, apart='apart="true"') + f'<task id="{name}after"/>'
        for name in BRANCHES
    )
    ways = [("s", "wait"), ("wait", "first"), ("first", "fork"), ("join", "e")]
    for name in BRANCHES:
        ways += [("fork", name), (name, f"{name}after"), (f"{name}after", "join")]
    arrows = "".join(
        f'<sequenceFlow id="f{source}{target}" sourceRef="{source}" targetRef="{target}"/>'
        for source, target in ways
    )
    return (
        f'{HEAD}<process id="{process}" isExecutable="true"><startEvent id="s"/>'
        '<intermediateCatchEvent id="wait"><timerEventDefinition><timeDuration>PT0.01S'
        "</timeDuration></timerEventDefinition></intermediateCatchEvent>"
        f'<parallelGateway id="fork"/>{nodes}<parallelGateway id="join"/>'
        f'<endEvent id="e"/>{arrows}</process></definitions>'
    )


NOTED = [*BRANCHES, *(f"{name}after" for name in BRANCHES)]


def published(commit):
    content = FlowContent(
        drawing="p.bpmn",
        title="Branches",
        summary="Branches.",
        purpose="servicing",
        notes={name: f"Entered: {name}." for name in NOTED},
        queue="kills",
        commit=commit,
    )
    process = f"apart_{commit}"
    publish(FlowSource("t", process, drawing(process), {}, content, {}))
    return process


def let_leases_run_out():
    test_workers_killed.let_leases_run_out()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_call SET lease_until = clock_timestamp() - interval '1 second', takes = 0"
            " WHERE lease_until IS NOT NULL"
        )


def noted():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.case_id, n.reference, count(*) FROM orch_case_note n"
            " WHERE n.kind = 'step' AND n.reference = ANY(%s) GROUP BY 1, 2",
            [NOTED],
        )
        return {(case_id, name): count for case_id, name, count in cursor.fetchall()}


def answers_of(instance_id):
    lines = store.history_of(instance_id)
    return [line.ignored for line in lines if isinstance(line.event, TaskCompleted)]


@pytest.mark.slow
def test_invariant_09_workers_killed_with_calls_apart_in_hand_lose_and_repeat_nothing(bank):
    processes = {commit: published(commit) for commit in ("wait", "step")}
    chance, begun, killed = random.Random(20261122), [], Counter()
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
    assert set(killed) == set(APART_POINTS)
    assert {store.read_instance(each).status for each in begun} == {"completed"}
    cases = [store.read_instance(each).case_id for each in begun]
    assert noted() == {(case_id, name): 1 for case_id in cases for name in NOTED}
    for each in begun:
        assert answers_of(each) == [None] * (1 + len(BRANCHES))
        assert engine.rebuilt_state(each) == store.read_instance(each).state


def test_every_point_around_a_call_apart_is_tried():
    assert {point for point, _, _ in PLACES} == set(APART_POINTS)
    assert len(PLACES) <= KILLS
