"""Passkeys: signatures a person makes with a device, each over exactly what it confirms.

W3C Web Authentication Level 3. The bytes the device signs are derived from the parameters' hash, so
that a signature for one amount and payee is worth nothing for another (2018/389, Art. 5). The
device must verify its user, which makes a passkey two factors in one.
"""

import hashlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_bytes
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import connection, transaction
from fido2.cose import ES256, CoseKey, EdDSA
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialParameters,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialType,
    PublicKeyCredentialUserEntity,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from sentinel.entities import current_entity
from sentinel.log.records import append
from sentinel.refusals import SentinelError
from sentinel.signing.canonical import domain_prefix
from sentinel.vocabulary import Principal

CHALLENGE_BYTES = 32
LABEL_LENGTH_MAX = 60
PASSKEYS_MAX = 10
_ALGORITHMS = (ES256.ALGORITHM, EdDSA.ALGORITHM)
_LOCAL = frozenset({"localhost"})
_BY_PERSON = """
SELECT credential_id, label, enrolled_at, used_at, attested, sign_count, rp_id
FROM sentinel_passkey WHERE principal_id = %s AND removed_at IS NULL ORDER BY enrolled_at
"""


class PasskeyRefused(SentinelError):
    """The passkey was not accepted: another site, another challenge, an unverified user, a copy."""

    code = "passkey_refused"
    is_retryable = True

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PasskeyUnknown(SentinelError):
    """The person has no such passkey."""

    code = "passkey_unknown"


@dataclass(frozen=True, slots=True)
class Passkey:
    """A device that may sign for a person; `id` is its credential id as base64url."""

    id: str
    label: str
    enrolled_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ceremony:
    """What a browser is asked to do: options as Web Authentication's JSON, and their challenge.

    Keep the challenge until the answer comes, where its owner cannot change it.
    """

    options: Mapping[str, object]
    challenge: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PasskeyAnswer:
    """What a browser returned for a passkey: Web Authentication's JSON, and from which site."""

    response: Mapping[str, object]
    origin: str


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature as anybody can check it later: over authenticator data and hashed client data."""

    credential_id: str
    public_key: bytes
    authenticator_data: bytes
    client_data: bytes
    signature: bytes

    def plain(self) -> dict[str, object]:
        """Return it as it stands in the log."""
        return {
            "authenticator_data": websafe_encode(self.authenticator_data),
            "client_data": websafe_encode(self.client_data),
            "credential": self.credential_id,
            "public_key": websafe_encode(self.public_key),
            "signature": websafe_encode(self.signature),
        }


@dataclass(frozen=True, slots=True)
class _Kept:
    """A passkey with what its signatures are checked by."""

    passkey: Passkey
    attested: AttestedCredentialData
    sign_count: int
    rp_id: str


def passkeys_of(*, principal_id: str) -> tuple[Passkey, ...]:
    """Return the passkeys of a person, oldest first."""
    return tuple(each.passkey for each in _kept(principal_id))


def begin_passkey(*, principal: Principal, name: str, origin: str) -> Ceremony:
    """Return what the browser needs to make a passkey for a person at this origin.

    Raises:
        PasskeyRefused: the origin can have no passkeys: not https and not localhost, or an address.
    """
    known = _kept(principal.id)
    if len(known) >= PASSKEYS_MAX:
        raise PasskeyRefused("too_many")
    # The handle names the person to their device; it must not be personal data (13.5.5).
    handle = hashlib.sha256(f"{current_entity()}|{principal.id}".encode()).digest()
    challenge = token_bytes(CHALLENGE_BYTES)
    options, _state = _server(origin).register_begin(
        PublicKeyCredentialUserEntity(id=handle, name=name, display_name=name),
        credentials=[each.attested for each in known],
        resident_key_requirement=ResidentKeyRequirement.PREFERRED,
        user_verification=UserVerificationRequirement.REQUIRED,
        challenge=challenge,
    )
    return Ceremony(dict(options.public_key), challenge)


def enrol_passkey(
    *,
    principal: Principal,
    challenge: bytes,
    response: Mapping[str, object],
    label: str,
    origin: str,
    at: datetime,
) -> Passkey:
    """Keep the passkey a browser made, and put its public key on record.

    Raises:
        PasskeyRefused: it answers another challenge, comes from another site, its user was not
            verified, its algorithm is none of ES256 and EdDSA, or somebody has it already.
    """
    server = _server(origin)
    try:
        made = server.register_complete(_state(challenge), response)
        attested = made.credential_data
        assert attested is not None
        spki = _public_key(attested.public_key)
    except _MALFORMED as error:
        raise PasskeyRefused("not_accepted") from error
    passkey = Passkey(
        websafe_encode(attested.credential_id),
        label.strip()[:LABEL_LENGTH_MAX] or "Passkey",
        at,
        None,
    )
    _keep(principal, _Kept(passkey, attested, made.counter, _rp_id(origin)), spki)
    return passkey


def remove_passkey(*, principal: Principal, passkey_id: str, at: datetime) -> None:
    """Let a passkey sign no more; what it signed stays verifiable.

    Raises:
        PasskeyUnknown: the person has no such passkey.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sentinel_passkey SET removed_at = %s"
            " WHERE credential_id = %s AND principal_id = %s AND removed_at IS NULL",
            [at, passkey_id, principal.id],
        )
        if not cursor.rowcount:
            raise PasskeyUnknown
        body = {
            "credential": passkey_id,
            "method": "passkey",
            "principal": principal.id,
            "result": "removed",
        }
        append(cursor, kind="factor", body=body)


