import stat
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sentinel.signing.keys import (
    FileSigner,
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


# RFC 8032, section 7.1: secret key, public key, message, signature (tests 1, 2, 3 and SHA(abc)).
RFC_8032 = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032)
def test_signatures_are_those_of_rfc_8032(secret, public, message, signature):
    signer = FileSigner(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret)))
    said, signed = bytes.fromhex(message), bytes.fromhex(signature)

    assert signer.public_bytes.hex() == public
    assert signer.sign(said) == signed
    assert is_signature_valid(public_bytes=signer.public_bytes, signature=signed, message=said)
    assert not is_signature_valid(
        public_bytes=signer.public_bytes, signature=signed, message=said + b"\0"
    )
