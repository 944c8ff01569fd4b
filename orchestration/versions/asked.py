"""Changes of how the bank works that were asked for: what, by whom, and what became of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from orchestration.core.state import InstanceState
from orchestration.durable.starting import principal_from
from orchestration.durable.texts import from_text
from orchestration.plain import plain_mapping
from orchestration.versions.proposals import CHANGE_FLOW
from orchestration.versions.readers import require_flow_reader
from orchestration.wording import found
from orchestration.worklist import readers
from sentinel.vocabulary import Principal

_LATEST = 200


@dataclass(frozen=True, slots=True)
class AskedChange:
    """A change; `standing` is asked, made, refused or failed, `outcome` says it in words.

    `id` is that of the run that carries it through, and of the proposal where one was made.
    `decided_by` is who agreed, or did not.
    """

    id: UUID
    case_id: UUID
    case_number: str
    may_open_case: bool
    kind: str
    process: str
    words: str
    parameters: Mapping[str, Any]
    standing: str
    outcome: str
    asked_by: str
    asked_at: datetime
    decided_by: str | None


def changes_asked(*, principal: Principal, process: str | None = None) -> tuple[AskedChange, ...]:
    """Return the latest changes that were asked for, of one flow or of all, newest first.

    Raises:
        FlowReadersOnly: the flows are not theirs to look at.
    """
    require_flow_reader(principal)
    found_changes = asked_by_flow(CHANGE_FLOW, principal=principal)
    return tuple(each for each in found_changes if process in {None, each.process})


def change_of_case(*, case_id: UUID, principal: Principal) -> AskedChange | None:
    """Return the change that a case decides on, if it decides on one a person may read."""
    changes = asked_by_flow(CHANGE_FLOW, case_id=case_id, principal=principal)
    return next((each for each in changes if each.may_open_case), None)


def asked_by_flow(
    flow: str, *, principal: Principal, case_id: UUID | None = None, limit: int = _LATEST
) -> tuple[AskedChange, ...]:
    """Return the latest changes that a flow was begun for, or that of one case, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_ASKED, {"flow": flow, "case": case_id, "limit": limit})
        rows = cursor.fetchall()
    readable = readers.readable_cases((row[1] for row in rows), principal)
    return tuple(_change(row, may_open_case=row[1] in readable) for row in rows)


_ASKED = """
SELECT i.id, i.case_id, c.number, i.state, i.principal, i.started_at, i.ended_at IS NOT NULL,
       (SELECT t.closed_by FROM orch_task t WHERE t.instance_id = i.id AND t.kind = 'approval'
         ORDER BY t.closed_at DESC NULLS LAST LIMIT 1)
  FROM orch_instance i JOIN orch_case c ON c.id = i.case_id
 WHERE i.process = %(flow)s AND (%(case)s::uuid IS NULL OR i.case_id = %(case)s)
 ORDER BY i.started_at DESC, i.id LIMIT %(limit)s
"""


def _change(row: tuple[Any, ...], *, may_open_case: bool) -> AskedChange:
    change_id, case_id, number, text, asked_by, asked_at, is_ended, decided_by = row
    asked = plain_mapping(from_text(text, InstanceState).variables)
    standing, outcome = _standing(asked, is_ended=is_ended)
    parameters = asked.get("parameters")
    return AskedChange(
        id=change_id,
        case_id=case_id,
        case_number=number,
        may_open_case=may_open_case,
        kind=str(asked.get("change", "")),
        process=str(asked.get("process", "")),
        words=str(asked.get("words", "")),
        parameters=parameters if isinstance(parameters, Mapping) else {},
        standing=standing,
        outcome=outcome,
        asked_by=principal_from(asked_by).id,
        asked_at=asked_at,
        decided_by=decided_by,
    )


def _standing(asked: Mapping[str, object], *, is_ended: bool) -> tuple[str, str]:
    """Return what became of a change, as its flow keeps it, and in its own words."""
    for standing, place in (("refused", "denial"), ("failed", "core_refusal")):
        if place in asked:
            return standing, str(found(asked, f"{place}.message") or "")
    if "made" in asked:
        return "made", str(found(asked, "made.words") or "")
    return ("failed", "Ended by hand.") if is_ended else ("asked", "")
