"""What may be changed of decision authority: granted, delegated, revoked, and kept apart.

Catalogued actions like any other change of Sentinel itself: proposed by one person, approved by
another, redeemed and written by the owner's functions, which look at everything once more. What
cannot be written as asked ends as a failed outcome with its words, and changes nothing.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal, Self
from uuid import UUID

from django.db import connection
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from sentinel.catalogue import AMOUNT_LIMIT, ActionKind, UnknownAction, action_kind
from sentinel.policy.publishing import roles_in_force
from sentinel.signing.canonical import canonical_json
from sentinel.vocabulary import Principal

AUDIENCE = "urn:sentinel"
WRITTEN = "written"
KINDS_MAX = 40
REASON_LENGTH_MAX = 500
_KIND = r"^[a-z][a-z_]*(\.[a-z][a-z_]*)+$"
_ROLE = r"^[a-z][a-z_]{0,39}$"
_SOMEBODY = r"(employee|customer|agent|system):[A-Za-z0-9_.-]{1,100}"
_SIDE = r"^(role:[a-z][a-z_]{0,39}|(act|approve):[a-z][a-z_]*(\.[a-z][a-z_]*)+)$"
_PERSON = r"^[A-Za-z0-9_.:-]{0,100}$"

_Kinds = Annotated[
    tuple[Annotated[str, Field(pattern=rf"^\*$|{_KIND}", max_length=80)], ...],
    Field(min_length=1, max_length=KINDS_MAX),
]
_Roles = Annotated[tuple[Annotated[str, Field(pattern=_ROLE)], ...], Field(max_length=20)]
_Reason = Annotated[str, Field(min_length=1, max_length=REASON_LENGTH_MAX)]
Powers = Literal["act", "approve", "both"]

WORDS: Mapping[str, str] = {
    "authority_over": "It would end before it begins, or is over already.",
    "authority_ended": "The authority this rests on has ended or does not stand yet.",
    "authority_unknown": "There is no such authority.",
    "authority_not_held": "This authority is not the delegator's own.",
    "authority_own_person": "Nobody delegates to themselves, under any account.",
    "authority_too_deep": "What was delegated twice is not delegated again.",
    "authority_wider": "A delegation lies within what it is delegated from.",
    "authority_toxic": "One person would hold two things that are kept apart.",
    "authority_human_only": "This is for people only.",
    "authority_unknown_kind": "There is no such kind of action.",
    "authority_unknown_role": "There is no such role.",
}


class _Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class AuthorityCap(_Parameters):
    """The most that one action may move."""

    minor_units: Annotated[int, Field(ge=0, lt=AMOUNT_LIMIT)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class _Given(_Parameters):
    """What is said of every authority; the person and roles of record are the holder's."""

    holder: Annotated[str, Field(pattern=rf"^{_SOMEBODY}$|^role:[a-z][a-z_]{{0,39}}$")]
    holder_person: Annotated[str, Field(pattern=_PERSON)] = ""
    holder_roles: _Roles = ()
    role: Annotated[str, Field(pattern=rf"^$|{_ROLE}")] = ""
    powers: Powers
    kinds: _Kinds
    cap: AuthorityCap | None = None
    valid_from: AwareDatetime | None = None
    reason: _Reason

    @model_validator(mode="after")
    def _require_holder(self) -> Self:
        is_person = self.holder.startswith(("employee:", "customer:"))
        if is_person != bool(self.holder_person):
            raise ValueError("a person has a person of record, and nobody else")
        if self.role and not self.holder.startswith("employee:"):
            raise ValueError("a role is held by an employee")
        return self


class GrantAuthority(_Given):
    """Let somebody hold a role within kinds of action, or act within a mandate, from now on."""

    kind: Literal["role", "mandate"]
    on_behalf_of: Annotated[str, Field(pattern=rf"^$|^{_SOMEBODY}$")] = ""
    valid_until: AwareDatetime | None = None
    replaces: UUID | None = None

    @model_validator(mode="after")
    def _require_role(self) -> Self:
        if (self.kind == "role") != bool(self.role):
            raise ValueError("a role names one, a mandate names none")
        if self.on_behalf_of == self.holder:
            raise ValueError("nobody acts on their own behalf by mandate")
        return self


class DelegateAuthority(_Given):
    """Let somebody do for a while, within narrower bounds, what is the proposer's own to do."""

    parent: UUID | None = None
    valid_until: AwareDatetime

    @model_validator(mode="after")
    def _require_narrow(self) -> Self:
        if "*" in self.kinds or self.holder.startswith("role:"):
            raise ValueError("a delegation names each kind of action and one holder")
        if self.parent is None and not self.role:
            raise ValueError("a delegation names what it is delegated from")
        return self


