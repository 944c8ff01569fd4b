"""A passkey in software: makes and signs as a device would, and can be made to misbehave."""

import hashlib
import json
import struct
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from secrets import token_bytes

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connection
from fido2 import cbor
from fido2.utils import websafe_decode, websafe_encode

from sentinel.public import (
    PasskeyAnswer,
    approval_options,
    approve,
    begin_passkey,
    enrol_passkey,
)
from tests.authority import now

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
ORIGIN = "https://bank.example"


@dataclass
class Authenticator:
    """One device with one key, at one site."""

    origin: str = ORIGIN
    flags: int = PRESENT | VERIFIED
    counter: int = 0
    credential_id: bytes = field(default_factory=lambda: token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def register(self, options):
        """Answer `navigator.credentials.create`."""
        data = self._data(options["rp"]["id"], ATTESTED) + self._attested()
        attestation = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        said = self._said("webauthn.create", options["challenge"])
        return self._answer(
            {
                "clientDataJSON": websafe_encode(said),
                "attestationObject": websafe_encode(attestation),
            }
        )

    def sign(self, options):
        """Answer `navigator.credentials.get`."""
        self.counter += 1
        data = self._data(options["rpId"], 0)
        said = self._said("webauthn.get", options["challenge"])
        signature = self.key.sign(data + hashlib.sha256(said).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": websafe_encode(said),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
                "userHandle": None,
            }
        )

    def _answer(self, response):
        name = websafe_encode(self.credential_id)
        return {
            "id": name,
            "rawId": name,
            "type": "public-key",
            "authenticatorAttachment": "platform",
            "clientExtensionResults": {},
            "response": response,
        }

    def _said(self, kind, challenge):
        return json.dumps(
            {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        ).encode()

    def _data(self, rp_id, more):
        site = hashlib.sha256(rp_id.encode()).digest()
        return site + struct.pack(">BI", self.flags | more, self.counter)

    def _attested(self):
        numbers = self.key.public_key().public_numbers()
        cose = {
            1: 2,
            3: -7,
            -1: 1,
            -2: numbers.x.to_bytes(32, "big"),
            -3: numbers.y.to_bytes(32, "big"),
        }
        length = struct.pack(">H", len(self.credential_id))
        return bytes(16) + length + self.credential_id + cbor.encode(cose)


def challenge_in(options):
    """The bytes that options ask to sign."""
    return websafe_decode(options["challenge"])


def enrolled(principal, device=None, origin=ORIGIN):
    device = device or Authenticator(origin)
    ceremony = begin_passkey(principal=principal, name="anna", origin=origin)
    enrol_passkey(
        principal=principal,
        challenge=ceremony.challenge,
        response=device.register(ceremony.options),
        label="Laptop",
        origin=origin,
        at=now(),
    )
    return device


def signed_approval(decision, approver, device, verdict="approve", params_hash=None):
    options = approval_options(
        principal_id=approver.id,
        request_id=decision.approval_request_id,
        params_hash=params_hash or decision.params_hash,
        origin=ORIGIN,
    )
    return approve(
        request_id=decision.approval_request_id,
        approver=approver,
        verdict=verdict,
        comment="Looked at it",
        params_hash=decision.params_hash,
        at=now(),
        passkey=PasskeyAnswer(device.sign(options), ORIGIN),
    )


def contents(kind):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT body FROM sentinel_record WHERE kind = %s ORDER BY recorded_at", [kind]
        )
        return [json.loads(bytes(body))["content"] for (body,) in cursor.fetchall()]


def raw(text):
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
