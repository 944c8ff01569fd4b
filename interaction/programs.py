"""Programs outside that ask Sentinel: whose key it is, and whom they ask about."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orchestration.public
from interaction.identity import single_person
from orchestration.public import (
    Caller,
    CallerRefused,
    Ended,
    Evaluation,
    PermitUnknown,
    Presented,
    Wish,
    caller_of,
    key_of,
    outcome_outside,
    permit_outside,
    record_outside,
    redeem_outside,
)

SERVICING = "servicing"


class SubjectUnknown(LookupError):
    """The bank knows nobody of this kind and id who could act."""

    code = "unknown_subject"
    is_retryable = False

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class QuestionNotAllowed(PermissionError):
    """This program may not ask about this action, or not about this person."""

    code = "not_allowed"
    is_retryable = False

    def __init__(self, caller_id: str, kind: str) -> None:
        super().__init__(caller_id, kind)
        self.caller_id, self.kind = caller_id, kind


@dataclass(frozen=True, slots=True)
class AskedAbout:
    """A question as a program puts it: nothing in it is believed but what it names."""

    subject_type: str
    subject_id: str
    kind: str
    parameters: Mapping[str, object]
    resource: str
    purpose: str = SERVICING


def evaluate_for(*, caller: Caller, asked: AskedAbout, at: datetime) -> Evaluation:
    """Say what would be decided if this person wanted this now.

    Raises:
        QuestionNotAllowed: the program may not ask this.
        SubjectUnknown: there is nobody of this kind and id.
    """
    may_ask = caller.may_ask(
        kind=asked.kind, subject_type=asked.subject_type, subject_id=asked.subject_id
    )
    if not may_ask:
        raise QuestionNotAllowed(caller.id, asked.kind[:40])
    person = single_person(kind=asked.subject_type, key=_key(asked))
    if person is None:
        raise SubjectUnknown(asked.subject_type[:40])
    question = orchestration.public.Question(
        principal=person.principal,
        customer_id=person.customer_id,
        kind=asked.kind,
        parameters=asked.parameters,
        resource=asked.resource,
        purpose=asked.purpose,
    )
    return orchestration.public.evaluate(caller=caller, question=question, at=at)


def _key(asked: AskedAbout) -> UUID:
    try:
        return UUID(asked.subject_id)
    except ValueError as error:
        raise SubjectUnknown(asked.subject_type[:40]) from error


__all__ = [
    "AskedAbout",
    "Caller",
    "CallerRefused",
    "Ended",
    "Evaluation",
    "PermitUnknown",
    "Presented",
    "QuestionNotAllowed",
    "SubjectUnknown",
    "Wish",
    "caller_of",
    "evaluate_for",
    "key_of",
    "outcome_outside",
    "permit_outside",
    "record_outside",
    "redeem_outside",
]
