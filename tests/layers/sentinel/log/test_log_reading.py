from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from sentinel.entities import legal_entity
from sentinel.log.merkle import ProofRefused, verify_consistency, verify_inclusion
from sentinel.log.note import parse_checkpoint, parse_short
from sentinel.log.proofs import (
    NotSequencedYet,
    RecordNotFound,
    checkpoint_at,
    consistency_proof,
    inclusion_proof,
    latest_checkpoint,
    short_checkpoint,
)
from sentinel.log.reading import events_after, log_health, records_of, verify_record
from sentinel.log.records import append
from sentinel.log.sequencer import run_sequencer_once


@pytest.fixture(autouse=True)
def keys(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"


def add(count=1, **words):
    with connection.cursor() as cursor:
        return [
            append(cursor, kind="issued", body={"number": number}, **words)
            for number in range(count)
        ]


def sequence(*, limit=5000):
    while run_sequencer_once(limit=limit):
        pass


def alter(superuser_connection, sql, *parameters):
    with superuser_connection.transaction():
        superuser_connection.execute("SET LOCAL session_replication_role = replica")
        changed = superuser_connection.execute(sql, parameters).rowcount
    assert changed == 1


def test_empty_log_has_no_checkpoint(entity):
    assert latest_checkpoint() is None
    assert short_checkpoint() is None
    assert log_health().size == 0


def test_latest_checkpoint_is_the_newest_and_short_form_names_it(entity):
    add(3)
    sequence()
    add(2)
    sequence()

    latest = latest_checkpoint()

    assert latest.size == 6
    assert parse_checkpoint(latest.note) == latest.checkpoint
    assert parse_short(short_checkpoint()).names(latest.checkpoint)
    assert not latest.is_witnessed
    assert checkpoint_at(size=4).size == 4
    assert checkpoint_at(size=5) is None


def test_every_record_of_a_log_with_tiles_is_proved(entity):
    ids = add(700)
    sequence(limit=150)
    root = latest_checkpoint().checkpoint.root

    for record_id in ids:
        proof = inclusion_proof(record_id=record_id)
        verify_inclusion(proof.index, proof.size, proof.leaf, proof.hashes, root)


def test_consistency_is_proved_between_all_checkpoints(entity):
    add(700)
    sequence(limit=150)
    with connection.cursor() as cursor:
        cursor.execute("SELECT size, root FROM sentinel_checkpoint ORDER BY size")
        states = [(size, bytes(root)) for size, root in cursor.fetchall()]

    assert len(states) == 5
    for first, first_root in states:
        for second, second_root in states:
            if first <= second:
                proof = consistency_proof(first=first, second=second)
                verify_consistency(first, second, proof.hashes, first_root, second_root)


@pytest.mark.parametrize(("first", "second"), [(0, 3), (3, 2), (1, 5), (-1, 3)])
def test_consistency_of_impossible_sizes_is_refused(entity, first, second):
    add(3)
    sequence()

    with pytest.raises(ProofRefused):
        consistency_proof(first=first, second=second)


def test_record_that_waits_is_told_apart_from_one_that_does_not_exist(entity):
    (waiting,) = add()

    with pytest.raises(NotSequencedYet) as not_yet:
        inclusion_proof(record_id=waiting)
    assert not_yet.value.is_retryable
    with pytest.raises(RecordNotFound):
        inclusion_proof(record_id=uuid4())


def test_invariant_13_record_of_another_entity_does_not_exist(entity):
    (record_id,) = add()
    sequence()

    with legal_entity(entity="meridian-be"), pytest.raises(RecordNotFound):
        inclusion_proof(record_id=record_id)


def test_records_of_a_case_and_of_a_decision_come_in_order(entity):
    case, decision = uuid4(), uuid4()
    first = add(2, case_id=case)
    add(1, case_id=uuid4())
    sequence()
    second = add(1, case_id=case, decision_id=decision)

    assert [item.id for item in records_of(case_id=case)] == [*first, *second]
    assert [item.id for item in records_of(decision_id=decision)] == second
    assert [item.index for item in records_of(case_id=case)] == [0, 1, None]


def test_records_of_a_case_include_the_outcome_that_names_only_the_decision(entity):
    case, decision = uuid4(), uuid4()
    (issued,) = add(case_id=case, decision_id=decision)
    (outcome,) = add(decision_id=decision)
    sequence()

    assert [item.id for item in records_of(case_id=case)] == [issued, outcome]


@pytest.mark.parametrize("names", [{}, {"case_id": uuid4(), "decision_id": uuid4()}])
def test_records_of_needs_one_name(entity, names):
    with pytest.raises(ValueError, match="case or a decision"):
        records_of(**names)


def test_feed_is_read_in_pages_without_loss(entity):
    ids = add(25)
    sequence(limit=7)

    seen, cursor = [], ""
    while page := events_after(cursor=cursor, limit=4):
        seen += [event.record.id for event in page if event.record.kind == "issued"]
        cursor = page[-1].position

    assert seen == ids
    assert events_after(cursor=cursor) == ()


def test_health_tells_backlog_and_age(entity):
    add(3)
    before = log_health()
    sequence()
    after = log_health()

    assert (before.size, before.pending, before.last_checkpoint_at) == (0, 3, None)
    assert 0 <= before.lag_seconds < 60
    assert (after.size, after.pending, after.lag_seconds) == (4, 0, 0)
    assert after.last_checkpoint_at is not None
    assert after.last_witness_at is None


def test_untouched_record_is_proved_in_the_page(entity):
    (record_id,) = add()
    sequence()

    check = verify_record(record_id=record_id)

    assert check.is_verified
    assert check.proof.index == 0


@pytest.mark.django_db(transaction=True)
class TestAlteredBySuperuser:
    def test_body(self, entity, superuser_connection):
        (record_id,) = add()
        sequence()

        alter(
            superuser_connection,
            "UPDATE sentinel_record SET body = convert_to(replace(convert_from(body, 'UTF8'),"
            " '\"number\":0', '\"number\":9'), 'UTF8') WHERE id = %s",
            record_id,
        )

        check = verify_record(record_id=record_id)
        assert (check.is_body_intact, check.is_included, check.is_signed) == (False, True, True)
        assert not check.is_verified

    def test_time(self, entity, superuser_connection):
        (record_id,) = add()
        sequence()

        alter(
            superuser_connection,
            "UPDATE sentinel_record SET recorded_at = recorded_at - %s WHERE id = %s",
            timedelta(microseconds=1),
            record_id,
        )

        assert not verify_record(record_id=record_id).is_body_intact

    def test_leaf(self, entity, superuser_connection):
        (record_id,) = add()
        sequence()

        alter(
            superuser_connection,
            "UPDATE sentinel_leaf SET leaf = sha256('other') WHERE record_id = %s",
            record_id,
        )

        check = verify_record(record_id=record_id)
        assert (check.is_body_intact, check.is_included, check.is_signed) == (False, False, True)

    def test_checkpoint(self, entity, superuser_connection):
        (record_id,) = add()
        sequence()

        alter(
            superuser_connection,
            "UPDATE sentinel_checkpoint SET note ="
            " replace(note, encode(root, 'base64'), encode(sha256('other'), 'base64'))",
        )

        assert not verify_record(record_id=record_id).is_signed

    def test_key_record(self, entity, superuser_connection):
        (record_id,) = add()
        sequence()

        alter(
            superuser_connection,
            "UPDATE sentinel_record SET body = 'spoiled' WHERE kind = 'key'",
        )

        assert not verify_record(record_id=record_id).is_signed

    def test_removed_leaf_is_told_not_guessed(self, entity, superuser_connection):
        record_id, neighbour, *_ = add(2)
        sequence()

        alter(superuser_connection, "DELETE FROM sentinel_leaf WHERE record_id = %s", neighbour)

        with pytest.raises(ProofRefused):
            verify_record(record_id=record_id)
