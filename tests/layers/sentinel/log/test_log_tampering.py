"""Every way to alter the log, and what the verifier says, with and without a checkpoint outside.

The log of each test: records 0-8 under one checkpoint (the key's own record is the ninth), 9-12,
13-16 and 17-20. The checkpoint held outside is the one of 13 records unless a test says otherwise.
"""

from uuid import uuid4

import pytest

from sentinel.signing.keys import Purpose, signer_for
from tests.layers.sentinel.log.evidence import ENTITY, Tamperer, Verdict, export, grow, held

pytestmark = pytest.mark.django_db(transaction=True)

UNTOUCHED_WITHOUT_CHECKPOINT = 3


class Log:
    """The log of a test, the checkpoint held outside, and the verifier to ask."""

    def __init__(self, tmp_path, capsys) -> None:
        self.path, self.capsys = tmp_path / "evidence.zip", capsys
        self.ids = grow(4)
        self.ids.append(None)  # the record of the signing key
        self.ids += grow(2)
        self.checkpoint = held()
        self.ids += grow(2)
        self.ids += grow(2)

    def verdict(self) -> Verdict:
        return Verdict(self.capsys, export(self.path), self.checkpoint)

    def verdict_without_checkpoint(self) -> Verdict:
        return Verdict(self.capsys, export(self.path), None)