class RevokeAuthority(_Parameters):
    """End an authority at once, and with it all that was delegated from it."""

    authority: UUID
    reason: _Reason


class SeparateDuties(_Parameters):
    """Keep two things apart, so that nobody is given both; or no longer."""

    first: Annotated[str, Field(pattern=_SIDE, max_length=90)]
    second: Annotated[str, Field(pattern=_SIDE, max_length=90)]
    is_apart: bool
    reason: _Reason

    @model_validator(mode="after")
    def _require_order(self) -> Self:
        if not self.first < self.second:
            raise ValueError("a pair is named in order, and of two")
        return self


# By the names of the flows that put them to a second person.
AUTHORITY_CHANGES: Mapping[str, type[BaseModel]] = {
    "grant_authority": GrantAuthority,
    "delegate_authority": DelegateAuthority,
    "revoke_authority": RevokeAuthority,
    "separate_duties": SeparateDuties,
}
AuthorityChange = GrantAuthority | DelegateAuthority | RevokeAuthority | SeparateDuties


def body_of(parameters: BaseModel) -> str:
    """Return what the owner's functions are handed, word for word what is hashed as the effect."""
    said = parameters.model_dump(mode="json")
    if isinstance(parameters, DelegateAuthority):
        said["kind"] = "delegation"
    return canonical_json(said).decode()


def _effect(parameters: BaseModel) -> bytes:
    return hashlib.sha256(f"authority/v1|{body_of(parameters)}".encode()).digest()


def _entry(
    kind: str, parameters: type[BaseModel], wording: str, risk: Literal["medium", "high"]
) -> ActionKind:
    return ActionKind(
        kind=kind,
        parameters=parameters,
        risk=risk,
        audience=AUDIENCE,
        wording=wording,
        human_only=True,
        effect_digest=_effect,
    )


ACTIONS = (
    _entry("authority.grant", GrantAuthority, "give {holder} authority over {kinds}", "high"),
    _entry("authority.delegate", DelegateAuthority, "delegate {kinds} to {holder}", "high"),
    # Ending something must be possible while the log is behind.
    _entry("authority.revoke", RevokeAuthority, "end the authority {authority}", "medium"),
    _entry("authority.separate", SeparateDuties, "keep {first} and {second} apart", "high"),
)


def authority_problem(*, change: BaseModel, principal: Principal) -> tuple[str, str] | None:
    """Return the code and words of why a change could not be written if approved now, if so."""
    if not isinstance(change, GrantAuthority | DelegateAuthority):
        return None
    problem = _catalogue_problem(change) or _found_problem(change, principal)
    return (problem.partition(" ")[0], authority_words(code=problem)) if problem else None


def _found_problem(change: GrantAuthority | DelegateAuthority, principal: Principal) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sentinel_authority_problem(%s::jsonb, %s, %s, %s)",
            [body_of(change), principal.id, principal.person_id, list(principal.roles)],
        )
        return str(cursor.fetchone()[0] or "")


def write_change(decision_id: UUID, parameters: BaseModel) -> str:
    """Write a redeemed change: "written", the code of why not, or "refused" without two people."""
    body = body_of(parameters)
    if isinstance(parameters, RevokeAuthority):
        return _call("SELECT sentinel_end_authority(%s, %s)", [decision_id, body])
    if isinstance(parameters, SeparateDuties):
        return _call("SELECT sentinel_write_separation(%s, %s)", [decision_id, body])
    assert isinstance(parameters, GrantAuthority | DelegateAuthority)
    is_grant = isinstance(parameters, GrantAuthority)
    kind = "authority.grant" if is_grant else "authority.delegate"
    return _catalogue_problem(parameters) or _call(
        "SELECT sentinel_write_authority(%s, %s, %s)", [decision_id, kind, body]
    )


def authority_words(*, code: str) -> str:
    """Return a problem in words; what exceeds the bounds or is kept apart is named."""
    name, _, detail = code.partition(" ")
    return f"{WORDS[name]} ({detail})" if detail else WORDS[name]


def _catalogue_problem(change: GrantAuthority | DelegateAuthority) -> str:
    if change.role and change.role not in roles_in_force():
        return f"authority_unknown_role {change.role}"
    try:
        for kind in change.kinds:
            if kind != "*":
                action_kind(kind)
    except UnknownAction as error:
        return f"authority_unknown_kind {error.kind}"
    return ""


def _call(statement: str, values: list[UUID | str]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return str(cursor.fetchone()[0])
