"""Decision tokens: compact JWS over Ed25519, parsed strictly, with one reading only. Pure.

The string of a token is not its identity: base64 has several spellings. The single-use key is
the id inside, and any spelling but the canonical one is refused.
"""

import base64
import binascii
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict

from sentinel.refusals import SentinelError
from sentinel.signing.canonical import Canonical, NotCanonical, canonical_json, parse
from sentinel.signing.keys import Signer, require_sound_public_key
from sentinel.vocabulary import DecisionToken, Principal

TYPE = "decision+jwt"
ALGORITHM = "Ed25519"
TTL_SECONDS = 30
TTL_SECONDS_MAX = 60
CHARACTERS_MAX = 4096
MINTED_KEPT = 256
UNKNOWN_KEY = "unknown_key"
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class _Actor(_Strict):
    sub: str
    act: "_Actor | None" = None


class _ParametersHash(_Strict):
    c: Literal["jcs"]
    a: Literal["sha-256"]
    s: str
    v: str


class _Detail(_Strict):
    type: Literal["urn:frontline:action:v1"]
    actions: list[str]
    locations: list[str]
    identifier: str
    params_hash: _ParametersHash


class _Sentinel(_Strict):
    ver: Literal[1]
    pol: str
    eng: str
    det: list[str]
    appr: str
    ep: int


class _ClaimSet(_Strict):
    iss: str
    aud: str
    sub: str
    act: _Actor
    iat: int
    exp: int
    jti: str
    txn: str
    scope: str
    authorization_details: list[_Detail]
    purpose: str
    amr: list[str]
    sent: _Sentinel


class TokenRefused(SentinelError):
    """The token does not permit this action: altered, expired, spent, or meant for another."""

    code = "token_refused"

    def __init__(self, token_id: str, reason: str) -> None:
        super().__init__(token_id, reason)
        self.token_id, self.reason = token_id, reason


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token permits, for whom, by which rules: everything its claims say."""

    decision_id: UUID
    entity: str
    audience: str
    subject: str
    principal: Principal
    action_kind: str
    resource: str
    case_id: UUID
    purpose: str
    salt: bytes
    params_hash: bytes
    bundle: str
    engine: str
    policies: tuple[str, ...]
    approval_id: str
    epoch: int
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token said whose signature and form are sound; nothing else has been checked."""

    token_id: UUID
    kid: str
    issuer: str
    audience: str
    subject: str
    actors: tuple[str, ...]
    action_kind: str
    resource: str
    case_id: UUID
    salt: bytes
    params_hash: bytes
    epoch: int
    issued_at: int
    expires_at: int


def issuer_of(entity: str) -> str:
    """Return the name under which a legal entity's Sentinel signs."""
    return f"urn:frontline:{entity}:sentinel"


def mint(grant: Grant, signer: Signer, *, ttl_seconds: int = TTL_SECONDS) -> DecisionToken:
    """Return a signed token for a permit that has been, or is being, recorded."""
    issued_at = int(grant.issued_at.timestamp())
    expires_at = issued_at + ttl_seconds
    claims = canonical_json(_claims(grant, issued_at, expires_at))
    signed = _header(signer.kid) + "." + _encode(claims)
    compact = signed + "." + _encode(signer.sign(signed.encode()))
    _keep_minted(compact, _own_claims(grant, signer.kid, issued_at, expires_at))
    moment = datetime.fromtimestamp(expires_at, UTC)
    return DecisionToken(grant.decision_id, compact, grant.audience, moment)


def read(compact: str, *, keys: Mapping[str, bytes]) -> Claims:
    """Return the claims of a token that one of the pinned keys signed.

    Raises:
        TokenRefused: it is not in canonical form, not of our type and algorithm, or the
            signature is not by a pinned key ("altered", "unknown_key").
    """
    minted = _minted.get(compact)
    if minted is not None and minted.kid in keys:
        return minted
    if len(compact) > CHARACTERS_MAX or not _SHAPE.fullmatch(compact):
        raise TokenRefused("?", "altered")
    header_text, claims_text, signature_text = compact.split(".")
    kid = _kid(_object(header_text))
    public = keys.get(kid)
    if public is None:
        raise TokenRefused("?", UNKNOWN_KEY)
    signed = f"{header_text}.{claims_text}".encode()
    try:
        _public_key(public).verify(_decode(signature_text), signed)
    except InvalidSignature as error:
        raise TokenRefused("?", "altered") from error
    return _read_claims(kid, _object(claims_text))


# Tokens this process signed itself, to the letter: whoever presents the same letters presents the
# same signature, so reading them again could tell nothing new.
_minted: OrderedDict[str, Claims] = OrderedDict()


