"""Of two processes that tick, one works; when it is killed without a word, the other goes on."""

import os
import signal
import subprocess
import sys

import psycopg
import pytest

from deploy.home import SOURCE
from sentinel.entities import legal_entity
from sentinel.log.records import append_statement
from tests.banks import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
RECORDS = 200
HOLDER = """
SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND a.application_name LIKE 'ticker%'
AND l.objid = (hashtextextended('frontline.tick.sequencer', 0) & 4294967295)::bigint::oid
"""


@pytest.fixture
def tickers(process_environment):
    running = {}

    def start(name):
        running[name] = subprocess.Popen(
            [sys.executable, "manage.py", "tick"],
            cwd=SOURCE,
            env={**process_environment, "PGAPPNAME": name},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    yield running, start
    for each in running.values():
        each.kill()
        each.wait(30)


def append(dsn, entity):
    with legal_entity(entity=entity), psycopg.connect(dsn) as session:
        session.execute("SELECT set_config('frontline.entity', %s, false)", [entity])
        with session.cursor() as cursor:
            statements = [append_statement(kind="issued", body={"n": n}) for n in range(RECORDS)]
            cursor.executemany(statements[0].sql, [each.parameters for each in statements])
    return {each.record_id for each in statements}


def test_a_killed_leader_is_followed_by_the_other_and_no_record_is_lost_or_numbered_twice(
    entity, dsn, superuser_connection, tickers
):
    running, start = tickers

    def holder():
        row = superuser_connection.execute(HOLDER).fetchone()
        return row and row[0]

    def leaves():
        return superuser_connection.execute("SELECT record_id FROM sentinel_leaf").fetchall()

    start("ticker-1")
    assert wait_until(lambda: holder() == "ticker-1", 90)
    start("ticker-2")
    first = append(dsn, entity)
    assert wait_until(lambda: first <= {each for (each,) in leaves()}, 90)

    second = append(dsn, entity)
    os.kill(running["ticker-1"].pid, signal.SIGKILL)
    third = append(dsn, entity)

    assert wait_until(lambda: holder() == "ticker-2", 90)
    wanted = first | second | third
    assert wait_until(lambda: wanted <= {each for (each,) in leaves()}, 90)
    found = [each for (each,) in leaves()]
    assert len(found) == len(set(found))
    assert running["ticker-2"].poll() is None
    indexes = superuser_connection.execute("SELECT idx FROM sentinel_leaf ORDER BY idx").fetchall()
    assert [index for (index,) in indexes] == list(range(len(found)))
