"""Decision tokens: compact JWS over Ed25519, parsed strictly, with one reading only. Pure.

The string of a token is not its identity: base64 has several spellings. The single-use key is
the id inside, and any spelling but the canonical one is refused.
"""

import binascii
import re
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sentinel.refusals import SentinelError
from sentinel.signing.canonical import Canonical, NotCanonical, canonical_json, parse_canonical
from sentinel.signing.keys import Signer, require_sound_public_key
from sentinel.token_claims import ClaimSet, Detail, Said, actors_of, claim_set, claims_text
from sentinel.vocabulary import DecisionToken, Principal

TYPE = "decision+jwt"
ALGORITHM = "Ed25519"
TTL_SECONDS = 30
TTL_SECONDS_MAX = 60
CHARACTERS_MAX = 4096
MINTED_KEPT = 256
UNKNOWN_KEY = "unknown_key"
# How sure it is who stands behind a permit (`acr`): nobody signed in, a person did, or a person
# gave a second factor for exactly this action.
NOBODY = "urn:frontline:acr:mandate"
SIGNED_IN = "urn:frontline:acr:signed-in"
STEPPED_UP = "urn:frontline:acr:stepped-up"
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_INPUT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


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
    linked_hash: bytes = b""
    obligations: tuple[str, ...] = ()
    is_stepped_up: bool = False


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
    bundle: str
    policies: tuple[str, ...]
    epoch: int
    issued_at: int
    expires_at: int
    linked_hash: bytes = b""
    obligations: tuple[str, ...] = ()


def issuer_of(entity: str) -> str:
    """Return the name under which a legal entity's Sentinel signs."""
    return f"urn:frontline:{entity}:sentinel"


def mint(grant: Grant, signer: Signer, *, ttl_seconds: int = TTL_SECONDS) -> DecisionToken:
    """Return a signed token for a permit that has been, or is being, recorded."""
    issued_at = int(grant.issued_at.timestamp())
    expires_at = issued_at + ttl_seconds
    claims = claims_text(_said(grant, issued_at, expires_at))
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
    header_text, said_text, signature_text = compact.split(".")
    kid = _kid(header_text)
    public = keys.get(kid)
    if public is None:
        raise TokenRefused("?", UNKNOWN_KEY)
    signed = f"{header_text}.{said_text}".encode()
    try:
        _public_key(public).verify(_decode_part(signature_text), signed)
    except InvalidSignature as error:
        raise TokenRefused("?", "altered") from error
    return _read_claims(kid, _decode_part(said_text))


def signing_input(text: str, *, kids: Collection[str]) -> Claims:
    """Return the claims of a text that is to be signed as a decision token by one of these keys.

    Raises:
        TokenRefused: it is anything but the header and the claims of a token of ours.
    """
    if len(text) > CHARACTERS_MAX or not _INPUT.fullmatch(text):
        raise TokenRefused("?", "altered")
    header_text, said_text = text.split(".")
    kid = _kid(header_text)
    if kid not in kids:
        raise TokenRefused("?", UNKNOWN_KEY)
    return _read_claims(kid, _decode_part(said_text))


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
        bundle=grant.bundle,
        policies=grant.policies,
        epoch=grant.epoch,
        issued_at=issued_at,
        expires_at=expires_at,
        linked_hash=grant.linked_hash,
        obligations=grant.obligations,
    )


def forget_minted() -> None:
    """Read every token in full, as another process would."""
    _minted.clear()


def _said(grant: Grant, issued_at: int, expires_at: int) -> Said:
    acr, amr, auth_time = _authenticated(grant)
    return Said(
        acr=acr,
        actors=tuple(link.id for link in grant.principal.chain()),
        amr=amr,
        aud=grant.audience,
        auth_time=auth_time,
        identifier=grant.resource,
        linked=_encode(grant.linked_hash),
        salt=_encode(grant.salt),
        params_hash=_encode(grant.params_hash),
        exp=expires_at,
        iat=issued_at,
        iss=issuer_of(grant.entity),
        jti=str(grant.decision_id),
        purpose=grant.purpose,
        scope=grant.action_kind,
        appr=grant.approval_id,
        det=grant.policies,
        eng=grant.engine,
        ep=grant.epoch,
        obl=grant.obligations,
        pol=grant.bundle,
        sub=grant.subject,
        txn=str(grant.case_id),
    )


