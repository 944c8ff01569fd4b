import psycopg
import pytest
from django.db import connection

from sentinel.log.proofs import latest_checkpoint
from sentinel.log.records import append
from sentinel.log.sequencer import run_sequencer_once

WRITTEN_BY_FUNCTIONS = [
    "sentinel_record",
    "sentinel_leaf",
    "sentinel_node",
    "sentinel_checkpoint",
    "sentinel_pending",
    "sentinel_tree",
    "sentinel_cosignature",
]
APPEND_ONLY = [
    "sentinel_record",
    "sentinel_leaf",
    "sentinel_checkpoint",
    "sentinel_cosignature",
]
LINE = "\u2014 w " + "A" * 102 + "==\n"
CHANGES = ["UPDATE {0} SET {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"]
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
        cursor.execute("SELECT sentinel_cosign(3, 'w', %s)", [LINE])


def contents(superuser_connection):
    return [
        superuser_connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
        for table in COLUMNS
    ]


def refusal(run, statement):
    with pytest.raises(psycopg.Error) as refused:
        run(statement)
    return refused.value.sqlstate


def refusals(session, tables, verbs):
    """Try every verb on every table; return the SQL states, one for each that was refused."""
    return {
        (table, verb): refusal(session.execute, verb.format(table, COLUMNS[table]))
        for table in tables
        for verb in verbs
    }


def test_application_may_not_change_the_log(log, dsn, superuser_connection):
    before = contents(superuser_connection)

    with psycopg.connect(dsn, autocommit=True) as app:
        app.execute("SET frontline.entity = 'meridian-nl'")
        states = refusals(app, COLUMNS, CHANGES)

    assert set(states.values()) == {"42501"}
    assert len(states) == 21
    assert contents(superuser_connection) == before


def test_application_may_not_insert_what_only_functions_write(log, dsn, superuser_connection):
    before = contents(superuser_connection)

    with psycopg.connect(dsn, autocommit=True) as app:
        app.execute("SET frontline.entity = 'meridian-nl'")
        states = refusals(app, WRITTEN_BY_FUNCTIONS, ["INSERT INTO {0} DEFAULT VALUES"])

    assert set(states.values()) == {"42501"}
    assert len(states) == 7
    assert contents(superuser_connection) == before


@pytest.mark.parametrize(
    ("size", "witness", "line"),
    [
        (3, "v", "line"),
        (3, "v", LINE),
        (3, "w w", LINE),
        (3, "v", LINE.replace(" w ", " v ") + "more"),
        (3, "v", LINE.replace(" w ", " v ").removesuffix("\n")),
        (3, "v", LINE.replace(" w ", " v ") * 2),
        (3, "v", "\u2014 v AAAA\n"),
        (4, "w", LINE),
    ],
)
def test_what_is_no_cosignature_of_a_checkpoint_is_not_kept(log, dsn, size, witness, line):
    with psycopg.connect(dsn, autocommit=True) as app:
        app.execute("SET frontline.entity = 'meridian-nl'")
        with pytest.raises(psycopg.Error) as refused:
            app.execute("SELECT sentinel_cosign(%s, %s, %s)", [size, witness, line])
        kept = app.execute("SELECT witness FROM sentinel_cosignature").fetchall()

    assert (refused.value.sqlstate, kept) == ("FL018", [("w",)])


def test_a_line_in_the_form_of_a_cosignature_witnesses_nothing(log):
    latest = latest_checkpoint()

    assert (latest.size, latest.is_witnessed, LINE in latest.note) == (3, False, False)


def test_owner_may_not_change_the_log_either(log, owner_connection, superuser_connection):
    before = contents(superuser_connection)
    owner_connection.execute("SET frontline.entity = 'meridian-nl'")

    states = refusals(owner_connection, APPEND_ONLY, CHANGES)

    assert set(states.values()) == {"FL001"}
    assert len(states) == 12
    assert contents(superuser_connection) == before


def test_leaves_numbered_without_a_checkpoint_cannot_be_committed(log, dsn, superuser_connection):
    before = contents(superuser_connection)

    with psycopg.connect(dsn) as app:
        app.execute("SET frontline.entity = 'meridian-nl'")
        app.execute("SELECT sentinel_drain(10)")
        assert refusal(app.execute, "COMMIT") == "FL003"

    assert contents(superuser_connection) == before


FORGED_SEALS = [
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
]


def test_checkpoint_that_does_not_follow_from_the_tree_is_refused(log, dsn, superuser_connection):
    before = contents(superuser_connection)

    with psycopg.connect(dsn, autocommit=True) as app:
        app.execute("SET frontline.entity = 'meridian-nl'")
        states = [refusal(app.execute, seal) for seal in FORGED_SEALS]

    assert states == ["FL003"] * 4
    assert contents(superuser_connection) == before
