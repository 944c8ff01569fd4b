"""A witness outside cosigns a log that grows, and nothing else (C2SP tlog-witness)."""

import base64
import hashlib
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.witness import Refusal, Witness, open_witness, put_aside, roots, vkey_in
from sentinel.log.merkle import EMPTY, complete_subtrees, consistency_ranges, extend, fold
from sentinel.log.note import (
    ED25519,
    Checkpoint,
    VerificationKey,
    parse_vkey,
    signed_note,
    verify_note,
)
from sentinel.signing.keys import FileSigner

ORIGIN = "frontline.example/log/meridian-nl"
SIGNER = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STRANGER = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33))))
VKEY = VerificationKey(ORIGIN, ED25519, SIGNER.public_bytes).encoded()
SECONDS = 1_800_000_000


def leaves(count, salt=b""):
    return [hashlib.sha256(b"\0" + salt + b"%d" % number).digest() for number in range(count)]


def range_hash(hashes, start, end):
    parts = complete_subtrees(start, end)
    return fold([extend(EMPTY, hashes[a : a + (1 << h)])[0].root() for a, h in parts])


def request(old, size, *, salt=b"", signer=SIGNER, origin=ORIGIN, proof=None):
    hashes = leaves(size, salt)
    root = extend(EMPTY, hashes)[0].root()
    note = signed_note(Checkpoint(origin, size, root), signer)
    if proof is None:
        ranges = consistency_ranges(old, size) if 0 < old <= size else []
        proof = [range_hash(hashes, *each) for each in ranges]
    lines = [f"old {old}", *(base64.b64encode(each).decode() for each in proof), "", note]
    return "\n".join(lines).encode()


@pytest.fixture
def witness(tmp_path) -> Witness:
    return open_witness(name="witness.example/w1", storage=tmp_path / "witness", vkeys=[VKEY])


def files(witness):
    return sorted(path.name for path in witness.storage.glob("cosigned/*/*"))


def refused(witness, body):
    before = files(witness)
    with pytest.raises(Refusal) as refusal:
        witness.add_checkpoint(body, SECONDS)
    assert files(witness) == before
    return refusal.value.status


def test_a_log_that_grows_is_cosigned_and_remembered(witness):
    key = parse_vkey(witness.vkey())

    for old, size in ((0, 3), (3, 8), (8, 9), (9, 21)):
        body = request(old, size)
        line = witness.add_checkpoint(body, SECONDS)
        note = body.decode().partition("\n\n")[2]
        assert verify_note(note + line, (key,)).size == size

    assert files(witness) == [f"{size:015d}.checkpoint" for size in (3, 8, 9, 21)]
    (kept,) = witness.storage.glob("cosigned/*/*21.checkpoint")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o444
    assert kept.read_text() == note


def test_the_same_checkpoint_is_cosigned_again_and_kept_once(witness):
    witness.add_checkpoint(request(0, 3), SECONDS)

    assert witness.add_checkpoint(request(3, 3, proof=[]), SECONDS + 60)
    assert len(files(witness)) == 1


def test_a_checkpoint_from_elsewhere_says_how_far_the_witness_is(witness):
    witness.add_checkpoint(request(0, 8), SECONDS)

    for old in (0, 3, 9):
        with pytest.raises(Refusal) as refusal:
            witness.add_checkpoint(request(old, 12), SECONDS)
        said = refusal.value
        assert (said.status, said.text, said.media) == (409, "8\n", "text/x.tlog.size")


def test_another_root_at_the_same_size_is_a_conflict(witness):
    witness.add_checkpoint(request(0, 8), SECONDS)

    assert refused(witness, request(8, 8, salt=b"x", proof=[])) == 409


def test_a_rewritten_log_is_not_cosigned(witness):
    witness.add_checkpoint(request(0, 5), SECONDS)

    assert refused(witness, request(5, 9, salt=b"x")) == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (request(0, 3, origin="frontline.example/log/other"), 404),
        (request(0, 3, signer=STRANGER), 403),
        (request(9, 3), 400),
        (request(0, 3, proof=[bytes(32)]), 422),
        (request(0, 3).replace(b"old 0", b"old 00"), 400),
        (request(0, 3).replace(b"old 0", b"old -0"), 400),
        (request(0, 3).replace(b"old 0", b"new 0"), 400),
        (request(0, 3, proof=[bytes(31)]), 400),
        (request(0, 3, proof=[bytes(32)] * 64), 400),
        (request(0, 3)[:-1], 400),
        (request(0, 3).replace(b"\n3\n", b"\n03\n"), 400),
        (request(0, 3).replace(b"\n3\n", b"\n4\n"), 403),
        (b"\xff\xfe", 400),
        (b"", 400),
    ],
)
def test_what_is_no_sound_request_is_refused_and_changes_nothing(witness, body, status):
    assert refused(witness, body) == status


