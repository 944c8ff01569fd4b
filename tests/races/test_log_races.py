"""Writers and sequencers at once: every committed record gets one number, whatever the order."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.db import connections

from sentinel.entities import legal_entity
from sentinel.log.merkle import EMPTY, extend
from sentinel.log.reading import events_after
from sentinel.log.records import append_statement
from sentinel.log.sequencer import run_sequencer_once

ENTITY = "meridian-nl"
WRITERS, TRANSACTIONS, RECORDS_EACH = 6, 40, 3

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def keys(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"


def statements(count):
    with legal_entity(entity=ENTITY):
        return [append_statement(kind="issued", body={"number": n}) for n in range(count)]


def write(dsn, batches):
    """Commit every second batch and roll the others back; return the ids that were committed."""
    committed = []
    with psycopg.connect(dsn) as session:
        session.execute("SET frontline.entity = 'meridian-nl'")
        session.commit()
        for number, batch in enumerate(batches):
            for statement in batch:
                session.execute(statement.sql, statement.parameters)
            if number % 2:
                session.rollback()
            else:
                session.commit()
                committed += [statement.record_id for statement in batch]
    return committed


def sequence_until(stop):
    try:
        while not stop.is_set():
            run_sequencer_once(limit=17)
        while run_sequencer_once(limit=17):
            pass
    finally:
        connections.close_all()


def assert_one_sound_tree(superuser_connection):
    """The numbers have no gap, every checkpoint has the root of its leaves, nothing waits."""
    leaves = superuser_connection.execute(
        "SELECT idx, leaf FROM sentinel_leaf ORDER BY idx"
    ).fetchall()
    assert [index for index, _ in leaves] == list(range(len(leaves)))
    sizes = superuser_connection.execute(
        "SELECT size, root FROM sentinel_checkpoint ORDER BY size"
    ).fetchall()
    frontier, start = EMPTY, 0
    for size, root in sizes:
        frontier, _ = extend(frontier, [leaf for _, leaf in leaves[start:size]])
        start = size
        assert frontier.root() == root
    assert start == len(leaves)
    assert superuser_connection.execute("SELECT count(*) FROM sentinel_pending").fetchone() == (0,)


def test_two_sequencers_and_many_writers_lose_and_repeat_nothing(dsn, entity, superuser_connection):
    work = [[statements(RECORDS_EACH) for _ in range(TRANSACTIONS)] for _ in range(WRITERS)]
    stop = threading.Event()

    with ThreadPoolExecutor(WRITERS + 2) as pool:
        sequencers = [pool.submit(sequence_until, stop) for _ in range(2)]
        writers = [pool.submit(write, dsn, batches) for batches in work]
        committed = {record_id for writer in writers for record_id in writer.result(timeout=60)}
        stop.set()
        for sequencer in sequencers:
            sequencer.result(timeout=60)

    sequenced = superuser_connection.execute(
        "SELECT l.record_id FROM sentinel_leaf l JOIN sentinel_record r ON r.id = l.record_id"
        " WHERE r.kind = 'issued'"
    ).fetchall()
    assert len(committed) == WRITERS * TRANSACTIONS // 2 * RECORDS_EACH
    assert len(sequenced) == len(committed)
    assert {record_id for (record_id,) in sequenced} == committed
    assert superuser_connection.execute(
        "SELECT count(*) FROM sentinel_record WHERE kind = 'key'"
    ).fetchone() == (1,)
    assert_one_sound_tree(superuser_connection)


def test_writer_that_commits_late_is_sequenced_and_fed_after_those_before_it(
    dsn, entity, superuser_connection
):
    late, early = statements(2)
    with psycopg.connect(dsn) as slow, psycopg.connect(dsn) as quick:
        for session in (slow, quick):
            session.execute("SET frontline.entity = 'meridian-nl'")
        slow.execute(late.sql, late.parameters)
        quick.execute(early.sql, early.parameters)
        quick.commit()
        run_sequencer_once()
        seen = events_after()
        slow.commit()
    run_sequencer_once()

    later = events_after(cursor=seen[-1].position)

    assert [event.record.id for event in seen if event.record.kind == "issued"] == [early.record_id]
    assert [event.record.id for event in later] == [late.record_id]
    assert_one_sound_tree(superuser_connection)
