"""Many instances begun in one commit: each once, in few statements, as far as they wait."""

import json
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from psycopg import Cursor

from orchestration import cases
from orchestration.durable import engine, store, workers
from orchestration.durable.large_values import VALUE_CHARACTERS_MAX, ValueTooLarge
from orchestration.durable.mass import NewRun, begin_flows
from orchestration.public import FlowUnknown, batch_items, load_batch, run_batches_once
from orchestration.triggers.content import BatchContent
from tests.authority import count
from tests.layers.orchestration.flows import AT, SCRIPTS, TIMER, nodes_of


def runs(count, **variables):
    return [NewRun(uuid4(), variables) for _ in range(count)]


def begun(wanted, employee, process="p", **more):
    return begin_flows(process=process, runs=wanted, principal=employee, at=AT, **more)


def due_at(instance_id):
    with connection.cursor() as cursor:
        cursor.execute("SELECT due_at FROM orch_ready WHERE instance_id = %s", [instance_id])
        return cursor.fetchone()[0]


@pytest.mark.parametrize("has_case", [True, False])
def test_what_at_once_waits_for_a_time_is_written_as_waiting(flows, employee, has_case):
    flows.published(TIMER)
    case_id = store.read_instance(flows.started(flows.published(SCRIPTS, process="q"), amount=1))
    more = {"case_id": case_id.case_id} if has_case else {}
    wanted = runs(5, amount=3)

    assert begun(wanted, employee, **more) == 5

    for each in wanted:
        row = store.read_instance(each.id)
        assert (row.status, row.rev, nodes_of(each.id)) == ("running", 1, {"wait"})
        assert engine.rebuilt_state(each.id) == row.state
        assert due_at(each.id) == AT + timedelta(hours=1)
        assert row.state.variables["amount"] == 3
    assert count("orch_inbox") == 0
    assert count("orch_case") == (1 if has_case else 6)


def test_every_run_of_its_own_case_has_the_number_of_it(flows, employee):
    flows.published(TIMER)
    wanted = runs(3)

    begun(wanted, employee)

    numbers = set()
    for each in wanted:
        row = store.read_instance(each.id)
        opened = cases.read_case(row.case_id)
        assert row.state.variables["case"]["number"] == opened.number
        assert [line.words for line in cases.notes_of(opened.id)] == ["A test is run."]
        numbers.add(opened.number)
    assert len(numbers) == 3


def test_waiting_runs_begun_together_go_on_when_their_time_has_come(flows, employee):
    flows.published(TIMER)
    wanted = runs(5)
    begun(wanted, employee)

    assert workers.work(clock=lambda: AT + timedelta(minutes=59), limit=10).moved == 0
    assert workers.work(clock=lambda: AT + timedelta(hours=1), limit=10).timers == 5

    assert {store.read_instance(each.id).status for each in wanted} == {"completed"}


def test_begun_again_begins_only_what_was_not_there(flows, employee):
    flows.published(TIMER)
    first, second = runs(3), runs(2)
    begun(first, employee)

    assert begun([*first, *second, *second], employee) == 2
    assert begun([*first, *second], employee) == 0

    assert count("orch_instance") == count("orch_case") == count("orch_history") == 5


def test_what_does_more_than_wait_is_left_to_the_workers(flows, employee):
    flows.published(SCRIPTS)
    wanted = runs(3, amount=4)

    assert begun(wanted, employee) == 3

    assert {store.read_instance(each.id).rev for each in wanted} == {0}
    assert workers.work(clock=lambda: AT, limit=10).moved == 3
    assert {store.read_instance(each.id).state.variables["total"] for each in wanted} == {8}


@pytest.mark.parametrize("words", [{"says": {"wait": "Wait."}}, {"notes": {"wait": "It waits."}}])
def test_what_says_or_notes_something_is_left_to_the_workers(flows, employee, words):
    flows.published(TIMER, **words)
    wanted = runs(2)

    begun(wanted, employee)

    assert {store.read_instance(each.id).rev for each in wanted} == {0}
    assert workers.work(clock=lambda: AT, limit=10).moved == 2


def test_one_variable_too_large_begins_none(flows, employee):
    flows.published(TIMER)
    wanted = [*runs(2), NewRun(uuid4(), {"text": "x" * (VALUE_CHARACTERS_MAX + 1)})]

    with pytest.raises(ValueTooLarge):
        begun(wanted, employee)

    assert count("orch_instance") == count("orch_case") == 0


def test_a_flow_nobody_published_begins_none(employee):
    with pytest.raises(FlowUnknown):
        begun(runs(1), employee, process="nothing")


def test_however_many_begin_the_statements_are_as_few(flows, employee, monkeypatch):
    flows.published(TIMER)
    begun(runs(1), employee)
    sent = []
    execute = Cursor.execute

    def counted(self, query, *rest, **named):
        sent.append(query)
        return execute(self, query, *rest, **named)

    monkeypatch.setattr(Cursor, "execute", counted)
    begun(runs(2), employee)
    few, sent[:] = len(sent), []
    begun(runs(200), employee)

    assert len(sent) == few
    assert few <= 20


def test_an_item_too_large_as_written_holds_up_none_of_the_others(flows, employee):
    # Quotation marks are written as two signs each, which only writing shows.
    flows.published(
        TIMER, batches={"b": BatchContent(key="id", variables={"text": "= event.text"})}
    )
    quoted = "x" * (VALUE_CHARACTERS_MAX - 100) + '"' * 100
    texts = {"1": "x", "2": quoted, "3": "x"}
    rows = [json.dumps({"id": key, "text": text}) for key, text in texts.items()]
    batch = load_batch(
        process="p",
        name="b",
        file_name="b",
        content="\n".join(rows).encode(),
        principal=employee,
        at=AT,
    )

    run_batches_once(rounds=1)

    items = batch_items(batch_id=batch.id, principal=employee)
    assert {each.key: each.state for each in items} == {
        "1": "running",
        "2": "refused",
        "3": "running",
    }
    assert count("orch_instance") == 2
