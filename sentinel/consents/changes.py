"""Uses of data set by two people, and what a customer says to them: catalogued actions."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from django.db import connection
from pydantic import BaseModel, ConfigDict, Field

from sentinel.authority_changes import AUDIENCE
from sentinel.catalogue import ActionKind
from sentinel.consents.uses import ASKED_OF_CUSTOMERS, Ground, data_uses
from sentinel.signing.canonical import canonical_json

_NAME = r"^[a-z][a-z_]{0,39}$"
_Purpose = Annotated[str, Field(pattern=_NAME)]

WORDS: Mapping[str, str] = {
    "consent_not_asked": "This does not rest on the customer's word.",
    "consent_same": "It stands so already.",
}


class _Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class SetDataUse(_Parameters):
    """Let a purpose see a class of data on a ground, or no longer."""

    purpose: _Purpose
    data_class: _Purpose
    ground: Ground
    is_permitted: bool
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class SetConsent(_Parameters):
    """Give or withdraw consent to a use of one's own data, or object to it."""

    party: UUID
    purpose: _Purpose
    data_class: _Purpose
    is_given: bool


ConsentChange = SetDataUse | SetConsent
_KINDS: Mapping[type[BaseModel], str] = {SetDataUse: "data_use.set", SetConsent: "consent.set"}


def _body(parameters: BaseModel) -> str:
    return canonical_json(parameters.model_dump(mode="json")).decode()


def _effect(parameters: BaseModel) -> bytes:
    kind = _KINDS[type(parameters)]
    return hashlib.sha256(f"{kind}/v1|{_body(parameters)}".encode()).digest()


def _entry(
    parameters: type[BaseModel], wording: str, risk: Literal["low", "high"], *party: str
) -> ActionKind:
    return ActionKind(
        kind=_KINDS[parameters],
        parameters=parameters,
        risk=risk,
        audience=AUDIENCE,
        wording=wording,
        party_fields=party,
        human_only=True,
        effect_digest=_effect,
    )


ACTIONS = (
    _entry(SetDataUse, "let {purpose} see {data_class}: {is_permitted}, on {ground}", "high"),
    # Withdrawing must be possible while the log is behind.
    _entry(SetConsent, "consent to {data_class} for {purpose}: {is_given}", "low", "party"),
)


def write_consent(decision_id: UUID, parameters: ConsentChange) -> str:
    """Write a redeemed change: "written", the code of why not, or "refused"."""
    if isinstance(parameters, SetConsent):
        asked = (parameters.purpose, parameters.data_class)
        uses = {(each.purpose, each.data_class): each for each in data_uses()}
        use = uses.get(asked)
        if use is None or not use.is_permitted or use.ground not in ASKED_OF_CUSTOMERS:
            return "consent_not_asked"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sentinel_write_consent(%s, %s, %s)",
            [decision_id, _KINDS[type(parameters)], _body(parameters)],
        )
        return str(cursor.fetchone()[0])


def consent_words(*, code: str) -> str:
    """Return a problem in words."""
    return WORDS[code]
