"""Claims: batches, leases and fences; queues that share; nothing moved by who lost its claim."""

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection, transaction

from orchestration.durable import claims, engine, progress, store, workers
from orchestration.durable.doorbell import database_time
from orchestration.durable.mass import NewRun, begin_flows
from orchestration.durable.starting import NewInstance, begin
from sentinel.public import legal_entity
from tests.layers.orchestration.flows import AT, SCRIPTS, TIMER, nodes_of

PURE = """
<startEvent id="s"/>
<serviceTask id="one"><extensionElements><frontline:task call="read:reference"/>
<frontline:output name="reference"/></extensionElements></serviceTask>
<serviceTask id="two"><extensionElements><frontline:task call="read:reference"/>
<frontline:output name="second" value="= result.reference"/></extensionElements></serviceTask>
<endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="one"/>
<sequenceFlow id="b" sourceRef="one" targetRef="two"/>
<sequenceFlow id="c" sourceRef="two" targetRef="e"/>
"""


@pytest.fixture
def left(flows):
    """Leave instances of a flow to the workers."""

    def leave(count=1, **content):
        flow = flows.published(PURE, process=f"p{uuid4().hex[:8]}", **content)
        ids = [uuid4() for _ in range(count)]
        for each in ids:
            begin(NewInstance(each, flow, flows.employee, {}, AT))
        return ids

    return leave


def work(limit=100):
    return workers.work(clock=lambda: AT, limit=limit)


def statuses(ids):
    return {store.read_instance(each).status for each in ids}


def make_expired(instance_id):
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_ready SET lease_until = clock_timestamp() - interval '1 second'"
            " WHERE instance_id = %s",
            [instance_id],
        )


def commits():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM orch_history")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_a_batch_of_instances_is_moved_in_one_commit(left):
    ids = left(20)

    done = work()

    assert (done.claimed, done.moved) == (20, 20)
    assert statuses(ids) == {"completed"}
    assert commits() == 1
    assert work().claimed == 0


@pytest.mark.django_db(transaction=True)
def test_a_flow_may_ask_for_a_commit_with_every_step(left):
    (instance_id,) = left(commit="step")

    work()

    row = store.read_instance(instance_id)
    assert (row.status, row.rev) == ("completed", 3)
    assert commits() == 3
    assert engine.rebuilt_state(instance_id) == row.state


def test_what_is_claimed_is_nobody_elses_until_its_lease_runs_out(left):
    (instance_id,) = left()
    (first,) = claims.claim(at=AT, limit=5)

    assert claims.claim(at=AT, limit=5) == ()

    make_expired(instance_id)
    (second,) = claims.claim(at=AT, limit=5)
    assert second.instance_id == first.instance_id
    assert second.fence > first.fence
    assert second.failures == 1


def test_a_worker_that_lost_its_lease_cannot_write(left):
    (instance_id,) = left()
    (lost,) = claims.claim(at=AT, limit=5)
    ((row, fence),) = store.held_instances([instance_id], [lost.fence])
    make_expired(instance_id)
    (held,) = claims.claim(at=AT, limit=5)
    run = engine.bench(row, AT, fence=fence)
    engine.take_all(run, store.waiting_messages([instance_id])[instance_id], [])

    with pytest.raises(progress.InstanceMoved), transaction.atomic():
        engine.finish(run)

    assert store.read_instance(instance_id).rev == 0
    assert store.history_of(instance_id) == ()
    assert workers.run_claims([held], AT).moved == 1
    assert statuses([instance_id]) == {"completed"}


def test_a_step_of_a_worker_that_lost_its_lease_is_not_written(left):
    (instance_id,) = left(commit="step")
    (lost,) = claims.claim(at=AT, limit=5)
    line = store.HistoryRow(
        0, store.waiting_messages([instance_id])[instance_id][0].event, (), None, AT
    )
    state = store.read_instance(instance_id).state
    make_expired(instance_id)

    with pytest.raises(progress.InstanceMoved):
        progress.save_step(instance_id, lost.fence, state, line)

    assert store.history_of(instance_id) == ()


def test_the_next_worker_finds_the_call_that_a_dead_one_had_asked_for(left):
    (instance_id,) = left(commit="step")
    (dead,) = claims.claim(at=AT, limit=5)
    ((row, fence),) = store.held_instances([instance_id], [dead.fence])
    run = engine.bench(row, AT, fence=fence)
    engine.take_all(run, store.waiting_messages([instance_id])[instance_id], [])
    engine.finish(run)  # It asked for the first call, and died before it made it.
    assert nodes_of(instance_id) == {"one"}
    make_expired(instance_id)

    work()

    assert statuses([instance_id]) == {"completed"}