@pytest.fixture(autouse=True)
def keys(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"


@pytest.fixture
def log(entity, tmp_path, capsys):
    return Log(tmp_path, capsys)


@pytest.fixture
def tamperer(superuser_connection):
    return Tamperer(superuser_connection)


def test_untouched_log_is_verified_as_far_as_the_checkpoint_reaches(log):
    verdict = log.verdict()

    assert (verdict.status, verdict.codes) == (0, [])
    assert "VERIFIED" in verdict.words
    assert "Not proved: the last 8 records" in verdict.words


def test_untouched_log_without_a_checkpoint_from_outside_is_the_weaker_result(log):
    verdict = log.verdict_without_checkpoint()

    assert (verdict.status, verdict.codes) == (UNTOUCHED_WITHOUT_CHECKPOINT, [])
    assert "weaker" in verdict.words


def test_edited_body_is_named(log, tamperer):
    tamperer.edit_body(log.ids[5])

    for verdict in (log.verdict(), log.verdict_without_checkpoint()):
        assert (verdict.status, verdict.codes) == (1, ["record_altered"])
        assert verdict.indexes("record_altered") == [5]
    assert f"record 5, executed, {log.ids[5]}" in log.verdict().words


def test_edited_body_with_its_leaf_is_narrowed_to_the_subtree_that_differs(log, tamperer):
    tamperer.edit_body(log.ids[10])
    tamperer.rewrite_leaf(log.ids[10])

    for verdict in (log.verdict(), log.verdict_without_checkpoint()):
        assert (verdict.status, verdict.codes) == (1, ["range_altered"])
        # 9 to 12 were sealed together; the signed subtrees 8-11 and 12 tell which half.
        assert verdict.indexes("range_altered") == [9, 10, 11]
    assert str(log.ids[10]) in log.verdict().words


def test_two_edits_in_different_ranges_are_both_found(log, tamperer):
    for index in (2, 14):
        tamperer.edit_body(log.ids[index])
        tamperer.rewrite_leaf(log.ids[index])

    verdict = log.verdict()

    assert verdict.codes == ["range_altered", "range_altered"]
    assert {2, 14} <= set(verdict.indexes("range_altered"))
    assert not set(range(8, 13)) & set(verdict.indexes("range_altered"))


def test_edited_time_is_named(log, tamperer):
    tamperer.run(
        "UPDATE sentinel_record SET recorded_at = recorded_at - interval '1 day' WHERE id = %s",
        log.ids[7],
    )

    assert log.verdict().indexes("record_altered") == [7]


def test_deleted_record_is_named(log, tamperer):
    tamperer.run("DELETE FROM sentinel_record WHERE id = %s", log.ids[6])

    verdict = log.verdict()

    assert (verdict.status, verdict.indexes("record_missing")) == (1, [6])
    assert str(log.ids[6]) in verdict.words


def test_record_deleted_with_its_leaf_is_found_by_its_number(log, tamperer):
    tamperer.run("DELETE FROM sentinel_record WHERE id = %s", log.ids[6])
    tamperer.run("DELETE FROM sentinel_leaf WHERE record_id = %s", log.ids[6])

    verdict = log.verdict()

    assert (verdict.status, verdict.indexes("leaf_missing")) == (1, [6])


def test_record_deleted_and_the_rest_renumbered_is_found(log, tamperer):
    tamperer.run("DELETE FROM sentinel_record WHERE id = %s", log.ids[6])
    tamperer.run("DELETE FROM sentinel_leaf WHERE record_id = %s", log.ids[6])
    tamperer.run("UPDATE sentinel_leaf SET idx = idx + 999 WHERE idx > 6")
    tamperer.run("UPDATE sentinel_leaf SET idx = idx - 1000 WHERE idx > 999")

    verdict = log.verdict()

    assert verdict.status == 1
    assert "range_altered" in verdict.codes
    assert min(verdict.indexes("range_altered")) <= 6


def test_swapped_records_are_named(log, tamperer):
    first, second = log.ids[3], log.ids[11]
    tamperer.run(
        "UPDATE sentinel_record a SET body = b.body, recorded_at = b.recorded_at"
        " FROM sentinel_record b WHERE (a.id, b.id) IN ((%s, %s), (%s, %s))",
        first,
        second,
        second,
        first,
    )

    verdict = log.verdict()

    assert (verdict.status, verdict.indexes("record_altered")) == (1, [3, 11])
    assert "but record 11" in verdict.words
    assert "but record 3" in verdict.words


def test_reordered_leaves_are_found(log, tamperer):
    tamperer.run("UPDATE sentinel_leaf SET idx = 1002 WHERE idx = 2")
    tamperer.run("UPDATE sentinel_leaf SET idx = 2 WHERE idx = 3")
    tamperer.run("UPDATE sentinel_leaf SET idx = 3 WHERE idx = 1002")

    verdict = log.verdict()

    assert (verdict.status, verdict.codes) == (1, ["range_altered"])
    assert {2, 3} <= set(verdict.indexes("range_altered"))


def test_record_inserted_beside_the_log_is_named(log, tamperer):
    inserted = uuid4()
    tamperer.run(
        "INSERT INTO sentinel_record SELECT %s, entity, kind, decision_id, case_id,"
        " convert_to(replace(convert_from(body, 'UTF8'), id::text, %s), 'UTF8'), leaf, recorded_at"
        " FROM sentinel_record WHERE id = %s",
        inserted,
        str(inserted),
        log.ids[3],
    )

    verdict = log.verdict()

    assert (verdict.status, verdict.codes) == (1, ["outside"])
    assert str(inserted) in verdict.words


def test_record_inserted_into_the_log_is_found(log, tamperer):
    tamperer.run("UPDATE sentinel_leaf SET idx = idx + 1000 WHERE idx > 6")
    tamperer.run("UPDATE sentinel_leaf SET idx = idx - 999 WHERE idx > 1000")
    tamperer.run(
        "INSERT INTO sentinel_leaf (entity, idx, record_id, leaf)"
        " VALUES ('meridian-nl', 7, gen_random_uuid(), sha256('x'))"
    )

    verdict = log.verdict()

    assert verdict.status == 1
    assert {"record_missing", "range_altered"} <= set(verdict.codes)
    assert verdict.indexes("record_missing") == [7]


def test_checkpoints_signed_by_another_key_are_refused(log, tamperer, tmp_path):
    stranger = signer_for(folder=tmp_path / "stranger", entity=ENTITY, purpose=Purpose.LOG)
    tamperer.resign(stranger)

    verdict = log.verdict()

    assert verdict.status == 1
    assert verdict.codes == ["checkpoint_altered"] * 4 + ["unsigned_tail"]


def test_edited_checkpoint_is_named(log, tamperer):
    tamperer.run(
        "UPDATE sentinel_checkpoint SET note = replace(note, encode(root, 'base64'),"
        " encode(sha256('x'), 'base64')) WHERE size = 17"
    )

    verdict = log.verdict()

    assert (verdict.status, verdict.codes) == (1, ["checkpoint_altered"])
    assert "checkpoint of 17 records" in verdict.words


def test_edited_subtrees_of_a_checkpoint_are_named(log, tamperer):
    tamperer.run("UPDATE sentinel_checkpoint SET frontier[1] = sha256('x') WHERE size = 17")

    verdict = log.verdict()

    assert (verdict.status, verdict.codes) == (1, ["frontier_altered"])


def test_tail_without_a_checkpoint_is_found(log, tamperer):
    tamperer.run("DELETE FROM sentinel_checkpoint WHERE size > 17")

    verdict = log.verdict()

    assert (verdict.status, verdict.codes) == (1, ["unsigned_tail"])
    assert verdict.indexes("unsigned_tail") == [17, 18, 19, 20]


def test_log_cut_to_an_earlier_checkpoint_is_found_only_from_outside(log, tamperer):
    tamperer.truncate(9)

    assert (log.verdict().status, log.verdict().codes) == (1, ["truncated"])
    assert log.verdict_without_checkpoint().status == UNTOUCHED_WITHOUT_CHECKPOINT


def test_insider_who_rewrites_and_signs_everything_is_found_only_from_outside(log, tamperer):
    tamperer.edit_body(log.ids[10])
    tamperer.rewrite_leaf(log.ids[10])
    tamperer.resign()

    assert (log.verdict().status, log.verdict().codes) == (1, ["another_history"])
    assert log.verdict_without_checkpoint().status == UNTOUCHED_WITHOUT_CHECKPOINT


def test_insider_who_rewrites_after_the_checkpoint_held_is_missed_and_the_report_says_so(
    log, tamperer
):
    tamperer.edit_body(log.ids[18])
    tamperer.rewrite_leaf(log.ids[18])
    tamperer.resign()

    verdict = log.verdict()

    assert verdict.status == 0
    assert "Not proved: the last 8 records" in verdict.words


def test_log_cut_exactly_at_the_checkpoint_held_is_missed_and_the_report_says_so(log, tamperer):
    tamperer.truncate(13)

    verdict = log.verdict()

    assert verdict.status == 0
    assert "Not proved: anything after the last record here" in verdict.words
