"""Emergencies begun, ended and reviewed: catalogued actions, written by the owner's functions.

Whoever breaks the glass does it alone and at once; what is lifted, and for whom, the policies say.
Another person reviews it. The database looks at all of it once more.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from django.db import connection
from pydantic import BaseModel, ConfigDict, Field

from sentinel.authority_changes import AUDIENCE, KINDS_MAX
from sentinel.catalogue import ActionKind, UnknownAction, action_kind
from sentinel.emergency.standing import MINUTES_MAX
from sentinel.policy.publishing import rules_now
from sentinel.signing.canonical import canonical_json
from sentinel.vocabulary import Principal

LIFTING = "emergency"
REASON_LENGTH_MIN, REASON_LENGTH_MAX = 20, 500
_KIND = r"^[a-z][a-z_]*(\.[a-z][a-z_]*)+$"
_Reason = Annotated[str, Field(min_length=REASON_LENGTH_MIN, max_length=REASON_LENGTH_MAX)]

WORDS: Mapping[str, str] = {
    "emergency_human_only": "This is kept for two people, whatever happens.",
    "emergency_lifts_nothing": "No rule in force says that an emergency changes anything here.",
    "emergency_not_self": "An emergency is begun for oneself.",
    "emergency_over": "The emergency is over already.",
    "emergency_review_owed": "An earlier emergency of theirs is not reviewed yet.",
    "emergency_running": "An emergency of theirs is running already.",
    "emergency_unknown": "There is no such emergency.",
    "emergency_unknown_kind": "There is no such kind of action.",
    "emergency_unreviewed": "Nobody else has reviewed it.",
}


class _Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class BeginEmergency(_Parameters):
    """Let whoever asks do for some minutes what policies permit in an emergency."""

    kinds: Annotated[
        tuple[Annotated[str, Field(pattern=_KIND, max_length=80)], ...],
        Field(min_length=1, max_length=KINDS_MAX),
    ]
    minutes: Annotated[int, Field(ge=1, le=MINUTES_MAX)]
    breaker: Annotated[str, Field(pattern=r"^employee:[A-Za-z0-9_.-]{1,100}$")]
    breaker_person: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,100}$")]
    reason: _Reason


class EndEmergency(_Parameters):
    """End an emergency before its time; permits given under it that are still out are refused."""

    emergency: UUID
    reason: Annotated[str, Field(min_length=1, max_length=REASON_LENGTH_MAX)]


class ReviewEmergency(_Parameters):
    """Conclude that an emergency was justified; that it was not is the refusal to approve this."""

    emergency: UUID


EmergencyChange = BeginEmergency | EndEmergency | ReviewEmergency
EMERGENCY_CHANGES: Mapping[str, type[BaseModel]] = {
    "begin_emergency": BeginEmergency,
    "end_emergency": EndEmergency,
}
_WORD: Mapping[type[BaseModel], str] = {
    BeginEmergency: "emergency.begin",
    EndEmergency: "emergency.end",
    ReviewEmergency: "emergency.review",
}


def _body(parameters: BaseModel) -> str:
    return canonical_json(parameters.model_dump(mode="json")).decode()


def _effect(parameters: BaseModel) -> bytes:
    return hashlib.sha256(f"emergency/v1|{_body(parameters)}".encode()).digest()


def _entry(parameters: type[BaseModel], wording: str, risk: Literal["low", "medium"]) -> ActionKind:
    return ActionKind(
        kind=_WORD[parameters],
        parameters=parameters,
        risk=risk,
        audience=AUDIENCE,
        wording=wording,
        human_only=True,
        effect_digest=_effect,
    )


ACTIONS = (
    # None of high risk: each must be possible while the log is behind.
    _entry(BeginEmergency, "break glass over {kinds} for {minutes} minutes", "medium"),
    _entry(EndEmergency, "end the emergency {emergency}", "low"),
    _entry(ReviewEmergency, "find the emergency {emergency} justified", "medium"),
)


def liftable_kinds() -> tuple[str, ...]:
    """Return the kinds of action of which a rule in force looks at an emergency.

    Raises:
        BundleRefused: no rules are in force, or they were altered.
    """
    rules = rules_now()
    return tuple(
        sorted(
            kind
            for kind, entry in rules.kinds.items()
            if not entry.human_only and LIFTING in (rules.slice(kind).attributes or ())
        )
    )


def emergency_problem(*, change: BaseModel, principal: Principal) -> tuple[str, str] | None:
    """Return the code and words of why a change could not be written if asked for now, if so."""
    if not isinstance(change, BeginEmergency):
        return None
    said = (change.breaker, change.breaker_person)
    is_self = said == (principal.id, principal.person_id)
    problem = _kinds_problem(change) if is_self else "emergency_not_self"
    if not problem:
        with connection.cursor() as cursor:
            cursor.execute("SELECT sentinel_emergency_problem(%s, %s)", said)
            problem = str(cursor.fetchone()[0] or "")
    return (problem.partition(" ")[0], emergency_words(code=problem)) if problem else None


def write_emergency(decision_id: UUID, parameters: EmergencyChange) -> str:
    """Write a redeemed change: "written", the code of why not, or "refused"."""
    problem = _kinds_problem(parameters) if isinstance(parameters, BeginEmergency) else ""
    if problem:
        return problem
    values: list[UUID | str] = [decision_id, _WORD[type(parameters)], _body(parameters)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT sentinel_write_emergency(%s, %s, %s)", values)
        return str(cursor.fetchone()[0])


def emergency_words(*, code: str) -> str:
    """Return a problem in words, with what it is about."""
    name, _, detail = code.partition(" ")
    return f"{WORDS[name]} ({detail})" if detail else WORDS[name]


def _kinds_problem(change: BeginEmergency) -> str:
    liftable = liftable_kinds()
    for kind in change.kinds:
        try:
            entry = action_kind(kind)
        except UnknownAction:
            return f"emergency_unknown_kind {kind}"
        if entry.human_only:
            return f"emergency_human_only {kind}"
        if kind not in liftable:
            return f"emergency_lifts_nothing {kind}"
    return ""
