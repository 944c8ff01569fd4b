"""Runs over files and streams: item by item, gone on with after a kill, nothing done twice."""

import json
from uuid import uuid4

import pytest
from django.db import connection

from orchestration.durable import sweeping
from orchestration.public import (
    FileNotUnderstood,
    OperationsOnly,
    TriggerUnknown,
    batch_failures,
    batch_items,
    batch_run,
    batch_runs,
    load_batch,
    run_batches_once,
    steer_batch,
    stream_figures,
)
from orchestration.triggers.content import BatchContent
from orchestration.triggers.streams import StreamEvent, consume
from sentinel.vocabulary import Principal
from tests.authority import count, found_bank
from tests.layers.orchestration.flows import AT
from tests.small_core import SmallCore

# An amount above 100 ends in an error.
BODY = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<exclusiveGateway id="g" default="b"><incoming>a</incoming><outgoing>b</outgoing>
<outgoing>c</outgoing></exclusiveGateway>
<endEvent id="fine"><incoming>b</incoming></endEvent>
<endEvent id="bad"><incoming>c</incoming><errorEventDefinition errorRef="too_much"/></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="g"/>
<sequenceFlow id="b" sourceRef="g" targetRef="fine"/>
<sequenceFlow id="c" sourceRef="g" targetRef="bad"><conditionExpression
 xsi:type="tFormalExpression">= amount &gt; 100</conditionExpression></sequenceFlow>
