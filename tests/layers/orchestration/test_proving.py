"""Rows of running work are proved from their history; what was altered is named."""

from contextlib import contextmanager

import pytest

from orchestration.durable import proving, store
from orchestration.durable.proving import HistoryNotSound
from orchestration.public import TaskFilters, complete, prove_histories_once, prove_history, tasks
from tests.layers.orchestration.flows import AT, SCRIPTS, Flows

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def running(entity, employee):
    flows = Flows(employee)
    return flows.started(flows.published(SCRIPTS), amount=21)


@pytest.fixture
def altered(superuser_connection):
    @contextmanager
    def alter():
        with superuser_connection.transaction():
            superuser_connection.execute("SET LOCAL session_replication_role = replica")
            yield superuser_connection

    return alter


def test_work_that_is_what_its_history_says_is_sound(running, employee):
    proof = prove_history()

    assert (proof.instances, proof.faults) == (1, ())


def test_ended_work_is_proved_when_asked_for(running, employee):
    (task,) = tasks(principal=employee, filters=TaskFilters())
    complete(task_id=task.id, principal=employee, answer={}, comment="", at=AT)

    assert prove_history().instances == 0
    assert (prove_history(is_ended_included=True).instances, prove_history().faults) == (1, ())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("state = replace(state, '42', '43')", "its state is not what its history leads to"),
        ("status = 'failed'", "its row says failed, its history running"),
        ("state = '{}'", "cannot be read"),
    ],
)
def test_an_altered_row_is_named(running, altered, change, words):
    assert "42" in str(store.read_instance(running).state.variables)
    with altered() as session:
        session.execute(f"UPDATE orch_instance SET {change} WHERE id = %s", [running])

    (fault,) = prove_history().faults

    assert fault.startswith(f"instance {running}: ")
    assert words in fault


def test_altered_history_is_named(running, altered):
    with altered() as session:
        session.execute(
            "UPDATE orch_history SET event = replace(event, '21', '22') WHERE instance_id = %s",
            [running],
        )

    (fault,) = prove_history().faults

    assert fault == f"instance {running}: its state is not what its history leads to"


def test_a_round_proves_running_work_and_tells_of_an_altered_row(running, altered, caplog):
    assert prove_histories_once() == 1
    with altered() as session:
        session.execute(
            "UPDATE orch_instance SET state = replace(state, '42', '43') WHERE id = %s", [running]
        )

    with pytest.raises(HistoryNotSound) as told:
        prove_histories_once()

    assert told.value.instance_ids == (str(running),)
    assert told.value.code == "history_not_sound"
    assert f"history_not_sound instance={running}" in caplog.text


def test_a_round_is_bounded(running, employee, monkeypatch):
    flows = Flows(employee)
    flow = flows.published(SCRIPTS)
    for amount in (1, 2):
        flows.started(flow, amount=amount)
    monkeypatch.setattr(proving, "ROUND", 2)

    assert prove_histories_once() in {1, 2}
    assert prove_history().instances == 3


def test_every_instance_has_its_turn(running, employee, monkeypatch):
    flows = Flows(employee)
    flow = flows.published(SCRIPTS)
    for amount in (1, 2):
        flows.started(flow, amount=amount)
    monkeypatch.setattr(proving, "ROUND", 1)
    # With parts of a microsecond, the parts of a few looks are as good as drawn by lot.
    monkeypatch.setattr(proving, "_ROUND_SECONDS", 0.000001)

    seen = {each for _ in range(100) for each in proving._next_part()}

    assert len(seen) == 3