def _authenticated(grant: Grant) -> tuple[str, tuple[str, ...], int]:
    """Return how the person behind this was authenticated: `acr`, `amr` and `auth_time`.

    OpenID Connect Core 1.0, section 2, and RFC 8176.
    """
    person = next((link for link in grant.principal.chain() if link.authenticated_at), None)
    since = person.authenticated_at if person else None
    known = SIGNED_IN if since else NOBODY
    acr = STEPPED_UP if grant.is_stepped_up else known
    methods = person.methods if person else grant.principal.methods
    return acr, methods, int(since.timestamp()) if since else 0


def _read_claims(kid: str, raw: bytes) -> Claims:
    try:
        claims = claim_set(raw)
        identifier, case_id = UUID(claims.jti), UUID(claims.txn)
        (detail,) = claims.authorization_details
    except ValueError as error:
        raise TokenRefused("?", "altered") from error
    token_id = str(identifier)
    if detail.actions != [claims.scope] or detail.locations != [claims.aud]:
        raise TokenRefused(token_id, "altered")
    return Claims(
        token_id=identifier,
        kid=kid,
        issuer=claims.iss,
        audience=claims.aud,
        subject=claims.sub,
        actors=actors_of(claims.act),
        action_kind=claims.scope,
        resource=detail.identifier,
        case_id=case_id,
        salt=_decode(detail.params_hash.s),
        params_hash=_decode(detail.params_hash.v),
        bundle=claims.sent.pol,
        policies=tuple(claims.sent.det),
        epoch=claims.sent.ep,
        issued_at=claims.iat,
        expires_at=claims.exp,
        linked_hash=_decode(detail.linked.amount_payee_hash) if isinstance(detail, Detail) else b"",
        obligations=tuple(claims.sent.obl) if isinstance(claims, ClaimSet) else (),
    )


@lru_cache(maxsize=64)
def _kid(header_text: str) -> str:
    """Return the key id of a header that says exactly what ours say."""
    header = _object(header_text)
    if header.keys() != {"alg", "kid", "typ"}:
        raise TokenRefused("?", "altered")
    if header["alg"] != ALGORITHM or header["typ"] != TYPE:
        raise TokenRefused("?", "altered")
    return str(header["kid"])


def _object(text: str) -> Mapping[str, Canonical]:
    """Return a JSON object from base64url; duplicate keys and other spellings are refused."""
    try:
        value = parse_canonical(_decode(text))
    except NotCanonical as error:
        raise TokenRefused("?", "altered") from error
    if not isinstance(value, dict):
        raise TokenRefused("?", "altered")
    return value


@lru_cache(maxsize=64)
def _public_key(public_bytes: bytes) -> Ed25519PublicKey:
    return require_sound_public_key(public_bytes)


@lru_cache(maxsize=64)
def _header(kid: str) -> str:
    return _encode(canonical_json({"alg": ALGORITHM, "kid": kid, "typ": TYPE}))


def _encode(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).translate(_TO_URL).rstrip(b"=").decode()


def _decode_part(text: str) -> bytes:
    """Return the bytes of a part of a token, of which only base64url characters are left to see."""
    try:
        raw = binascii.a2b_base64(text.encode().translate(_FROM_URL) + b"=" * (-len(text) % 4))
    except ValueError as error:
        raise TokenRefused("?", "altered") from error
    # Only the last characters can have unused bits, which would give one token several spellings.
    if not text.endswith(_encode(raw[len(raw) - (len(raw) % 3 or 3) :])):
        raise TokenRefused("?", "altered")
    return raw


def _decode(text: str) -> bytes:
    try:
        raw = binascii.a2b_base64(text.encode().translate(_FROM_URL) + b"=" * (-len(text) % 4))
    except ValueError as error:
        raise TokenRefused("?", "altered") from error
    # Unused bits in the last character would give one token several spellings.
    if _encode(raw) != text:
        raise TokenRefused("?", "altered")
    return raw
