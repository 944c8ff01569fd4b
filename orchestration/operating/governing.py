"""Changes of what Sentinel goes by, asked for from a page: looked at first, then put to a flow."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ValidationError

import sentinel.public
from orchestration.versions.asked import AskedChange, asked_by_flow
from orchestration.versions.asking import ChangeNotProposed, ask
from sentinel.vocabulary import Principal

Problem = Callable[[BaseModel, Principal], tuple[str, str] | None]


class ChangeOfRulesRefused(ValueError):
    """The change cannot be asked for; nothing was asked of anybody. `words` say why."""

    code = "change_of_rules_refused"
    is_retryable = False

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(reason, words)
        self.reason, self.words = reason, words


def _emergency(change: BaseModel, principal: Principal) -> tuple[str, str] | None:
    return sentinel.public.emergency_problem(change=change, principal=principal)


_PROBLEMS: Mapping[str, Problem] = {"begin_emergency": _emergency}


def change_of_rules(*, flow: str, said: Mapping[str, object], principal: Principal) -> BaseModel:
    """Return a change from what was filled in, if it could be written were it agreed to now.

    Raises:
        ChangeOfRulesRefused: it could not; `reason` names the first field that is wrong, or a code.
    """
    try:
        change = _models()[flow].model_validate(said, strict=False)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        field = str(first["loc"][0]) if first["loc"] else "form"
        words = str(first["msg"]).removeprefix("Value error, ").capitalize()
        raise ChangeOfRulesRefused(field, f"{words}.") from error
    problem = _PROBLEMS[flow](change, principal) if flow in _PROBLEMS else None
    if problem:
        raise ChangeOfRulesRefused(*problem)
    return change


def ask_change_of_rules(
    *,
    change_id: UUID,
    flow: str,
    said: Mapping[str, object],
    words: str,
    principal: Principal,
    at: datetime,
) -> UUID:
    """Begin the flow that makes a change of rules, with whoever must agree; return its case.

    Asking again with the same id returns the same case.

    Raises:
        ChangeOfRulesRefused: it could not be written, or something else has this id.
    """
    change = change_of_rules(flow=flow, said=said, principal=principal)
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
        raise ChangeOfRulesRefused(refused.reason, refused.words) from refused


def changes_of_rules(
    *, flows: Sequence[str], principal: Principal, limit: int = 20
) -> tuple[AskedChange, ...]:
    """Return the latest changes that were asked for through some flows, newest first."""
    asked = [each for flow in flows for each in asked_by_flow(flow, principal=principal)]
    return tuple(sorted(asked, key=lambda each: each.asked_at, reverse=True)[:limit])


def _models() -> Mapping[str, type[BaseModel]]:
    return sentinel.public.EMERGENCY_CHANGES
