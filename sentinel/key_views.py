"""The public keys a legal entity signs with, for whoever checks its tokens, log and policies."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from sentinel.entities import current_entity
from sentinel.log.note import ED25519, VerificationKey, origin_of
from sentinel.signing import keys
from sentinel.signing.keys import Purpose


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One public key. `verification_key` is its C2SP form, `kid` its RFC 7638 thumbprint."""

    purpose: str
    kid: str
    public_bytes: bytes
    verification_key: str


def public_keys() -> tuple[PublicKey, ...]:
    """Return every public key of the current legal entity, by purpose, oldest first."""
    entity, folder = current_entity(), Path(settings.KEYS_DIR)
    found = [
        (purpose, kid, raw)
        for purpose in (Purpose.LOG, Purpose.TOKEN, Purpose.POLICY, Purpose.WITNESS)
        for kid, raw in keys.public_keys(folder=folder, entity=entity, purpose=purpose).items()
    ]
    return tuple(PublicKey(p.value, kid, raw, _named(entity, p, raw)) for p, kid, raw in found)


def _named(entity: str, purpose: Purpose, raw: bytes) -> str:
    name = origin_of(entity) if purpose is Purpose.LOG else f"{origin_of(entity)}/{purpose.value}"
    return VerificationKey(name, ED25519, raw).encoded()
