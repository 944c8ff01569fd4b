import psycopg
import pytest
from django.db import connection

from sentinel.log.records import append
from sentinel.log.sequencer import run_sequencer_once

WRITTEN_BY_FUNCTIONS = [
    "sentinel_record",
    "sentinel_leaf",
    "sentinel_node",
    "sentinel_checkpoint",
    "sentinel_pending",
    "sentinel_tree",
]
APPEND_ONLY = ["sentinel_record", "sentinel_leaf", "sentinel_checkpoint"]
COLUMNS = {
    "sentinel_record": "body = ''",
    "sentinel_leaf": "leaf = sha256('')",
    "sentinel_checkpoint": "note = ''",
    "sentinel_node": "hash = sha256('')",
    "sentinel_pending": "leaf = ''",
    "sentinel_tree": "size = 0",
    "sentinel_cosignature": "line = ''",
}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def log(entity):
    with connection.cursor() as cursor:
        append(cursor, kind="genesis", body={})
        append(cursor, kind="issued", body={"amount": "250.00"})
    run_sequencer_once()
    with connection.cursor() as cursor:
        append(cursor, kind="executed", body={})
        cursor.execute(
            "INSERT INTO sentinel_cosignature (size, witness, line) VALUES (3, 'w', 'line')"
        )


def contents(superuser_connection):
    return [
        superuser_connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        for table in COLUMNS
    ]


def refusal(run, statement):
    with pytest.raises(psycopg.Error) as refused:
        run(statement)
    return refused.value.sqlstate


@pytest.mark.parametrize("table", COLUMNS)
@pytest.mark.parametrize("verb", ["UPDATE {0} SET {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_application_may_not_change_the_log(log, dsn, superuser_connection, table, verb):
    before = contents(superuser_connection)

    with psycopg.connect(dsn, autocommit=True) as app:
        app.execute("SET frontline.entity = 'meridian-nl'")
        state = refusal(app.execute, verb.format(table, COLUMNS[table]))

    assert state == "42501"
    assert contents(superuser_connection) == before


@pytest.mark.parametrize("table", WRITTEN_BY_FUNCTIONS)
def test_application_may_not_insert_what_only_functions_write(
    log, dsn, superuser_connection, table
):
    before = contents(superuser_connection)

    with psycopg.connect(dsn, autocommit=True) as app:
        app.execute("SET frontline.entity = 'meridian-nl'")
        state = refusal(app.execute, f"INSERT INTO {table} DEFAULT VALUES")

    assert state == "42501"
    assert contents(superuser_connection) == before


@pytest.mark.parametrize("table", [*APPEND_ONLY, "sentinel_cosignature"])
@pytest.mark.parametrize("verb", ["UPDATE {0} SET {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_owner_may_not_change_the_log_either(
    log, owner_connection, superuser_connection, table, verb
):
    before = contents(superuser_connection)
    owner_connection.execute("SET frontline.entity = 'meridian-nl'")

    state = refusal(owner_connection.execute, verb.format(table, COLUMNS[table]))

    assert state == "FL001"
    assert contents(superuser_connection) == before


def test_leaves_numbered_without_a_checkpoint_cannot_be_committed(log, dsn, superuser_connection):
    before = contents(superuser_connection)

    with psycopg.connect(dsn) as app:
        app.execute("SET frontline.entity = 'meridian-nl'")
        app.execute("SELECT sentinel_drain(10)")
        assert refusal(app.execute, "COMMIT") == "FL003"

    assert contents(superuser_connection) == before


@pytest.mark.parametrize(
    "seal",
    [
        # A checkpoint without new leaves, one of another size, one of another root.
        "SELECT sentinel_seal(sha256('a'), ARRAY[sha256('a')], 'note', '{}', '{}', '{}')",
        """SELECT sentinel_drain(10), sentinel_seal(sha256('a'), ARRAY[sha256('a')],
           E'frontline.example/log/meridian-nl\n4\n' || encode(sha256('b'), 'base64') || E'\n\nx',
           '{}', '{}', '{}')""",
        """SELECT sentinel_drain(10), sentinel_seal(sha256('a'), ARRAY[sha256('a')],
           E'frontline.example/log/meridian-nl\n9\n' || encode(sha256('a'), 'base64') || E'\n\nx',
           '{}', '{}', '{}')""",
        """SELECT sentinel_drain(10), sentinel_seal(sha256('a'), ARRAY[sha256('a'), sha256('b')],
           E'frontline.example/log/meridian-nl\n4\n' || encode(sha256('a'), 'base64') || E'\n\nx',
           '{}', '{}', '{}')""",
    ],
)
def test_checkpoint_that_does_not_follow_from_the_tree_is_refused(
    log, dsn, superuser_connection, seal
):
    before = contents(superuser_connection)

    with psycopg.connect(dsn, autocommit=True) as app:
        app.execute("SET frontline.entity = 'meridian-nl'")
        assert refusal(app.execute, seal) == "FL003"

    assert contents(superuser_connection) == before
