"""Legal holds and erasures: looked at first, then put to a second person."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ValidationError

import sentinel.public
from orchestration.versions.asked import AskedChange, asked_by_flow
from orchestration.versions.asking import ChangeNotProposed, ask
from sentinel.vocabulary import Principal


class SubjectChangeRefused(ValueError):
    """The change cannot be asked for; nothing was asked of anybody. `words` say why."""

    code = "subject_change_refused"
    is_retryable = False

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(reason, words)
        self.reason, self.words = reason, words


def subject_change(*, flow: str, said: Mapping[str, object]) -> BaseModel:
    """Return a hold, its end or an erasure, if it could be written were it agreed to now.

    Raises:
        SubjectChangeRefused: it could not; `reason` names the first wrong field, or a code.
    """
    try:
        change = sentinel.public.SUBJECT_CHANGES[flow].model_validate(said, strict=False)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "form"
        raise SubjectChangeRefused(field, f"{first['msg']}.") from error
    problem = sentinel.public.subject_problem(change=change)
    if problem:
        raise SubjectChangeRefused(*problem)
    return change


def ask_subject_change(
    *,
    change_id: UUID,
    flow: str,
    said: Mapping[str, object],
    words: str,
    principal: Principal,
    at: datetime,
) -> UUID:
    """Ask a second person to agree to a hold, its end or an erasure; return the deciding case.

    Asking again with the same id returns the same case.

    Raises:
        SubjectChangeRefused: it could not be written, or the id asked for something else before.
    """
    change = subject_change(flow=flow, said=said)
    try:
        return ask(
            change_id=change_id,
            flow=flow,
            about={"about": str(change_id)},
            parameters=change.model_dump(mode="json"),
            words=words,
            principal=principal,
            at=at,
        )
    except ChangeNotProposed as refused:
        raise SubjectChangeRefused(refused.reason, refused.words) from refused


def subject_changes(*, principal: Principal, limit: int = 20) -> tuple[AskedChange, ...]:
    """Return the latest holds and erasures that were asked for, newest first."""
    flows = sentinel.public.SUBJECT_CHANGES
    asked = [each for flow in flows for each in asked_by_flow(flow, principal=principal)]
    return tuple(sorted(asked, key=lambda each: each.asked_at, reverse=True)[:limit])
