"""What may be changed of how long the bank remembers somebody: held, let go, forgotten.

Catalogued actions of two people, written by the owner's functions alone. Forgetting destroys the
subject's key, and with it every salt and every opening of a commitment that is made from it.
"""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Literal
from uuid import UUID

from django.db import connection
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sentinel.catalogue import ActionKind
from sentinel.signing.canonical import canonical_json

AUDIENCE = "urn:sentinel"
WRITTEN, DONE_BEFORE = "written", "subject_forgotten_before"
REASON_LENGTH_MAX = 500
# Customers only: what was decided about the bank itself is not forgotten with an employee.
SUBJECT = r"^customer:[A-Za-z0-9_.-]{1,100}$"

WORDS: Mapping[str, str] = {
    WRITTEN: "It is in force.",
    DONE_BEFORE: "This person was forgotten before; nothing was left to erase.",
    "subject_unknown": "Nothing is held under this person's key.",
    "subject_held": "A legal hold is in force for this person; nothing was erased.",
    "subject_forgotten": "This person was forgotten; there is nothing left to hold.",
    "hold_over": "It would end before it begins.",
    "hold_unknown": "There is no such legal hold.",
    "hold_ended": "This legal hold has ended.",
}


class _Parameters(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    # A ground and a file number, no names: it is kept beyond the person's own data.
    reason: Annotated[str, Field(min_length=1, max_length=REASON_LENGTH_MAX)]


class HoldSubject(_Parameters):
    """Keep everything about a person, whatever they ask for, until a day or until released."""

    subject: Annotated[str, Field(pattern=SUBJECT)]
    until: AwareDatetime | None


class ReleaseSubject(_Parameters):
    """End a legal hold."""

    hold: UUID


class ForgetSubject(_Parameters):
    """Destroy the key of a person for ever."""

    subject: Annotated[str, Field(pattern=SUBJECT)]


# By the names of the flows that put them to a second person.
SUBJECT_CHANGES: Mapping[str, type[BaseModel]] = {
    "hold_subject": HoldSubject,
    "release_subject": ReleaseSubject,
    "forget_subject": ForgetSubject,
}
SubjectChange = HoldSubject | ReleaseSubject | ForgetSubject


def body_of(parameters: BaseModel) -> str:
    """Return what the owner's functions are handed, word for word what is hashed as the effect."""
    return canonical_json(parameters.model_dump(mode="json")).decode()


def _effect(parameters: BaseModel) -> bytes:
    return hashlib.sha256(f"subject/v1|{body_of(parameters)}".encode()).digest()


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
    # Holding must be possible while the log is behind: it keeps things as they are.
    _entry("subjects.hold", HoldSubject, "put a legal hold on {subject}", "medium"),
    _entry("subjects.release", ReleaseSubject, "end the legal hold {hold}", "high"),
    _entry("subjects.forget", ForgetSubject, "erase the personal data of {subject}", "high"),
)


def subject_problem(*, change: BaseModel) -> tuple[str, str] | None:
    """Return the code and words of why a change could not be written if approved now, if so."""
    assert isinstance(change, SubjectChange)
    kind = {HoldSubject: "hold", ReleaseSubject: "release", ForgetSubject: "forget"}[type(change)]
    problem = _call("SELECT sentinel_subject_problem(%s, %s)", [kind, body_of(change)])
    return (problem, WORDS[problem]) if problem else None


def write_subject_change(decision_id: UUID, parameters: BaseModel) -> str:
    """Write a redeemed change: "written", the code of why not, or "refused" without two people."""
    statement = {
        HoldSubject: "SELECT sentinel_hold_subject(%s, %s)",
        ReleaseSubject: "SELECT sentinel_release_subject(%s, %s)",
        ForgetSubject: "SELECT sentinel_forget_subject(%s, %s)",
    }
    return _call(statement[type(parameters)], [decision_id, body_of(parameters)])


def log_body(parameters: BaseModel, decision_id: UUID) -> dict[str, object] | None:
    """Return what the log says of a hold; an erasure is logged by the owner's function itself."""
    if isinstance(parameters, HoldSubject):
        until = parameters.until.isoformat() if parameters.until else None
        return {
            "event": "placed",
            "hold": str(decision_id),
            "subject": parameters.subject,
            "until": until,
        }
    if isinstance(parameters, ReleaseSubject):
        return {"event": "released", "hold": str(parameters.hold)}
    return None


def _call(statement: str, values: list[UUID | str]) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return str(cursor.fetchone()[0] or "")
