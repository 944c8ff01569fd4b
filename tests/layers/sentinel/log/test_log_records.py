from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from sentinel.entities import EntityNotSet, legal_entity
from sentinel.log.records import LogRecord, append, append_statement
from sentinel.signing.canonical import NotCanonical, canonical_json
from tests.authority import count

TABLES = [
    "sentinel_record",
    "sentinel_pending",
    "sentinel_leaf",
    "sentinel_tree",
    "sentinel_node",
    "sentinel_checkpoint",
]


def stored(record_id: UUID) -> LogRecord:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, kind, decision_id, case_id, body, leaf, recorded_at"
            " FROM sentinel_record WHERE id = %s",
            [record_id],
        )
        row = cursor.fetchone()
    return LogRecord(*row[:4], bytes(row[4]), bytes(row[5]), row[6], None)


def test_record_keeps_its_words_and_its_columns_follow_from_its_body(entity):
    decision, case = uuid4(), uuid4()

    with connection.cursor() as cursor:
        record_id = append(
            cursor, kind="issued", body={"amount": "250.00"}, decision_id=decision, case_id=case
        )

    record = stored(record_id)
    assert (record.kind, record.decision_id, record.case_id) == ("issued", decision, case)
    assert record.content == {"amount": "250.00"}
    assert record.body == canonical_json(
        {
            "case_id": str(case),
            "content": {"amount": "250.00"},
            "decision_id": str(decision),
            "entity": entity,
            "id": str(record_id),
            "kind": "issued",
            "v": 1,
        }
    )


def test_leaf_made_by_the_database_is_the_one_python_computes(entity):
    with connection.cursor() as cursor:
        ids = [append(cursor, kind="issued", body={"n": n, "é": "日本"}) for n in range(50)]

    for record_id in ids:
        record = stored(record_id)
        assert record.leaf == record.computed_leaf()


def test_time_of_a_record_is_the_databases_own(entity):
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (before,) = cursor.fetchone()
        record = stored(append(cursor, kind="issued", body={}))
        cursor.execute("SELECT clock_timestamp()")
        (after,) = cursor.fetchone()

    assert before <= record.recorded_at <= after
    assert abs(after - datetime.now(UTC)) < timedelta(minutes=5)


def test_record_waits_for_the_sequencer_from_the_same_statement(entity):
    with connection.cursor() as cursor:
        append(cursor, kind="refused", body={})

    assert (count("sentinel_record"), count("sentinel_pending"), count("sentinel_leaf")) == (
        1,
        1,
        0,
    )


def test_caller_that_rolls_back_leaves_no_record(entity):
    def fail():
        with transaction.atomic(), connection.cursor() as cursor:
            append(cursor, kind="issued", body={})
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert (count("sentinel_record"), count("sentinel_pending")) == (0, 0)


def test_body_without_canonical_form_writes_nothing(entity):
    with connection.cursor() as cursor, pytest.raises(NotCanonical):
        append(cursor, kind="issued", body={"amount": 250.0})

    assert count("sentinel_record") == 0


def test_record_outside_any_legal_entity_is_refused(db):
    with connection.cursor() as cursor, pytest.raises(EntityNotSet):
        append(cursor, kind="issued", body={})


def test_record_of_another_legal_entity_is_refused_by_the_database(entity):
    with legal_entity(entity="meridian-be"):
        foreign = append_statement(kind="issued", body={})

    with (
        pytest.raises(DatabaseError, match="another legal entity"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(foreign.sql, foreign.parameters)
    assert count("sentinel_record") == 0


def test_invariant_13_log_of_one_entity_is_invisible_to_another(entity):
    with connection.cursor() as cursor:
        append(cursor, kind="issued", body={})

    with legal_entity(entity="meridian-be"):
        assert [count(table) for table in TABLES] == [0] * len(TABLES)
    assert count("sentinel_record") == 1


def test_second_genesis_is_refused(entity):
    with connection.cursor() as cursor:
        append(cursor, kind="genesis", body={})

    with pytest.raises(IntegrityError, match="sentinel_genesis_pkey"), transaction.atomic():
        append(connection.cursor(), kind="genesis", body={})
    assert count("sentinel_record") == 1


@pytest.mark.parametrize("kind", ["", "Issued", "a b", "x" * 41])
def test_kind_that_is_no_plain_word_is_refused(entity, kind):
    with pytest.raises(IntegrityError, match="sentinel_record_kind_check"), transaction.atomic():
        append(connection.cursor(), kind=kind, body={})

    assert (count("sentinel_record"), count("sentinel_pending")) == (0, 0)


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff", b'{"entity":"meridian-nl"}'])
def test_body_that_is_no_envelope_is_refused_by_the_database(entity, body):
    with pytest.raises(DatabaseError), transaction.atomic():
        connection.cursor().execute("SELECT sentinel_append(%s)", [body])

    assert (count("sentinel_record"), count("sentinel_pending")) == (0, 0)
