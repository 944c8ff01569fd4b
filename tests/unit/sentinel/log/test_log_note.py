import base64
import hashlib
import re

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sentinel.log.note import (
    COSIGNATURE_V1,
    ED25519,
    Checkpoint,
    CheckpointRefused,
    VerificationKey,
    cosignature_line,
    origin_of,
    parse_checkpoint,
    parse_short,
    parse_vkey,
    signed_note,
    verify_note,
)
from sentinel.signing.keys import FileSigner, is_signature_valid

SIGNER = FileSigner(Ed25519PrivateKey.generate())
OTHER = FileSigner(Ed25519PrivateKey.generate())
ORIGIN = origin_of("meridian-nl")
CHECKPOINT = Checkpoint(ORIGIN, 1042, hashlib.sha256(b"root").digest())
KEY = VerificationKey(ORIGIN, ED25519, SIGNER.public_bytes)

# The example of the C2SP signed-note specification.
SPECIFIED_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"

SPECIFIED_SIGNATURE = (
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
)


def test_key_of_the_specification_is_read_and_written():
    key = parse_vkey(SPECIFIED_KEY)

    assert key.name == "example.com/foo"
    assert key.encoded() == SPECIFIED_KEY


@pytest.mark.parametrize(
    "text",
    [
        SPECIFIED_KEY.replace("530d903a", "530d903b"),
        SPECIFIED_KEY.replace("example.com/foo", "example.com/bar"),
        SPECIFIED_KEY[:-4],
        SPECIFIED_KEY.replace("+Aeky", "+Beky"),
        "",
        "name+00000000",
    ],
)
def test_key_whose_id_does_not_fit_is_refused(text):
    with pytest.raises(CheckpointRefused):
        parse_vkey(text)


def test_signature_line_of_the_specification_is_accepted_as_that_of_its_key():
    # The text is no checkpoint, so only the signature itself can be compared.
    raw = base64.b64decode(SPECIFIED_SIGNATURE)
    key = parse_vkey(SPECIFIED_KEY)

    assert raw[:4] == key.key_id()
    assert is_signature_valid(
        public_bytes=key.public_bytes, signature=raw[4:], message=b"This is an example message.\n"
    )


def test_signed_note_is_accepted_under_its_key():
    note = signed_note(CHECKPOINT, SIGNER)

    assert verify_note(note, (KEY,)) == CHECKPOINT
    assert note.startswith(f"{ORIGIN}\n1042\n")
    assert f"\n\n\u2014 {ORIGIN} " in note


def test_note_altered_in_any_character_is_refused():
    note = signed_note(CHECKPOINT, SIGNER)

    for position in range(len(note)):
        replacement = "A" if note[position] != "A" else "B"
        with pytest.raises(CheckpointRefused):
            verify_note(note[:position] + replacement + note[position + 1 :], (KEY,))


def test_note_signed_by_another_key_is_refused():
    note = signed_note(CHECKPOINT, OTHER)

    with pytest.raises(CheckpointRefused):
        verify_note(note, (KEY,))


def test_valid_signature_beside_an_invalid_one_of_a_trusted_key_is_refused():
    note = signed_note(CHECKPOINT, SIGNER)
    other_note = signed_note(Checkpoint(ORIGIN, 7, CHECKPOINT.root), SIGNER)
    wrong_line = other_note.split("\n\n")[1]

    with pytest.raises(CheckpointRefused):
        verify_note(note + wrong_line, (KEY,))


def test_unknown_cosigner_does_not_spoil_a_note():
    line = cosignature_line(CHECKPOINT, "witness.example/w", 1_800_000_000, OTHER)

    assert verify_note(signed_note(CHECKPOINT, SIGNER) + line, (KEY,)) == CHECKPOINT


