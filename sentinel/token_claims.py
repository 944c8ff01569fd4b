"""The claims of a decision token, exactly: whatever is missing, more or of another type is refused.

Version 2 says how the person was authenticated, what a payment is linked to and what the permit
obliges to. Version 1 is read for as long as a worker of the release before may hand one over. Pure.
"""

import json
from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring as _text
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from sentinel.signing.canonical import NotCanonical, canonical_json, parse_canonical


class Strict(BaseModel):
    """A JSON object that says these things and nothing else."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class Actor(Strict):
    """Who acts, and who acted before (RFC 8693, 4.1)."""

    sub: str
    act: "Actor | None" = None


class ParametersHash(Strict):
    """A salted hash of the parameters and how it was made."""

    c: Literal["jcs"]
    a: Literal["sha-256"]
    s: str
    v: str


class Linked(Strict):
    """What a payment is bound to beyond its parameters as a whole."""

    amount_payee_hash: str


class Detail1(Strict):
    """One authorization detail (RFC 9396) as version 1 had it."""

    type: Literal["urn:frontline:action:v1"]
    actions: list[str]
    locations: list[str]
    identifier: str
    params_hash: ParametersHash


class Detail(Detail1):
    """The one authorization detail (RFC 9396): this action on this resource."""

    linked: Linked


class Sentinel1(Strict):
    """Under which rules and epoch, as version 1 had it."""

    ver: Literal[1]
    pol: str
    eng: str
    det: list[str]
    appr: str
    ep: int


class Sentinel(Sentinel1):
    """Under which rules and epoch, and what the permit obliges to."""

    ver: Literal[2]  # type: ignore[assignment]  # the same claims and more
    obl: list[str]


class Common(Strict):
    """The claims of both versions."""

    iss: str
    aud: str
    sub: str
    act: Actor
    iat: int
    exp: int
    jti: str
    txn: str
    scope: str
    purpose: str
    amr: list[str]


class ClaimSet1(Common):
    """All claims of version 1."""

    authorization_details: list[Detail1]
    sent: Sentinel1


class ClaimSet(Common):
    """All claims."""

    acr: str
    auth_time: int
    authorization_details: list[Detail]
    sent: Sentinel


class Said(NamedTuple):
    """What the claims of the present version say, each by its own name."""

    acr: str
    actors: tuple[str, ...]
    amr: Sequence[str]
    aud: str
    auth_time: int
    identifier: str
    linked: str
    salt: str
    params_hash: str
    exp: int
    iat: int
    iss: str
    jti: str
    purpose: str
    scope: str
    appr: str
    det: Sequence[str]
    eng: str
    ep: int
    obl: Sequence[str]
    pol: str
    sub: str
    txn: str


def claims_text(said: Said) -> bytes:
    """Return the claims in canonical form (RFC 8785).

    They are written out in the order of that form: an object made first, checked and sorted again
    costs half a signature.

    Raises:
        NotCanonical: a text in them has no canonical form.
    """
    text = (
        f'{{"acr":{_text(said.acr)},"act":{_actors_text(said.actors)},"amr":{_texts(said.amr)}'
        f',"aud":{_text(said.aud)},"auth_time":{said.auth_time}'
        f',"authorization_details":[{_detail_text(said)}],"exp":{said.exp},"iat":{said.iat}'
        f',"iss":{_text(said.iss)},"jti":{_text(said.jti)},"purpose":{_text(said.purpose)}'
        f',"scope":{_text(said.scope)},"sent":{{"appr":{_text(said.appr)},"det":{_texts(said.det)}'
        f',"eng":{_text(said.eng)},"ep":{said.ep},"obl":{_texts(said.obl)}'
        f',"pol":{_text(said.pol)},"ver":2}},"sub":{_text(said.sub)},"txn":{_text(said.txn)}}}'
    )
    if text.isascii() and "\\u0000" not in text:
        return text.encode()
    # What is not plain has to be looked at, and is refused if it has no canonical form.
    return canonical_json(json.loads(text))


def claim_set(raw: bytes) -> ClaimSet | ClaimSet1:
    """Return claims in their types.

    Raises:
        ValueError: they are not exactly those of a version, or not in canonical form: another
            spelling, or a name said twice.
    """
    try:
        claims = ClaimSet.model_validate_json(raw)
    except ValidationError:
        return ClaimSet1.model_validate(parse_canonical(raw))
    if claims_text(_said(claims)) != raw:
        raise NotCanonical("$", "claims are not in canonical form")
    return claims


def actors_of(actor: Actor | None) -> tuple[str, ...]:
    """Return who acts and who acted before, nearest first."""
    found = []
    while actor is not None:
        found.append(actor.sub)
        actor = actor.act
    return tuple(found)


def _said(claims: ClaimSet) -> Said:
    (detail,), sent = claims.authorization_details, claims.sent
    return Said(
        acr=claims.acr,
        actors=actors_of(claims.act),
        amr=claims.amr,
        aud=claims.aud,
        auth_time=claims.auth_time,
        identifier=detail.identifier,
        linked=detail.linked.amount_payee_hash,
        salt=detail.params_hash.s,
        params_hash=detail.params_hash.v,
        exp=claims.exp,
        iat=claims.iat,
        iss=claims.iss,
        jti=claims.jti,
        purpose=claims.purpose,
        scope=claims.scope,
        appr=sent.appr,
        det=sent.det,
        eng=sent.eng,
        ep=sent.ep,
        obl=sent.obl,
        pol=sent.pol,
        sub=claims.sub,
        txn=claims.txn,
    )


def _detail_text(said: Said) -> str:
    return (
        f'{{"actions":[{_text(said.scope)}],"identifier":{_text(said.identifier)}'
        f',"linked":{{"amount_payee_hash":{_text(said.linked)}}}'
        f',"locations":[{_text(said.aud)}],"params_hash":{{"a":"sha-256","c":"jcs"'
        f',"s":{_text(said.salt)},"v":{_text(said.params_hash)}}}'
        ',"type":"urn:frontline:action:v1"}'
    )


def _actors_text(actors: tuple[str, ...]) -> str:
    """Return the RFC 8693 `act` claim: who acts now, and inside it who acted before."""
    inner = f'"act":{_actors_text(actors[1:])},' if len(actors) > 1 else ""
    return f'{{{inner}"sub":{_text(actors[0])}}}'


def _texts(values: Iterable[str]) -> str:
    return f"[{','.join(map(_text, values))}]"
