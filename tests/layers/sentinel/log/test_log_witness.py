import stat

import pytest
from django.db import connection

from sentinel.log.merkle import EMPTY, extend
from sentinel.log.note import Checkpoint, origin_of, parse_checkpoint, signed_note, verify_note
from sentinel.log.proofs import latest_checkpoint
from sentinel.log.reading import log_health, recorded_keys
from sentinel.log.records import append
from sentinel.log.sequencer import log_signer, run_sequencer_once
from sentinel.log.witness import WITNESS_NAME, WitnessRefused, memory_of, run_witness_once
from sentinel.signing.keys import Purpose, signer_for

ENTITY = "meridian-nl"


@pytest.fixture(autouse=True)
def places(settings, tmp_path):
    settings.KEYS_DIR = tmp_path / "keys"
    settings.FRONTLINE_WITNESS_DIR = tmp_path / "witness"


def grow(count):
    with connection.cursor() as cursor:
        for number in range(count):
            append(cursor, kind="issued", body={"number": number})
    run_sequencer_once()


def files():
    return sorted(memory_of(ENTITY).folder.iterdir())


def test_witness_cosigns_and_keeps_its_own_copy(entity):
    grow(3)

    assert run_witness_once() == 1

    latest = latest_checkpoint()
    witness = next(key for key in recorded_keys() if key.name == WITNESS_NAME)
    assert latest.is_witnessed
    assert verify_note(latest.note, (witness,)) == latest.checkpoint
    (file,) = files()
    assert file.name == "000000000000004.checkpoint"
    assert stat.S_IMODE(file.stat().st_mode) == 0o444
    assert file.read_text() == latest.note
    assert log_health().last_witness_size == 4


def test_witness_does_nothing_until_the_log_grows(entity):
    grow(3)
    run_witness_once()

    assert run_witness_once() == 0
    assert len(files()) == 1

    grow(1)
    assert run_witness_once() == 1
    assert [parse_checkpoint(file.read_text()).size for file in files()] == [4, 6]


def test_witness_that_died_before_its_file_was_written_does_both_again(entity):
    grow(3)
    run_witness_once()
    files()[0].unlink()

    assert run_witness_once() == 1
    assert [parse_checkpoint(file.read_text()).size for file in files()] == [4]


def test_empty_installation_has_nothing_to_witness(db):
    assert run_witness_once() == 0


def forge(superuser_connection, statement, *parameters):
    with superuser_connection.transaction():
        superuser_connection.execute("SET LOCAL session_replication_role = replica")
        superuser_connection.execute(statement, parameters)


def resign(superuser_connection, size):
    """Do what an insider with the log's own key can do: sign whatever the leaves are now."""
    leaves = superuser_connection.execute(
        "SELECT leaf FROM sentinel_leaf WHERE idx < %s ORDER BY idx", [size]
    ).fetchall()
    frontier, _ = extend(EMPTY, [leaf for (leaf,) in leaves])
    checkpoint = Checkpoint(origin_of(ENTITY), size, frontier.root())
    forge(superuser_connection, "DELETE FROM sentinel_checkpoint")
    forge(
        superuser_connection,
        "INSERT INTO sentinel_checkpoint (entity, size, root, frontier, note)"
        " VALUES (%s, %s, %s, %s, %s)",
        *(ENTITY, size, checkpoint.root, list(frontier.hashes)),
        signed_note(checkpoint, log_signer(ENTITY)),
    )


def assert_refused(remembered, reason):
    with pytest.raises(WitnessRefused, match=reason):
        run_witness_once()
    assert files() == remembered
    assert log_health().last_witness_size == 4


@pytest.mark.django_db(transaction=True)
class TestRewrittenLog:
    @pytest.fixture(autouse=True)
    def witnessed(self, entity):
        grow(3)
        run_witness_once()
        grow(2)
        self.remembered = files()

    def test_past_rewritten_and_signed_again_is_not_cosigned(self, superuser_connection):
        forge(superuser_connection, "UPDATE sentinel_leaf SET leaf = sha256('x') WHERE idx = 1")
        resign(superuser_connection, 7)

        assert_refused(self.remembered, "does not contain what was witnessed")

    def test_other_root_under_the_witnessed_size_is_not_cosigned(self, superuser_connection):
        forge(superuser_connection, "UPDATE sentinel_leaf SET leaf = sha256('x') WHERE idx = 1")
        resign(superuser_connection, 4)

        assert_refused(self.remembered, "does not contain what was witnessed")

    def test_log_cut_short_is_not_cosigned(self, superuser_connection):
        resign(superuser_connection, 3)

        assert_refused(self.remembered, "shorter than what was witnessed")

    def test_checkpoint_of_another_key_is_not_cosigned(self, superuser_connection, tmp_path):
        stranger = signer_for(folder=tmp_path / "other", entity=ENTITY, purpose=Purpose.LOG)
        note = signed_note(latest_checkpoint().checkpoint, stranger)
        forge(superuser_connection, "UPDATE sentinel_checkpoint SET note = %s WHERE size = 7", note)

        assert_refused(self.remembered, "no trusted key signed")

    def test_untouched_log_is_cosigned(self):
        assert run_witness_once() == 1