def signing_challenge(what: str, about: UUID, said: str, params_hash: str) -> bytes:
    """Return the bytes a passkey signs for one answer about one set of parameters, 32 bytes."""
    text = f"{about}|{said}|{params_hash}".encode()
    return hashlib.sha256(domain_prefix(f"passkey-{what}") + text).digest()


def request_options(principal_id: str, challenge: bytes, origin: str) -> Mapping[str, object]:
    """Return what the browser needs to have a person's passkey sign a challenge.

    Raises:
        PasskeyUnknown: the person has none for this site.
        PasskeyRefused: the origin can have no passkeys.
    """
    usable = [each.attested for each in _kept(principal_id) if each.rp_id == _rp_id(origin)]
    if not usable:
        raise PasskeyUnknown
    options, _state = _server(origin).authenticate_begin(
        usable, user_verification=UserVerificationRequirement.REQUIRED, challenge=challenge
    )
    return dict(options.public_key)


def require_signature(
    principal_id: str,
    challenge: bytes,
    response: Mapping[str, object],
    origin: str,
    at: datetime,
) -> Signature:
    """Return the signature of a person's passkey over a challenge, in the caller's transaction.

    Raises:
        PasskeyUnknown: the person has no passkey.
        PasskeyRefused: it is over something else, by another key or site, its user was not
            verified, or its counter went back: the device was copied.
    """
    known = _kept(principal_id, is_locking=True)
    if not known:
        raise PasskeyUnknown
    try:
        answer = AuthenticationResponse.from_dict(response)
        used = _server(origin).authenticate_complete(
            _state(challenge), [each.attested for each in known], answer
        )
        said = answer.response.authenticator_data
    except _MALFORMED as error:
        raise PasskeyRefused("not_accepted") from error
    kept = next(each for each in known if each.attested.credential_id == used.credential_id)
    if said.counter <= kept.sign_count and (said.counter or kept.sign_count):
        raise PasskeyRefused("copied")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sentinel_passkey SET sign_count = %s, used_at = %s WHERE credential_id = %s",
            [said.counter, at, kept.passkey.id],
        )
    return Signature(
        kept.passkey.id,
        _public_key(kept.attested.public_key),
        bytes(said),
        bytes(answer.response.client_data),
        bytes(answer.response.signature),
    )


# What a malformed or foreign answer may raise out of the decoders; all of it is a refusal.
_MALFORMED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    UnsupportedAlgorithm,
    ValueError,
    struct.error,
)


def _keep(principal: Principal, kept: _Kept, spki: bytes) -> None:
    passkey = kept.passkey
    body = {
        "credential": passkey.id,
        "method": "passkey",
        "principal": principal.id,
        "public_key": websafe_encode(spki),
        "result": "enrolled",
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_passkey (credential_id, principal_id, label, attested,"
            " sign_count, rp_id, enrolled_at) VALUES (%s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [
                passkey.id,
                principal.id,
                passkey.label,
                bytes(kept.attested),
                kept.sign_count,
                kept.rp_id,
                passkey.enrolled_at,
            ],
        )
        if not cursor.rowcount:
            raise PasskeyRefused("known_already")
        append(cursor, kind="factor", body=body)


def _kept(principal_id: str, *, is_locking: bool = False) -> list[_Kept]:
    with connection.cursor() as cursor:
        cursor.execute(_BY_PERSON + (" FOR UPDATE" if is_locking else ""), [principal_id])
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
    return [
        _Kept(
            Passkey(credential_id, label, enrolled_at, used_at),
            AttestedCredentialData(bytes(attested)),
            sign_count,
            rp_id,
        )
        for credential_id, label, enrolled_at, used_at, attested, sign_count, rp_id in rows
    ]


def _server(origin: str) -> Fido2Server:
    server = Fido2Server(
        PublicKeyCredentialRpEntity(id=_rp_id(origin), name="Frontline"),
        verify_origin=lambda said: said == origin,
    )
    server.allowed_algorithms = [
        PublicKeyCredentialParameters(type=PublicKeyCredentialType.PUBLIC_KEY, alg=algorithm)
        for algorithm in _ALGORITHMS
    ]
    return server


def _rp_id(origin: str) -> str:
    """Return the site a passkey belongs to; Web Authentication knows names only (5.1.3)."""
    parts = urlsplit(origin)
    host = parts.hostname or ""
    is_name = bool(host) and not host.replace(".", "").isdigit() and ":" not in host
    if not is_name or not (parts.scheme == "https" or host in _LOCAL):
        raise PasskeyRefused("no_site")
    return host


def _state(challenge: bytes) -> dict[str, object]:
    return {
        "challenge": websafe_encode(challenge),
        "user_verification": UserVerificationRequirement.REQUIRED,
    }


def _public_key(key: CoseKey) -> bytes:
    """Return a key as SubjectPublicKeyInfo (RFC 5280), which any verifier can read."""
    algorithm = key.ALGORITHM
    if algorithm == ES256.ALGORITHM:
        x, y = (int.from_bytes(key[place], "big") for place in (-2, -3))
        made: Any = EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
    elif algorithm == EdDSA.ALGORITHM:
        made = Ed25519PublicKey.from_public_bytes(key[-2])
    else:
        raise ValueError(algorithm)
    return bytes(made.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
