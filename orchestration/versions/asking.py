"""Asking for a change of how the bank works: a flow puts it to another person, then makes it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from orchestration.durable import engine
from orchestration.durable.starting import NewInstance, StartConflict
from orchestration.versions import rollouts
from sentinel.vocabulary import Principal, Provenance

_ASKED_OTHERWISE = (
    "Something else was asked for from this page before, and what that asks stays as it is."
    " Open the page anew to ask for this."
)


class ChangeNotProposed(ValueError):
    """The change cannot be proposed; nothing was asked of anybody. `words` say why."""

    code = "change_not_proposed"
    is_retryable = False

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(reason, words)
        self.reason, self.words = reason, words


def ask(  # noqa: PLR0913  (what the flow is begun with, one word for each)
    *,
    change_id: UUID,
    flow: str,
    about: Mapping[str, str],
    parameters: Mapping[str, object],
    words: str,
    principal: Principal,
    at: datetime,
) -> UUID:
    """Begin the flow that puts a change to another person and makes it; return its case.

    Asking again with the same id returns the same case.

    Raises:
        ChangeNotProposed: something else was asked for under this id.
    """
    source = {
        "provenance": Provenance.EMPLOYEE_CONFIRMED.value,
        "reference": f"orch_change:{change_id}",
    }
    new = NewInstance(
        id=change_id,
        flow=rollouts.flow_to_start(process=flow, instance_id=change_id, roles=principal.roles),
        principal=principal,
        variables={
            **about,
            "parameters": dict(parameters),
            "sources": dict.fromkeys(parameters, source),
            "words": words,
        },
        at=at,
        is_by_name=True,
    )
    try:
        return engine.start(new)
    except StartConflict as error:
        raise ChangeNotProposed(error.code, _ASKED_OTHERWISE) from error
