"""What came of a trial, beside all other work that began meanwhile."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from orchestration.durable import engine, store
from orchestration.durable.starting import NewInstance
from orchestration.public import (
    FlowReadersOnly,
    TaskFilters,
    Trial,
    ask_roll_out,
    complete,
    tasks,
    trial_outcomes,
)
from orchestration.versions.rollouts import bucket, flow_to_start
from tests.authority import found_bank, now
from tests.layers.orchestration.test_versions import (  # noqa: F401  (fixtures)
    another,
    decided,
    first,
    new_version,
    officer,
    proposer,
)


@pytest.fixture(autouse=True)
def rules(db):
    found_bank()


def begun(digest, principal, *, inside, at):
    """Begin a case that falls into a trial of half of new work, or does not."""
    while True:
        instance_id = uuid4()
        if (bucket(digest, instance_id) < 50) is inside:
            break
    flow = flow_to_start(process="p", instance_id=instance_id)
    engine.start(NewInstance(instance_id, flow, principal, {"amount": 21}, at))
    return instance_id


def ended(instance_id, principal, at):
    (task,) = [
        each
        for each in tasks(principal=principal, filters=TaskFilters(kind="check"))
        if each.case_id == store.read_instance(instance_id).case_id
    ]
    complete(task_id=task.id, principal=principal, answer={}, comment="", at=at)


def test_both_sides_are_counted_since_the_trial_began(first, proposer, officer):  # noqa: F811
    old = now()
    engine.start(NewInstance(uuid4(), first, proposer, {"amount": 1}, old))
    digest = new_version(proposer, officer, trial=Trial(share=50))
    start = now()
    inside = [begun(digest, proposer, inside=True, at=start) for _ in range(3)]
    outside = [begun(digest, proposer, inside=False, at=start) for _ in range(2)]
    ended(inside[0], proposer, start + timedelta(hours=1))
    ended(inside[1], proposer, start + timedelta(hours=3))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_task SET warned_at = %s WHERE instance_id = %s", [start, outside[0]]
        )

    found = trial_outcomes(process="p", principal=proposer)

    assert (found.trial.digest, found.version, found.rule_version) == (digest, 2, 1)
    assert (found.inside.begun, found.inside.running, found.inside.done) == (3, 1, 2)
    assert (found.outside.begun, found.outside.running, found.outside.done) == (2, 2, 0)
    assert (found.inside.escalations, found.outside.escalations) == (0, 1)
    assert (found.inside.median_seconds, found.outside.median_seconds) == (2 * 3600, None)
    assert (found.inside.incidents, found.inside.refused, found.inside.failed) == (0, 0, 0)


def test_without_a_trial_there_is_nothing_to_compare(first, proposer, officer):  # noqa: F811
    assert trial_outcomes(process="p", principal=proposer) is None
    digest = new_version(proposer, officer, trial=Trial(share=50))
    assert trial_outcomes(process="p", principal=proposer) is not None

    ask_roll_out(
        change_id=uuid4(),
        digest=first.digest,
        trial=Trial(),
        why="It did worse.",
        principal=proposer,
        at=now(),
    )
    decided(another(officer))

    assert trial_outcomes(process="p", principal=proposer) is None
    assert flow_to_start(process="p", instance_id=uuid4()).digest == first.digest != digest


def test_a_trial_is_looked_at_by_those_who_answer_for_flows(first, proposer):  # noqa: F811
    with pytest.raises(FlowReadersOnly):
        trial_outcomes(process="p", principal=replace(proposer, roles=("adviser",)))