def test_cosignature_binds_the_time_it_was_made():
    line = cosignature_line(CHECKPOINT, "witness.example/w", 1_800_000_000, OTHER)
    later = cosignature_line(CHECKPOINT, "witness.example/w", 1_800_000_001, OTHER)
    witness = VerificationKey("witness.example/w", COSIGNATURE_V1, OTHER.public_bytes)
    body = CHECKPOINT.body().decode()

    assert verify_note(f"{body}\n{line}", (witness,)) == CHECKPOINT
    assert line != later
    with pytest.raises(CheckpointRefused):
        verify_note(f"{body}\n{line[:-20]}{later[-20:]}", (witness,))


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text",
        "a\n1\n\n",
        f"{ORIGIN}\n01\n{'A' * 43}=\n\n\u2014 a AAAAAAAA\n",
        f"{ORIGIN}\n1\nAAAA\n\n\u2014 a AAAAAAAA\n",
        f"{ORIGIN}\n1\n{'A' * 43}=\nextension\n\n\u2014 a AAAAAAAA\n",
        f"{ORIGIN}\n1\n{'A' * 42}B=\n\n\u2014 a AAAAAAAA\n",
        f"{ORIGIN}\r\n1\n{'A' * 43}=\n\n\u2014 a AAAAAAAA\n",
    ],
)
def test_text_that_is_no_checkpoint_is_refused(note):
    with pytest.raises(CheckpointRefused):
        verify_note(note, (KEY,))


def test_what_an_untrusted_note_says_can_be_read_without_judging_it():
    assert parse_checkpoint(signed_note(CHECKPOINT, OTHER)) == CHECKPOINT


def test_short_checkpoint_is_read_back_from_any_hand():
    short = CHECKPOINT.short()

    assert re.fullmatch(r"1042(-[0-9A-Z]{5}){4}-[0-9A-Z]", short)
    for text in (short, short.lower(), f"  {short} ", short.replace("-", " ").replace(" ", "-", 1)):
        assert parse_short(text).names(CHECKPOINT)


def test_short_checkpoint_forgives_look_alikes():
    checkpoints = (Checkpoint(ORIGIN, size, CHECKPOINT.root) for size in range(1, 200))
    texts = [(found, found.short()) for found in checkpoints]
    found, text = next((c, t) for c, t in texts if "0" in t[4:] and "1" in t[4:])
    head, _, tail = text.partition("-")

    assert parse_short(f"{head}-{tail.replace('0', 'o').replace('1', 'l')}").names(found)


def test_short_checkpoint_names_no_other_size_root_or_origin():
    short = parse_short(CHECKPOINT.short())

    assert not short.names(Checkpoint(ORIGIN, 1043, CHECKPOINT.root))
    assert not short.names(Checkpoint(ORIGIN, 1042, hashlib.sha256(b"other").digest()))
    assert not short.names(Checkpoint(origin_of("meridian-be"), 1042, CHECKPOINT.root))


@given(st.integers(1, 10**9), st.binary(min_size=32, max_size=32), st.data())
def test_any_slip_of_one_character_is_told_as_a_slip(size, root, data):
    short = Checkpoint(ORIGIN, size, root).short()
    places = [place for place, character in enumerate(short) if character != "-"]
    place = data.draw(st.sampled_from(places))
    alphabet = "0123456789" if place < short.index("-") else "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    slip = data.draw(st.sampled_from([c for c in alphabet if c != short[place]]))

    with pytest.raises(CheckpointRefused):
        parse_short(short[:place] + slip + short[place + 1 :])


@given(st.integers(1, 10**9), st.binary(min_size=32, max_size=32), st.data())
def test_two_swapped_characters_are_told_as_a_slip(size, root, data):
    short = Checkpoint(ORIGIN, size, root).short()
    start = short.index("-") + 1
    places = [place for place in range(start, len(short)) if short[place] != "-"]
    first, second = data.draw(st.lists(st.sampled_from(places), min_size=2, max_size=2))
    swapped = list(short)
    swapped[first], swapped[second] = swapped[second], swapped[first]

    if "".join(swapped) != short:
        with pytest.raises(CheckpointRefused):
            parse_short("".join(swapped))


@pytest.mark.parametrize(
    "text", ["", "1042", "-ABCDE", "1042-ABC", "x-" + "A" * 21, "1-" + "U" * 21]
)
def test_text_of_another_shape_is_refused(text):
    with pytest.raises(CheckpointRefused):
        parse_short(text)
