"""What Sentinel can tell a person about themselves: decisions with their logic, and who looked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from sentinel.policy.words import bundles
from sentinel.reading import DecisionFilter, decisions
from sentinel.refusals import known_reason

_MORE = """
SELECT id, audience, approval_id IS NOT NULL FROM sentinel_decision
WHERE id = ANY (%s)
"""
_ACCESSES = """
SELECT recorded_at, c ->> 'principal', c ->> 'resource', c ->> 'result' FROM (
  SELECT r.recorded_at, convert_from(r.body, 'UTF8')::jsonb -> 'content' AS c
  FROM sentinel_record r WHERE r.kind = 'access') x
WHERE c ->> 'resource' = ANY (%s) ORDER BY recorded_at DESC LIMIT %s
"""
LIMIT = 500


@dataclass(frozen=True, slots=True)
class DecisionAbout:
    """One decision about a person, with its logic in the words that are meant for them."""

    id: UUID
    at: datetime
    action_kind: str
    words: str
    purpose: str
    verdict: str
    decided_for: str
    is_automated: bool
    logic: tuple[str, ...]
    sent_to: str | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class AccessAbout:
    """Somebody of the bank who read something about a person, or was refused it."""

    at: datetime
    principal_id: str
    resource: str
    result: str


def decisions_about(*, subject: str, limit: int = LIMIT) -> tuple[DecisionAbout, ...]:
    """Return the latest decisions about somebody, newest first; what was erased stays unsaid."""
    rows = decisions(filters=DecisionFilter(actor=subject), limit=limit).rows
    with connection.cursor() as cursor:
        cursor.execute(_MORE, [[row.id for row in rows]])
        more = {found[0]: found[1:] for found in cursor.fetchall()}
    words = {policy.policy_id: policy.customer for each in bundles() for policy in each.policies}
    return tuple(
        DecisionAbout(
            id=row.id,
            at=row.decided_at,
            action_kind=row.action_kind,
            words=row.wording,
            purpose=row.purpose,
            verdict=row.verdict,
            decided_for=row.principal_id,
            # A second person looked at it, or nobody but the rules did.
            is_automated=not more[row.id][1],
            logic=tuple(words.get(each) or known_reason(each) for each in row.policy_ids),
            sent_to=more[row.id][0] if row.outcome == "done" else None,
            outcome=row.outcome,
        )
        for row in rows
    )


def accesses_about(*, resources: Sequence[str], limit: int = LIMIT) -> tuple[AccessAbout, ...]:
    """Return who read these things, or was refused them, newest first, from the evidence log."""
    with connection.cursor() as cursor:
        cursor.execute(_ACCESSES, [list(resources), limit])
        return tuple(AccessAbout(*row) for row in cursor.fetchall())
