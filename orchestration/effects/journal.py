"""The journal of effects: what a case has tried elsewhere, when, by which token, with what end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from orchestration import act

_TOKENS = """
SELECT t.token, t.instance_id, t.node, t.visit, t.try, e.action_kind, t.at
FROM orch_effect_token t
JOIN orch_effect e USING (instance_id, node, visit)
JOIN orch_instance i ON i.id = t.instance_id
WHERE i.case_id = %s ORDER BY t.at, t.token
"""


@dataclass(frozen=True, slots=True)
class EffectLine:
    """One thing that was tried with a token: `sent`, `asked`, or what came of either."""

    what: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EffectTry:
    """One token spent on an effect of another system, and everything that was tried with it.

    `end` is what Sentinel has on record: done, failed, unknown, or empty while it is under way.
    """

    token: UUID
    instance_id: UUID
    node: str
    visit: int
    number: int
    action_kind: str
    begun_at: datetime
    end: str
    code: str
    reference: str
    lines: tuple[EffectLine, ...]


def effects_of(*, case_id: UUID) -> tuple[EffectTry, ...]:
    """Return what a case has tried to bring about in systems outside, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(_TOKENS, [case_id])
        found = cursor.fetchall()
    lines = _lines([row[0] for row in found])
    return tuple(_try(row, lines.get(row[0], ())) for row in found)


def _try(
    row: tuple[UUID, UUID, str, int, int, str, datetime], lines: Sequence[EffectLine]
) -> EffectTry:
    outcome = act.outcome_of_token(row[0])
    return EffectTry(
        *row,
        end=outcome.kind.value if outcome else "",
        code=outcome.code if outcome else "",
        reference=outcome.reference if outcome else "",
        lines=tuple(lines),
    )


def _lines(tokens: Sequence[UUID]) -> dict[UUID, list[EffectLine]]:
    found: dict[UUID, list[EffectLine]] = {}
    for line in act.outside_lines(tokens):
        found.setdefault(line.token, []).append(EffectLine(line.what, line.detail, line.at))
    return found
