"""Asking for a change of how the bank works: a flow puts it to another person, then makes it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from orchestration.durable import engine
from orchestration.durable.starting import NewInstance
from orchestration.versions import rollouts
from sentinel.vocabulary import Principal, Provenance


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
    """
    source = {
        "provenance": Provenance.EMPLOYEE_CONFIRMED.value,
        "reference": f"orch_change:{change_id}",
    }
    return engine.start(
        NewInstance(
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
        )
    )