def test_one_whose_past_cannot_be_read_stops_no_other_of_its_batch(flows):
    flows.published(PURE, process="stepwise", commit="step")
    broken, whole = (uuid4() for _ in range(2))
    # Both have asked for their first call, which whoever makes it finds in the history.
    for each in (broken, whole):
        begin_flows(process="stepwise", runs=[NewRun(each, {})], principal=flows.employee, at=AT)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_history (instance_id, seq, event, entries, at)"
            " VALUES (%s, 9, 'x', 'x', %s)",
            [broken, AT],
        )

    work()

    assert [store.read_instance(each).status for each in (broken, whole)] == [
        "running",
        "completed",
    ]


def test_urgent_work_comes_first(left):
    slow, normal, urgent = (left(2, priority=each) for each in (-1, 0, 2))

    order = [each.instance_id for each in claims.claim(at=AT, limit=5)]

    assert set(order[:2]) == set(urgent)
    assert set(order[2:4]) == set(normal)
    assert order[4] in slow


def test_a_flood_in_one_queue_does_not_hold_up_the_other(left):
    left(60, queue="flood")
    calm = left(3, queue="calm")

    taken = claims.claim(at=AT, limit=10)

    assert {each.instance_id for each in taken} >= set(calm)
    assert sum(each.queue == "flood" for each in taken) == 7


def test_shares_say_who_gets_how_much_when_all_are_busy(left):
    left(40, queue="big")
    left(40, queue="small")
    claims.set_queue(name="big", cap=None, share=3)

    taken = claims.claim(at=AT, limit=20)

    assert sum(each.queue == "big" for each in taken) == 15
    assert sum(each.queue == "small" for each in taken) == 5


def test_a_capped_queue_is_never_in_hand_more_than_its_cap(left):
    left(10, queue="narrow")
    claims.set_queue(name="narrow", cap=3, share=1)

    first = claims.claim(at=AT, limit=8)
    second = claims.claim(at=AT, limit=8)

    assert (len(first), len(second)) == (3, 0)
    workers.run_claims(first[:1], AT)
    assert len(claims.claim(at=AT, limit=8)) == 1


@pytest.mark.django_db(transaction=True)
def test_caps_hold_and_nothing_is_claimed_twice_with_several_workers(left, entity):
    left(40, queue="narrow")
    left(40, queue="wide")
    claims.set_queue(name="narrow", cap=4, share=1)
    together, taken = threading.Barrier(4), []

    def claim():
        with legal_entity(entity=entity):
            together.wait(10)
            for _ in range(3):
                taken.extend(claims.claim(at=AT, limit=10))
        connection.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert len({each.instance_id for each in taken}) == len(taken)
    assert sum(each.queue == "narrow" for each in taken) == 4
    assert sum(each.queue == "wide" for each in taken) == 40


def test_a_bad_instance_does_not_stop_the_others_and_is_put_aside(left):
    bad, *good = left(4)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orch_instance SET principal = '{}' WHERE id = %s", [bad])

    at = AT
    for _ in range(claims.FAILURES_MAX + 2):
        workers.work(clock=lambda: at, limit=10)  # noqa: B023  (called at once)
        at += timedelta(minutes=1)

    assert statuses(good) == {"completed"}
    row = store.read_instance(bad)
    assert (row.status, row.rev) == ("created", 0)
    assert workers.work(clock=lambda: at, limit=10).claimed == 0


def test_a_loop_that_never_waits_becomes_an_incident(flows):
    loop = PURE.replace('targetRef="e"', 'targetRef="one"').replace('<endEvent id="e"/>', "")
    flow = flows.published(loop, process="loop", queue="loops", moves_max=450)
    instance_id = uuid4()
    begin(NewInstance(instance_id, flow, flows.employee, {}, AT))

    work()

    (token,) = store.read_instance(instance_id).state.tokens
    assert token.wait == "incident"
    assert store.read_instance(instance_id).rev == 451
    assert work().claimed == 0


def test_an_answer_and_a_worker_do_not_both_move_an_instance(flows):
    instance_id = flows.started(flows.published(TIMER), at=AT - timedelta(hours=2))
    (taken,) = claims.claim(at=AT, limit=5)

    assert engine.move(instance_id, at=AT, is_waiting=True) is True

    assert workers.run_claims([taken], AT).moved == 0
    assert statuses([instance_id]) == {"completed"}
    assert len(store.history_of(instance_id)) == 2


def test_starting_twice_with_one_id_starts_once(flows):
    flow, instance_id = flows.published(SCRIPTS), uuid4()
    new = NewInstance(instance_id, flow, flows.employee, {"amount": 21}, AT)

    assert engine.start(new) == engine.start(new) == begin(new)

    assert len(store.history_of(instance_id)) == 1


def test_the_scan_for_what_is_due_uses_its_index_alone(left, superuser_connection):
    left(1, queue="some")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        cursor.execute(
            "EXPLAIN SELECT FROM orch_ready WHERE queue = 'some' AND priority = 0::smallint"
            " AND due_at <= %s ORDER BY due_at LIMIT 5",
            [database_time()],
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())

    assert "Index Only Scan using orch_ready_due" in plan
    assert "due_at <=" in plan
    assert "Sort" not in plan