"""
SCHEMA = {
    "type": "object",
    "required": ["id", "amount"],
    "properties": {"amount": {"type": ["integer", "string"], "pattern": "^[0-9]+$"}},
}
EACH = BatchContent(
    key="id", accepts=SCHEMA, variables={"amount": "= number(string(event.amount))"}
)


def loaded(employee, content, process="p", name="orders"):
    return load_batch(
        process=process,
        name=name,
        file_name="orders.csv",
        content=content,
        principal=employee,
        at=AT,
    )


def csv_of(*rows):
    return "\n".join(["id,amount", *(f"{key},{amount}" for key, amount in rows)]).encode()


def carried(batch_id, employee):
    for _ in range(50):
        run_batches_once()
        sweeping.sweep(limit=100)
        view = batch_run(batch_id=batch_id, principal=employee)
        if view.ended_at is not None:
            return view
    raise AssertionError(view)


def steered(batch_id, employee, move, reason="The cause is gone."):
    return steer_batch(batch_id=batch_id, move=move, principal=employee, reason=reason)


def instances():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orch_instance")
        return cursor.fetchone()[0]


def test_every_item_begins_one_instance_and_has_a_status(flows, employee):
    flows.published(BODY, batches={"orders": EACH})
    rows = [("a", 1), ("b", 500), ("c", "x"), ("d", 4)]

    view = loaded(employee, csv_of(*rows))

    assert (view.items, view.waiting, view.refused) == (4, 3, 1)
    ended = carried(view.id, employee)
    assert (ended.done, ended.failed, ended.refused, ended.percent) == (2, 1, 1, 100)
    assert instances() == 3
    states = {
        each.key: (each.state, each.code)
        for each in batch_items(batch_id=view.id, principal=employee)
    }
    assert states == {
        "a": ("done", "completed"),
        "b": ("failed", "too_much"),
        "c": ("refused", "item_refused"),
        "d": ("done", "completed"),
    }
    failures = batch_failures(batch_id=view.id, principal=employee).splitlines()
    assert failures == [
        "line,key,state,code,reason",
        "3,b,failed,too_much,",
        "4,c,refused,item_refused,amount is not written as ^[0-9]+$",
    ]
    (only,) = batch_items(batch_id=view.id, principal=employee, state="failed")
    assert only.line == 3


def test_the_same_file_is_the_same_run(flows, employee):
    flows.published(BODY, batches={"orders": EACH})
    first = loaded(employee, csv_of(("a", 1)))
    carried(first.id, employee)

    again = loaded(employee, csv_of(("a", 1)))

    assert again.id == first.id
    assert len(batch_runs(principal=employee)) == 1
    run_batches_once()
    assert instances() == 1


def test_what_failed_is_begun_anew_and_nothing_else(flows, employee):
    flows.published(BODY, batches={"orders": EACH})
    view = loaded(employee, csv_of(("a", 1), ("b", 500)))
    carried(view.id, employee)

    assert steered(view.id, employee, "restart") == 1

    ended = carried(view.id, employee)
    assert (ended.done, ended.failed) == (1, 1)
    assert instances() == 3
    attempts = {e.key: e.attempt for e in batch_items(batch_id=view.id, principal=employee)}
    assert attempts == {"a": 1, "b": 2}


def test_json_lines_are_read_as_well(flows, employee):
    flows.published(BODY, batches={"orders": EACH})
    lines = "\n".join(json.dumps({"id": str(n), "amount": n}) for n in range(3))

    view = loaded(employee, f"{lines}\n".encode())

    assert carried(view.id, employee).done == 3


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"id,amount\n",
        b"id,amount\na,1\na,2\n",
        b"id,amount\n,1\n",
        b"id,amount\na,1,2\n",
        b"id,amount\na\n",
        b'id,amount\n"a,1\n',
        b"\xff\xfe",
        b"{}\n",
        b'{"id": "a"}\n[1]\n',
        b'{"id": "a"\n',
        b"other,amount\na,1\n",
    ],
)
def test_a_file_that_cannot_be_read_begins_nothing(flows, employee, content):
    flows.published(BODY, batches={"orders": EACH})

    with pytest.raises(FileNotUnderstood):
        loaded(employee, content)

    assert batch_runs(principal=employee) == ()
    assert instances() == 0


def test_only_operations_hand_in_files_and_only_where_they_are_taken(flows, employee):
    flows.published(BODY, batches={"orders": EACH})
    adviser = Principal("employee:1", "employee", "1", "meridian-nl", ("adviser",))

    with pytest.raises(OperationsOnly):
        loaded(adviser, csv_of(("a", 1)))
    with pytest.raises(TriggerUnknown):
        loaded(employee, csv_of(("a", 1)), name="else")


def test_a_name_that_a_spreadsheet_would_compute_stays_text(flows, employee):
    flows.published(BODY, batches={"orders": EACH})
    view = loaded(employee, csv_of(("=1+1", "x"), ("b", 1)))

    table = batch_failures(batch_id=view.id, principal=employee)

    assert "'=1+1" in table


def test_many_items_are_one_decision_and_each_keeps_its_own_status(flows, employee):
    found_bank()
    core = SmallCore()
    source, target = core.open(), core.open()
    core.fund(source, 150)
    declared = BatchContent(
        key="id",
        mandate="ledger",
        action="ledger.post_batch",
        currency="EUR",
        line={
            "debit": "= event.debit",
            "credit": "= event.credit",
            "amount": "= event.amount",
        },
    )
    flows.published(BODY, batches={"pay": declared})
    lines = [
        {"id": key, "debit": str(debit), "credit": str(target), "amount": amount}
        for key, debit, amount in (
            ("a", source, "100"),
            ("b", source, "100"),
            ("c", source, "50"),
            ("d", "nobody", "1"),
            ("e", uuid4(), "1"),
            # What the core would not post must not make the permitted sum smaller or unreadable.
            ("f", source, "-149"),
            ("g", source, "0"),
            ("h", source, "9" * 30),
        )
    ]
    decisions = count("sentinel_decision")

    view = loaded(employee, "\n".join(map(json.dumps, lines)).encode(), name="pay")
    ended = carried(view.id, employee)

    states = {e.key: e.state for e in batch_items(batch_id=view.id, principal=employee)}
    refused = dict.fromkeys("dfgh", "refused")
    assert states == {"a": "done", "b": "failed", "c": "done", "e": "failed", **refused}
    assert (ended.done, ended.failed, ended.refused) == (2, 2, 4)
    assert count("sentinel_decision") == decisions + 1
    core.fund(source, 100)
    steered(view.id, employee, "restart")
    again = carried(view.id, employee)
    assert (again.done, again.failed) == (3, 1)


def event(number, event_id=None):
    return StreamEvent(f"{number:03}", event_id or f"e{number}", AT, {"n": number})


def feed(*events):
    def read(cursor, limit):
        return [each for each in events if each.cursor > cursor][:limit]

    return read


def test_an_event_that_comes_twice_is_worked_on_once(entity):
    seen = []
    again = feed(event(1), event(2), event(3, "e1"), event(4))

    taken = [
        consume(consumer="c", read=again, handle=seen.append, limit=3),
        consume(consumer="c", read=again, handle=seen.append, limit=3),
        consume(consumer="c", read=again, handle=seen.append, limit=3),
    ]

    assert taken == [2, 1, 0]
    assert [each.payload["n"] for each in seen] == [1, 2, 4]


def test_one_bad_event_stops_nothing_and_leaves_nothing_behind(entity):
    def handle(each):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO orch_trigger_refusal (trigger, event_id, code) VALUES ('t', %s, 'x')",
                [each.id],
            )
        if each.payload["n"] == 2:
            raise ValueError

    assert consume(consumer="c", read=feed(event(1), event(2), event(3)), handle=handle, limit=9)

    figures = stream_figures(consumer="c")
    assert (figures.taken, figures.failed) == (3, 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT event_id FROM orch_trigger_refusal ORDER BY event_id")
        assert [row[0] for row in cursor.fetchall()] == ["e1", "e3"]


def test_two_consumers_read_the_same_feed_each_for_itself(entity):
    one, two = [], []

    consume(consumer="one", read=feed(event(1)), handle=one.append, limit=9)
    consume(consumer="two", read=feed(event(1)), handle=two.append, limit=9)

    assert (len(one), len(two)) == (1, 1)