def test_a_checkpoint_of_nothing_is_refused_and_the_log_goes_on(witness):
    assert refused(witness, request(0, 0)) == 400

    assert witness.add_checkpoint(request(0, 1), SECONDS)
    assert witness.add_checkpoint(request(1, 2), SECONDS)


def test_a_checkpoint_of_nothing_that_was_kept_once_counts_as_none(witness):
    folder = witness.storage / "cosigned" / hashlib.sha256(ORIGIN.encode()).hexdigest()[:32]
    folder.mkdir(parents=True)
    note = request(0, 0).decode().partition("\n\n")[2]
    (folder / f"{0:015d}.checkpoint").write_text(note)

    assert witness.add_checkpoint(request(0, 1), SECONDS)
    assert witness.add_checkpoint(request(1, 2), SECONDS)


def test_one_log_does_not_hold_up_another(tmp_path):
    other = "frontline.example/log/meridian-be"
    vkeys = [VKEY, VerificationKey(other, ED25519, SIGNER.public_bytes).encoded()]
    witness = open_witness(name="witness.example/w1", storage=tmp_path / "witness", vkeys=vkeys)

    with witness.locks[other]:
        assert witness.add_checkpoint(request(0, 3), SECONDS)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 1), (0, 7), (-1, 3), (3, 3), (4, 3)])
def test_there_is_no_way_from_nothing_or_back(first, second):
    assert roots(first, second, bytes(32), [bytes(32)]) is None


def test_a_witness_that_begins_again_remembers(witness, tmp_path):
    witness.add_checkpoint(request(0, 5), SECONDS)

    again = Witness(witness.name, witness.storage, witness.logs, witness.key)

    assert refused(again, request(0, 9)) == 409
    assert again.add_checkpoint(request(5, 9), SECONDS)


@pytest.mark.parametrize("vkey", ["", "name", VKEY[:-4], VKEY.replace("meridian-nl", "other")])
def test_a_key_that_does_not_fit_is_refused_at_the_start(tmp_path, vkey):
    with pytest.raises(ValueError, match="is no key of a log"):
        open_witness(name="w", storage=tmp_path / "witness", vkeys=[vkey])


@given(st.integers(1, 60), st.integers(1, 60))
def test_its_own_arithmetic_agrees_with_the_log(first, more):
    hashes = leaves(first + more)
    before, after = range_hash(hashes, 0, first), range_hash(hashes, 0, first + more)
    proof = [range_hash(hashes, *each) for each in consistency_ranges(first, first + more)]

    assert roots(first, first + more, before, proof) == (before, after)
    assert roots(first, first + more, before, [*proof, bytes(32)]) != (before, after)
    assert roots(first, first + more, before, proof[:-1]) != (before, after)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_changed_byte_of_a_request_is_cosigned(witness, data):
    body = bytearray(request(0, 3))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))

    with pytest.raises(Refusal):
        witness.add_checkpoint(bytes(body), SECONDS)
    assert files(witness) == []


def test_a_history_put_aside_is_kept_and_another_begins(witness):
    witness.add_checkpoint(request(0, 5), SECONDS)
    refused(witness, request(0, 3, salt=b"other"))

    aside = put_aside(witness.storage, ORIGIN, SECONDS)

    assert witness.add_checkpoint(request(0, 3, salt=b"other"), SECONDS)
    assert [each.name for each in aside.iterdir()] == ["000000000000005.checkpoint"]
    assert put_aside(witness.storage, "another.example/log", SECONDS) is None


def test_the_key_of_a_witness_is_known_before_it_runs(tmp_path):
    told = vkey_in(tmp_path / "apart")

    ran = open_witness(
        name="frontline.example/witness/outside", storage=tmp_path / "apart", vkeys=[]
    )

    assert ran.vkey() == told == vkey_in(tmp_path / "apart")
