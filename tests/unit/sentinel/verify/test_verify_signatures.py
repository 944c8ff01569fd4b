"""An approval counts as signed only by a passkey its approver had enrolled, and still had."""

import hashlib
import json
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fido2.utils import websafe_encode

from tests.unit.sentinel.verify.logs import checked, files

BOB, MALLORY = "employee:bob", "employee:mallory"
REQUEST, PARAMS_HASH = str(UUID(int=7)), "ab" * 32


class Device:
    """A passkey that signs whatever it is told to."""

    def __init__(self, credential):
        self.credential = credential
        self.key = ec.generate_private_key(ec.SECP256R1())
        spki = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.public_key = websafe_encode(spki)

    def enrolled(self, person):
        said = {"public_key": self.public_key, "result": "enrolled"}
        return factor(self.credential, person, **said)

    def removed(self, person):
        return factor(self.credential, person, result="removed")

    def approved(self, person, **changes):
        asked = f"{REQUEST}|approve|{PARAMS_HASH}".encode()
        challenge = hashlib.sha256(b"frontline/passkey-approval/v1\0" + asked).digest()
        client = json.dumps(
            {"type": "webauthn.get", "challenge": websafe_encode(challenge)}
        ).encode()
        data = bytes(32) + b"\x05" + bytes(4)
        over = data + hashlib.sha256(client).digest()
        signature = {
            "authenticator_data": websafe_encode(data),
            "client_data": websafe_encode(client),
            "credential": self.credential,
            "public_key": self.public_key,
            "signature": websafe_encode(self.key.sign(over, ec.ECDSA(hashes.SHA256()))),
        }
        content = {
            "approver": person,
            "params_hash": PARAMS_HASH,
            "request": REQUEST,
            "signature": signature | changes,
            "verdict": "approve",
        }
        return "approval", content


def factor(credential, person, **said):
    return "factor", {"credential": credential, "method": "passkey", "principal": person, **said}


DEVICE, OTHER = Device("one"), Device("two")
SAME_NAME = Device("one")
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
RSA_KEY = websafe_encode(RSA.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


@pytest.fixture
def verdict(tmp_path, capsys):
    def run(*records, scope="log"):
        contents, short = files(records, scope=scope)
        status, report, words = checked(capsys, tmp_path / "evidence.zip", contents, short)
        codes = [each["code"] for each in report["findings"]]
        return status, codes, report["signatures"], words

    return run


@pytest.mark.parametrize("scope", ["log", "case"])
def test_the_approver_s_own_passkey_counts(verdict, scope):
    status, codes, signed, words = verdict(DEVICE.enrolled(BOB), DEVICE.approved(BOB), scope=scope)

    assert (status, codes, signed) == (0, [], 1)
    assert "not checkable" not in words


@pytest.mark.parametrize(
    "records",
    [
        [DEVICE.approved(BOB)],
        [OTHER.enrolled(BOB), DEVICE.approved(BOB)],
        [DEVICE.enrolled(MALLORY), DEVICE.approved(BOB)],
        [OTHER.enrolled(BOB), DEVICE.enrolled(MALLORY), DEVICE.approved(BOB)],
        [DEVICE.approved(BOB), DEVICE.enrolled(BOB)],
        [DEVICE.enrolled(BOB), DEVICE.removed(BOB), DEVICE.approved(BOB)],
        [SAME_NAME.enrolled(BOB), DEVICE.approved(BOB)],
        [DEVICE.enrolled(BOB), SAME_NAME.approved(BOB, public_key=DEVICE.public_key)],
        [factor("one", BOB, public_key=RSA_KEY, result="enrolled"),
         DEVICE.approved(BOB, public_key=RSA_KEY)],
        [factor("one", BOB, public_key="", result="enrolled"), DEVICE.approved(BOB, public_key="")],
    ],
    ids=[
        "never enrolled", "another enrolled", "of somebody else", "of somebody else, own beside",
        "enrolled later", "removed", "another key of that name", "another key signed",
        "a key of another kind", "no key",
    ],
)  # fmt: skip
def test_no_other_passkey_signs_for_the_approver(verdict, records):
    status, codes, signed, _ = verdict(*records)

    assert (status, codes, signed) == (1, ["not_signed"], 0)


def test_what_was_signed_before_the_passkey_was_removed_still_counts(verdict):
    status, codes, signed, _ = verdict(
        DEVICE.enrolled(BOB), DEVICE.approved(BOB), DEVICE.removed(BOB)
    )

    assert (status, codes, signed) == (0, [], 1)


def test_somebody_else_removing_it_changes_nothing(verdict):
    records = [DEVICE.enrolled(BOB), DEVICE.removed(MALLORY), DEVICE.approved(BOB)]

    assert verdict(*records)[:3] == (0, [], 1)


def test_a_part_without_the_enrolment_says_it_cannot_tell(verdict):
    status, codes, signed, words = verdict(DEVICE.approved(BOB), scope="case")

    assert (status, codes, signed) == (0, [], 0)
    assert "1 not checkable: this part has no such passkey" in words
    assert "carry" not in words


def test_a_part_that_shows_it_is_somebody_else_s_is_wrong(verdict):
    records = [DEVICE.enrolled(MALLORY), DEVICE.approved(BOB)]

    assert verdict(*records, scope="case")[:3] == (1, ["not_signed"], 0)
