"""The journal of effects in systems outside, over all cases: what is planned, done or unknown."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection

from orchestration import act
from orchestration.durable.definitions import flow_of
from orchestration.durable.undoing import is_undoing
from orchestration.operating.role import require_operations
from orchestration.operating.running import step_name
from orchestration.worklist import readers
from sentinel.vocabulary import Outcome, Principal

EFFECT_STATES = ("planned", "under_way", "unknown", "done", "not_done", "refused", "compensated")
_OPEN_STATES = frozenset({"planned", "under_way", "unknown"})
_LOOKED_AT = 1_000


@dataclass(frozen=True, slots=True)
class EffectRow:
    """One effect a run wants of a system outside.

    `state` is planned (nothing was sent), under_way, unknown (sent, and not known what came of it),
    done, not_done, refused, or compensated: it undid another. `decision_id` is that of its latest
    try.
    """

    instance_id: UUID
    node: str
    visit: int
    step: str
    action_kind: str
    state: str
    words: str
    tries: int
    decision_id: UUID | None
    case_id: UUID
    case_number: str
    may_open_case: bool
    wanted_at: datetime


_FOUND = """
SELECT e.instance_id, e.node, e.visit, e.action_kind, e.state, e.answer::jsonb ->> 'kind', e.tries,
       (SELECT t.token FROM orch_effect_token t WHERE t.instance_id = e.instance_id
           AND t.node = e.node AND t.visit = e.visit ORDER BY t.try DESC LIMIT 1),
       i.case_id, coalesce(c.number, ''), i.definition, e.wanted_at
  FROM orch_effect e JOIN orch_instance i ON i.id = e.instance_id
  LEFT JOIN orch_case c ON c.id = i.case_id
 WHERE (%(text)s = '' OR e.action_kind ILIKE %(like)s OR c.number ILIKE %(like)s)
   AND (%(is_open)s::boolean IS NULL OR (e.state = 'wanted') = %(is_open)s)
 ORDER BY e.wanted_at DESC, e.instance_id, e.node, e.visit LIMIT %(limit)s
"""


def effect_rows(
    *, principal: Principal, state: str = "", search: str = "", limit: int = 100
) -> tuple[EffectRow, ...]:
    """Return effects in systems outside, newest first: of one state, or all; by action or case.

    Raises:
        OperationsOnly: the principal is not of operations.
    """
    require_operations(principal)
    plain = search.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
    # What is unfinished is looked for among the unfinished: newer work does not hide it.
    given = {
        "text": search,
        "like": f"%{plain}%",
        "is_open": state in _OPEN_STATES if state else None,
        "limit": _LOOKED_AT,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FOUND, given)
        rows = cursor.fetchall()
    outcomes = act.outcomes_of_tokens([row[7] for row in rows if row[7]])
    readable = readers.readable_cases((row[8] for row in rows), principal)
    found = (_row(row, outcomes.get(row[7]), may_read=row[8] in readable) for row in rows)
    return tuple(islice((row for row in found if state in {"", row.state}), limit))


def _row(row: tuple[Any, ...], outcome: Outcome | None, *, may_read: bool) -> EffectRow:
    instance_id, node, visit, kind, stored, answer, tries, token, case_id, number, digest, at = row
    flow = flow_of(digest)
    state = _state(stored, answer, outcome.kind.value if outcome else "", is_begun=bool(token))
    if state == "done" and is_undoing(flow.definition, node):
        state = "compensated"
    return EffectRow(
        instance_id=instance_id,
        node=node,
        visit=visit,
        step=step_name(flow, node, {}),
        action_kind=kind,
        state=state,
        words=outcome.words if outcome else "",
        tries=tries,
        decision_id=token,
        case_id=case_id,
        case_number=number,
        may_open_case=bool(number) and may_read,
        wanted_at=at,
    )


def _state(stored: str, answer: str | None, outcome: str, *, is_begun: bool) -> str:
    if stored == "wanted":
        if not is_begun:
            return "planned"
        return "unknown" if outcome == "unknown" else "under_way"
    return {"answered": "done", "refused": "refused"}.get(str(answer), "not_done")
