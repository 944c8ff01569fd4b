import stat
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sentinel.signing.keys import (
    KeyRefused,
    Purpose,
    is_signature_valid,
    public_keys,
    require_sound_public_key,
    rotate,
    signer_for,
    thumbprint,
)

P = 2**255 - 19
ENTITY = "meridian-nl"


def test_first_use_makes_a_key_only_its_owner_can_read(tmp_path):
    signer = signer_for(folder=tmp_path, entity=ENTITY, purpose=Purpose.LOG)

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["1.pem"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(files[0].parent.stat().st_mode) == 0o700
    assert signer_for(folder=tmp_path, entity=ENTITY, purpose=Purpose.LOG).kid == signer.kid


def test_purposes_and_entities_have_their_own_keys(tmp_path):
    kids = {
        signer_for(folder=tmp_path, entity=entity, purpose=purpose).kid
        for entity in (ENTITY, "meridian-be")
        for purpose in Purpose
    }

    assert len(kids) == 8


def test_processes_that_ask_at_once_get_one_key(tmp_path):
    program = (
        "import sys; from pathlib import Path; from sentinel.signing.keys import *;"
        "sys.stdin.read(1);"
        f"print(signer_for(folder=Path({str(tmp_path)!r}), entity='x', purpose=Purpose.TOKEN).kid)"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]

    for racer in racers:
        assert racer.stdin
        racer.stdin.write("x")
        racer.stdin.flush()
    kids = {racer.communicate()[0] for racer in racers}

    assert len(kids) == 1
    assert all(racer.returncode == 0 for racer in racers)
    assert [path.name for path in tmp_path.rglob("*.*")] == ["1.pem"]


def test_rotation_signs_with_the_new_key_and_keeps_the_old_one_readable(tmp_path):
    old = signer_for(folder=tmp_path, entity=ENTITY, purpose=Purpose.LOG)

    new = rotate(folder=tmp_path, entity=ENTITY, purpose=Purpose.LOG)

    assert new.kid != old.kid
    assert signer_for(folder=tmp_path, entity=ENTITY, purpose=Purpose.LOG).kid == new.kid
    assert public_keys(folder=tmp_path, entity=ENTITY, purpose=Purpose.LOG) == {
        old.kid: old.public_bytes,
        new.kid: new.public_bytes,
    }


@pytest.mark.parametrize("entity", ["", "..", "a/b", "A", "x" * 64, "a\n"])
def test_entity_that_is_no_plain_name_makes_no_file(tmp_path, entity):
    with pytest.raises(KeyRefused):
        signer_for(folder=tmp_path, entity=entity, purpose=Purpose.LOG)

    assert list(tmp_path.iterdir()) == []


def test_file_that_is_no_key_is_refused_and_left_alone(tmp_path):
    place = tmp_path / ENTITY / "log"
    place.mkdir(parents=True)
    (place / "1.pem").write_text("not a key")

    with pytest.raises(KeyRefused):
        signer_for(folder=tmp_path, entity=ENTITY, purpose=Purpose.LOG)

    assert (place / "1.pem").read_text() == "not a key"


def test_thumbprint_is_that_of_rfc_8037_appendix_a3():
    public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")

    assert thumbprint(public) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


LOW_ORDER = [
    (0).to_bytes(32, "little"),
    (1).to_bytes(32, "little"),
    (P - 1).to_bytes(32, "little"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
]


@pytest.mark.parametrize("sign", [0, 0x80])
@pytest.mark.parametrize("encoding", LOW_ORDER)
def test_key_of_low_order_is_refused(encoding, sign):
    with pytest.raises(KeyRefused):
        require_sound_public_key(encoding[:31] + bytes([encoding[31] | sign]))


@pytest.mark.parametrize("y", [P, P + 1, P + 18, 2**255 - 1])
def test_key_that_is_not_canonical_is_refused(y):
    with pytest.raises(KeyRefused):
        require_sound_public_key(y.to_bytes(32, "little"))


def test_forged_signature_under_a_low_order_key_is_refused_though_the_library_takes_it():
    identity = (1).to_bytes(32, "little")
    forged = identity + bytes(32)

    assert not is_signature_valid(public_bytes=identity, signature=forged, message=b"anything")


def test_signature_is_accepted_and_every_altered_byte_is_not():
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    signature = private.sign(b"message")

    assert is_signature_valid(public_bytes=public, signature=signature, message=b"message")
    for position in range(len(signature)):
        altered = bytearray(signature)
        altered[position] ^= 1
        assert not is_signature_valid(
            public_bytes=public, signature=bytes(altered), message=b"message"
        )
