"""Who put a run right by hand: the one who asked for it, and the one who agreed."""

from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

import sentinel.public
from orchestration.durable import statements
from orchestration.operating.telling import RunLine

_DECISION = "decision:"


def told_by_people(instance_id: UUID, lines: Iterable[RunLine]) -> tuple[RunLine, ...]:
    """Name the two people behind what was done under a decision; other lines stay as they are."""
    told = tuple(lines)
    if not any(line.by.startswith(_DECISION) for line in told):
        return told
    people = _people(instance_id)
    return tuple(
        replace(line, by=people[line.by][0], agreed_by=people[line.by][1])
        if line.by in people
        else line
        for line in told
    )


def _people(instance_id: UUID) -> dict[str, tuple[str, str]]:
    """Return who asked and who agreed, by the decision under which it was done."""
    found = statements.run(
        "SELECT decision_id, asked_by, request_id FROM orch_intervention"
        " WHERE instance_id = %s AND decision_id IS NOT NULL",
        [instance_id],
    )
    return {
        f"{_DECISION}{decision}": (asked, _agreed(request)) for decision, asked, request in found
    }


def _agreed(request_id: UUID | None) -> str:
    if request_id is None:
        return ""
    answers = sentinel.public.approvals_of(request_id=request_id)
    return next((each.approver_id for each in answers if each.verdict == "approve"), "")
