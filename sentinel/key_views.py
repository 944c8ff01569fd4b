"""The public keys a legal entity signs with, for whoever checks its tokens, log and policies."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from sentinel.compromise.revoked import revoked_kids
from sentinel.entities import current_entity
from sentinel.log.note import COSIGNATURE_V1, ED25519, VerificationKey, origin_of
from sentinel.log.witness import WITNESS_NAME
from sentinel.signing import keys
from sentinel.signing.keys import KeyFile, Purpose
from sentinel.signing.token_keys import KeyState, states_of, token_keys
from sentinel.tokens import ALGORITHM


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key. `verification_key` is its C2SP form, `kid` its RFC 7638 thumbprint.

    What a key `counts` for or has `retired` from is decision tokens; a key of another purpose
    that does not sign any more counts for good.
    """

    purpose: str
    kid: str
    public_bytes: bytes
    verification_key: str
    state: KeyState
    signs_from: datetime


def public_keys() -> tuple[PublicKey, ...]:
    """Return every public key of the current legal entity, by purpose, oldest first."""
    entity, folder = current_entity(), Path(settings.KEYS_DIR)
    found: list[PublicKey] = []
    for purpose in (Purpose.LOG, Purpose.TOKEN, Purpose.POLICY, Purpose.WITNESS):
        if purpose is Purpose.TOKEN:
            states = token_keys(entity)
        else:
            states = states_of(keys.key_files(folder=folder, entity=entity, purpose=purpose))
        found += [_shown(entity, purpose, each.file, each.state) for each in states]
    return tuple(found)


def json_web_keys() -> dict[str, list[dict[str, str]]]:
    """Return the JWK Set (RFC 7517, RFC 8037) by which decision tokens are checked outside.

    It holds the key that signs, those whose tokens can still be out, and the one that signs next;
    whoever keeps it for five minutes at most never meets a token of a key it does not name.
    """
    revoked = revoked_kids(purpose=Purpose.TOKEN)
    return {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "alg": ALGORITHM,
                "use": "sig",
                "kid": each.file.signer.kid,
                "x": _base64url(each.file.signer.public_bytes),
            }
            for each in token_keys(current_entity())
            if each.state != "retired" and each.file.signer.kid not in revoked
        ]
    }


def verification_key(entity: str, purpose: Purpose, public_bytes: bytes) -> VerificationKey:
    """Return a public key under the name by which the log records it."""
    if purpose is Purpose.WITNESS:
        # It signs for itself, not for the log: every log it cosigns knows it by one name.
        return VerificationKey(WITNESS_NAME, COSIGNATURE_V1, public_bytes)
    name = origin_of(entity) if purpose is Purpose.LOG else f"{origin_of(entity)}/{purpose.value}"
    return VerificationKey(name, ED25519, public_bytes)


def _shown(entity: str, purpose: Purpose, file: KeyFile, state: KeyState) -> PublicKey:
    if state == "retired" and purpose is not Purpose.TOKEN:
        state = "counts"
    raw = file.signer.public_bytes
    encoded = verification_key(entity, purpose, raw).encoded()
    signs_from = datetime.fromtimestamp(file.signs_from, UTC)
    return PublicKey(purpose.value, file.signer.kid, raw, encoded, state, signs_from)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
