import pytest
from django.conf import settings
from django.db import connection

from sentinel.entities import legal_entity
from sentinel.log.merkle import EMPTY, extend
from sentinel.log.note import ED25519, VerificationKey, origin_of, verify_note
from sentinel.log.records import append
from sentinel.log.sequencer import log_key, log_signer, run_sequencer_once
from sentinel.signing.keys import KeyRefused, Purpose, rotate

ENTITY = "meridian-nl"


@pytest.fixture(autouse=True)
def keys(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"


def add(count: int) -> None:
    with connection.cursor() as cursor:
        for number in range(count):
            append(cursor, kind="issued", body={"number": number})


def rows(sql: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def test_nothing_pending_does_nothing(entity):
    assert run_sequencer_once() == 0

    assert rows("SELECT * FROM sentinel_tree") == []
    assert rows("SELECT * FROM sentinel_checkpoint") == []


def test_records_become_numbered_leaves_under_a_signed_checkpoint(entity):
    add(5)

    sequenced = run_sequencer_once()

    leaves = [bytes(leaf) for (leaf,) in rows("SELECT leaf FROM sentinel_leaf ORDER BY idx")]
    notes = [note for (note,) in rows("SELECT note FROM sentinel_checkpoint")]
    frontier, _ = extend(EMPTY, leaves)
    assert sequenced == 6  # five, and the record of the key that signs
    assert rows("SELECT min(idx), max(idx), count(*) FROM sentinel_leaf") == [(0, 5, 6)]
    assert rows("SELECT count(*) FROM sentinel_pending") == [(0,)]
    assert len(notes) == 1
    checkpoint = verify_note(notes[0], (log_key(ENTITY, log_signer(ENTITY)),))
    assert (checkpoint.origin, checkpoint.size) == (origin_of(ENTITY), 6)
    assert checkpoint.root == frontier.root()


def test_every_leaf_is_the_leaf_of_its_record(entity):
    add(20)
    run_sequencer_once()

    assert rows(
        "SELECT count(*) FROM sentinel_leaf l JOIN sentinel_record r ON r.id = l.record_id"
        " WHERE l.leaf = r.leaf"
    ) == [(21,)]


def test_batches_of_any_size_grow_one_tree(entity):
    add(600)
    sizes = []
    while done := run_sequencer_once(limit=97):
        sizes.append(done)

    leaves = [bytes(leaf) for (leaf,) in rows("SELECT leaf FROM sentinel_leaf ORDER BY idx")]
    assert sum(sizes) == 601
    assert max(sizes) == 97
    for size, root, stored in rows(
        "SELECT size, root, frontier FROM sentinel_checkpoint ORDER BY size"
    ):
        frontier, _ = extend(EMPTY, leaves[:size])
        assert frontier.root() == bytes(root)
        assert list(frontier.hashes) == [bytes(item) for item in stored]
    assert rows("SELECT level, idx FROM sentinel_node ORDER BY 1, 2") == [(1, 0), (1, 1)]


def test_key_is_recorded_once_and_again_after_rotation(entity):
    add(1)
    run_sequencer_once()
    add(1)
    run_sequencer_once()
    rotate(folder=settings.KEYS_DIR, entity=ENTITY, purpose=Purpose.LOG)
    add(1)
    run_sequencer_once()

    assert rows("SELECT count(*) FROM sentinel_record WHERE kind = 'key'") == [(2,)]
    (note,) = rows("SELECT note FROM sentinel_checkpoint ORDER BY size DESC LIMIT 1")[0]
    newest = VerificationKey(origin_of(ENTITY), ED25519, log_signer(ENTITY).public_bytes)
    assert verify_note(note, (newest,)).size == 5


def test_each_legal_entity_has_its_own_log_and_key(entity):
    add(2)
    with legal_entity(entity="meridian-be"):
        add(3)

    assert run_sequencer_once() == 7

    assert rows("SELECT size FROM sentinel_tree") == [(3,)]
    with legal_entity(entity="meridian-be"):
        assert rows("SELECT size FROM sentinel_tree") == [(4,)]
    assert log_signer("meridian-be").kid != log_signer(ENTITY).kid


@pytest.mark.django_db(transaction=True)
def test_unreadable_key_leaves_every_record_pending(entity, tmp_path):
    add(2)
    place = tmp_path / "keys" / ENTITY / "log"
    place.mkdir(parents=True)
    (place / "1.pem").write_text("spoiled")

    with pytest.raises(KeyRefused):
        run_sequencer_once()

    assert rows("SELECT count(*) FROM sentinel_pending") == [(2,)]
    assert rows("SELECT count(*) FROM sentinel_leaf") == [(0,)]
