"""Sequencers killed at any moment, two at a time, lose nothing and number nothing twice."""

import os
import random
import subprocess
import sys
import textwrap
import time

import psycopg
import pytest

from sentinel.entities import legal_entity
from sentinel.log.merkle import EMPTY, extend
from sentinel.log.records import append_statement

KILLS = int(os.environ.get("FRONTLINE_CRASH_LOG", "12"))
RECORDS = 400 * KILLS
PROGRAM = textwrap.dedent(
    """
    import sys
    import django
    django.setup()
    from django.conf import settings
    settings.KEYS_DIR = sys.argv[1]
    from sentinel.log.sequencer import run_sequencer_once
    print("ready", flush=True)
    while run_sequencer_once(limit=20):
        pass
    """
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def sequencer(environment, keys):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(keys)], env=environment, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def state(superuser_connection):
    return superuser_connection.execute(
        "SELECT (SELECT count(*) FROM sentinel_pending), (SELECT count(*) FROM sentinel_leaf),"
        " (SELECT count(*) FROM sentinel_checkpoint)"
    ).fetchone()


def strike(running, chance, superuser_connection):
    """Kill one of two after a moment; return whether it still ran, None if both were done."""
    deadline = time.monotonic() + chance.uniform(0.0, 0.12)
    while time.monotonic() < deadline and None in {each.poll() for each in running}:
        state(superuser_connection)
    if {each.poll() for each in running} == {0}:
        return None
    # The other goes on, and may be waiting for the very row the dead one held.
    process = running.pop(chance.randrange(2))
    was_running = process.poll() is None
    process.kill()
    process.communicate(timeout=30)
    return was_running


def test_invariant_09_killed_sequencers_lose_nothing_and_repeat_nothing(
    entity, dsn, process_environment, superuser_connection, tmp_path
):
    with legal_entity(entity=entity), psycopg.connect(dsn) as session:
        session.execute("SET frontline.entity = 'meridian-nl'")
        with session.cursor() as cursor:
            statements = [append_statement(kind="issued", body={"n": n}) for n in range(RECORDS)]
            cursor.executemany(statements[0].sql, [item.parameters for item in statements])
    chance, kills = random.Random(9), 0

    running = []
    while kills < KILLS:
        while len(running) < 2:
            running.append(sequencer(process_environment, tmp_path / "keys"))
        struck = strike(running, chance, superuser_connection)
        if struck is None:
            break
        kills += struck
        pending, leaves, _ = state(superuser_connection)
        assert pending + leaves in {RECORDS, RECORDS + 1}
    for each in running:
        each.communicate(timeout=60)
    last = sequencer(process_environment, tmp_path / "keys")
    last.communicate(timeout=60)

    assert kills >= 3
    assert last.returncode == 0
    leaves = superuser_connection.execute(
        "SELECT idx, leaf, record_id FROM sentinel_leaf ORDER BY idx"
    ).fetchall()
    assert [index for index, _, _ in leaves] == list(range(RECORDS + 1))
    sequenced = {record_id for _, _, record_id in leaves}
    assert {item.record_id for item in statements} <= sequenced
    size, root = superuser_connection.execute(
        "SELECT size, root FROM sentinel_checkpoint ORDER BY size DESC LIMIT 1"
    ).fetchone()
    frontier, _ = extend(EMPTY, [leaf for _, leaf, _ in leaves])
    assert (size, root) == (RECORDS + 1, frontier.root())
    assert state(superuser_connection)[0] == 0
