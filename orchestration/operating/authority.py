"""Changes of decision authority: looked at first, then put to a second person."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ValidationError

import sentinel.public
from orchestration.versions.asked import AskedChange, asked_by_flow
from orchestration.versions.asking import ChangeNotProposed, ask
from sentinel.vocabulary import Principal


class AuthorityRefused(ValueError):
    """The change cannot be asked for; nothing was asked of anybody. `words` say why."""

    code = "authority_refused"
    is_retryable = False

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(reason, words)
        self.reason, self.words = reason, words


def authority_change(*, flow: str, said: Mapping[str, object], principal: Principal) -> BaseModel:
    """Return a change from what was filled in, if it could be written were it agreed to now.

    Raises:
        AuthorityRefused: it could not; `reason` names the first field that is wrong, or a code.
    """
    try:
        change = sentinel.public.AUTHORITY_CHANGES[flow].model_validate(said, strict=False)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "form"
        words = str(first["msg"]).removeprefix("Value error, ").capitalize()
        raise AuthorityRefused(field, f"{words}.") from error
    problem = sentinel.public.authority_problem(change=change, principal=principal)
    if problem:
        raise AuthorityRefused(*problem)
    return change


def ask_authority(
    *,
    change_id: UUID,
    flow: str,
    said: Mapping[str, object],
    words: str,
    principal: Principal,
    at: datetime,
) -> UUID:
    """Ask a second person to agree to a change of authority; return the case that decides.

    Asking again with the same id returns the same case.

    Raises:
        AuthorityRefused: it could not be written, or something else was asked for under this id.
    """
    change = authority_change(flow=flow, said=said, principal=principal)
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
        raise AuthorityRefused(refused.reason, refused.words) from refused


def authority_changes(*, principal: Principal, limit: int = 20) -> tuple[AskedChange, ...]:
    """Return the latest changes of authority that were asked for, newest first."""
    flows = sentinel.public.AUTHORITY_CHANGES
    asked = [each for flow in flows for each in asked_by_flow(flow, principal=principal)]
    return tuple(sorted(asked, key=lambda each: each.asked_at, reverse=True)[:limit])