def _keep_minted(compact: str, claims: Claims) -> None:
    _minted[compact] = claims
    while len(_minted) > MINTED_KEPT:
        _minted.popitem(last=False)


def _own_claims(grant: Grant, kid: str, issued_at: int, expires_at: int) -> Claims:
    """Return what `read` would find in the token of a grant."""
    return Claims(
        token_id=grant.decision_id,
        kid=kid,
        issuer=issuer_of(grant.entity),
        audience=grant.audience,
        subject=grant.subject,
        actors=tuple(link.id for link in grant.principal.chain()),
        action_kind=grant.action_kind,
        resource=grant.resource,
        case_id=grant.case_id,
        salt=grant.salt,
        params_hash=grant.params_hash,
        epoch=grant.epoch,
        issued_at=issued_at,
        expires_at=expires_at,
    )


def forget_minted() -> None:
    """Read every token in full, as another process would."""
    _minted.clear()


def actor_chain(principal: Principal) -> dict[str, object]:
    """Return the RFC 8693 `act` claim: who acts now, and who acted before."""
    claim: dict[str, object] = {"sub": principal.id}
    if principal.on_behalf_of is not None:
        claim["act"] = actor_chain(principal.on_behalf_of)
    return claim


def _claims(grant: Grant, issued_at: int, expires_at: int) -> dict[str, object]:
    return {
        "iss": issuer_of(grant.entity),
        "aud": grant.audience,
        "sub": grant.subject,
        "act": actor_chain(grant.principal),
        "iat": issued_at,
        "exp": expires_at,
        "jti": str(grant.decision_id),
        "txn": str(grant.case_id),
        "scope": grant.action_kind,
        "authorization_details": [
            {
                "type": "urn:frontline:action:v1",
                "actions": [grant.action_kind],
                "locations": [grant.audience],
                "identifier": grant.resource,
                "params_hash": {
                    "c": "jcs",
                    "a": "sha-256",
                    "s": _encode(grant.salt),
                    "v": _encode(grant.params_hash),
                },
            }
        ],
        "purpose": grant.purpose,
        "amr": list(grant.principal.methods),
        "sent": {
            "ver": 1,
            "pol": grant.bundle,
            "eng": grant.engine,
            "det": list(grant.policies),
            "appr": grant.approval_id,
            "ep": grant.epoch,
        },
    }


def _read_claims(kid: str, values: Mapping[str, Canonical]) -> Claims:
    token_id = str(values.get("jti", "?"))
    try:
        claims = _ClaimSet.model_validate(values)
        identifier, case_id = UUID(claims.jti), UUID(claims.txn)
        (detail,) = claims.authorization_details
    except ValueError as error:
        raise TokenRefused(token_id, "altered") from error
    if detail.actions != [claims.scope] or detail.locations != [claims.aud]:
        raise TokenRefused(token_id, "altered")
    return Claims(
        token_id=identifier,
        kid=kid,
        issuer=claims.iss,
        audience=claims.aud,
        subject=claims.sub,
        actors=tuple(_actors(claims.act)),
        action_kind=claims.scope,
        resource=detail.identifier,
        case_id=case_id,
        salt=_decode(detail.params_hash.s),
        params_hash=_decode(detail.params_hash.v),
        epoch=claims.sent.ep,
        issued_at=claims.iat,
        expires_at=claims.exp,
    )


def _actors(actor: _Actor | None) -> Iterator[str]:
    while actor is not None:
        yield actor.sub
        actor = actor.act


def _kid(header: Mapping[str, Canonical]) -> str:
    """Return the key id of a header that says exactly what ours say."""
    if header.keys() != {"alg", "kid", "typ"}:
        raise TokenRefused("?", "altered")
    if header["alg"] != ALGORITHM or header["typ"] != TYPE:
        raise TokenRefused("?", "altered")
    return str(header["kid"])


def _object(text: str) -> Mapping[str, Canonical]:
    """Return a JSON object from base64url; duplicate keys and other spellings are refused."""
    try:
        raw = _decode(text)
        value = parse(raw)
        is_ours = isinstance(value, dict) and canonical_json(value) == raw
    except NotCanonical as error:
        raise TokenRefused("?", "altered") from error
    if not is_ours or not isinstance(value, dict):
        raise TokenRefused("?", "altered")
    return value


@lru_cache(maxsize=64)
def _public_key(public_bytes: bytes) -> Ed25519PublicKey:
    return require_sound_public_key(public_bytes)


@lru_cache(maxsize=64)
def _header(kid: str) -> str:
    return _encode(canonical_json({"alg": ALGORITHM, "kid": kid, "typ": TYPE}))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error as error:
        raise TokenRefused("?", "altered") from error
    # Unused bits in the last character would give one token several spellings.
    if _encode(raw) != text:
        raise TokenRefused("?", "altered")
    return raw
