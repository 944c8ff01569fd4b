"""Every token ends in a recorded outcome: done, failed, unknown until asked, or expired."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from sentinel.entities import legal_entities, legal_entity
from sentinel.identifiers import uuid7
from sentinel.log.records import append_statement
from sentinel.refusals import SentinelError
from sentinel.store import Row, run_one
from sentinel.vocabulary import Outcome, OutcomeKind

EXPIRY_GRACE_SECONDS = 10
# A decision may commit long after its token expired; the sweep looks back this far.
OVERLAP_SECONDS = 900
SWEEP_LIMIT = 500
IN_PROGRESS = "in_progress"

_RECORD = "SELECT sentinel_record_outcome(%s, %s, %s, %s, %s, %s, %s, %s)"
_AUDIENCE = "SELECT audience FROM sentinel_decision WHERE id = %s AND verdict = 'permit'"
_REDEEMED = "SELECT FROM sentinel_redemption WHERE token = %s"
_OUTCOME = """
SELECT decision_id, kind, code, reference, position, words, recorded_at FROM sentinel_outcome
WHERE decision_id = %s ORDER BY is_final DESC LIMIT 1
"""
_OUTCOMES = """
SELECT DISTINCT ON (decision_id) decision_id, kind, code, reference, position, words, recorded_at
FROM sentinel_outcome WHERE decision_id = ANY(%s::uuid[]) ORDER BY decision_id, is_final DESC
"""
_OPEN = """
SELECT d.id, d.action_kind, d.case_id, d.idempotency_key, d.audience, d.expires_at,
  EXISTS (SELECT FROM sentinel_redemption WHERE token = d.id)
FROM sentinel_decision d
WHERE d.expires_at < clock_timestamp() - make_interval(secs => %s)
AND NOT EXISTS (SELECT FROM sentinel_outcome o WHERE o.decision_id = d.id AND o.is_final)
ORDER BY d.expires_at LIMIT %s
"""
_LAPSED = """
SELECT d.id FROM sentinel_decision d
WHERE d.expires_at >= coalesce(
    (SELECT swept_until - make_interval(secs => %s) FROM sentinel_sweep), '-infinity')
AND d.expires_at < clock_timestamp() - make_interval(secs => %s)
AND NOT EXISTS (SELECT FROM sentinel_redemption WHERE token = d.id)
AND NOT EXISTS (SELECT FROM sentinel_outcome o WHERE o.decision_id = d.id AND o.is_final)
ORDER BY d.expires_at LIMIT %s
"""
_SWEPT = """
INSERT INTO sentinel_sweep (swept_until)
VALUES (clock_timestamp() - make_interval(secs => %s))
ON CONFLICT (entity) DO UPDATE SET swept_until = excluded.swept_until
"""


class OutcomeRefused(SentinelError):
    """This outcome cannot be recorded: no such permit, never redeemed, or ended otherwise."""

    code = "outcome_refused"

    def __init__(self, decision_id: str, kind: str, recorded: str) -> None:
        super().__init__(decision_id, kind, recorded)
        self.decision_id, self.kind, self.recorded = decision_id, kind, recorded


@dataclass(frozen=True, slots=True)
class OpenToken:
    """A permit without a final outcome; if it was redeemed, the other system must be asked."""

    decision_id: UUID
    action_kind: str
    case_id: UUID
    idempotency_key: str
    audience: str
    expires_at: datetime
    is_redeemed: bool


def audience_of(*, decision_id: UUID) -> str | None:
    """Return which connector a permit was made out to, or None if there is no such permit."""
    rows = run_one(_AUDIENCE, [decision_id])
    return str(rows[0][0]) if rows else None


def record_outcome(  # noqa: PLR0913 - an outcome has these parts
    *,
    decision_id: UUID,
    kind: OutcomeKind,
    code: str,
    reference: str = "",
    position: str = "",
    words: str = "",
    is_redeemed_first: bool = False,
    new_id: Callable[[], UUID] = uuid7,
) -> Outcome:
    """Record how a permitted action ended; saying the same twice returns the first.

    `words` are the bank's own and name nobody. What was reserved against a limit is settled when
    done, released when failed or expired, and stays held while unknown. With `is_redeemed_first`
    nothing is said of a permit that was not redeemed, not even that it failed.

    Raises:
        OutcomeRefused: there is no such permit, it was never redeemed, or it ended otherwise.
    """
    if is_redeemed_first and not run_one(_REDEEMED, [decision_id]):
        found = outcome_of(decision_id=decision_id)
        raise OutcomeRefused(str(decision_id), kind.value, found.kind.value if found else "")
    body = {"code": code, "outcome": kind.value, "position": position, "reference": reference}
    record = append_statement(
        kind="executed" if kind is OutcomeKind.DONE else "outcome",
        body=body,
        decision_id=decision_id,
        new_id=new_id,
    )
    values = [decision_id, kind.value, code, reference, position, words, record.record_id]
    ((recorded_at,),) = run_one(_RECORD, [*values, *record.parameters])
    if recorded_at is not None:
        return Outcome(decision_id, kind, code, reference, position, words, recorded_at)
    return _recorded(decision_id, kind)


def outcome_of(*, decision_id: UUID) -> Outcome | None:
    """Return the outcome of a decision, the final one if there is one."""
    rows = run_one(_OUTCOME, [decision_id])
    return _outcome(rows[0]) if rows else None


def outcomes_of(*, decision_ids: Collection[UUID]) -> Mapping[UUID, Outcome]:
    """Return the outcomes of decisions that have one, the final one where there is one."""
    found = run_one(_OUTCOMES, [list(decision_ids)]) if decision_ids else ()
    return {row[0]: _outcome(row) for row in found}


def outcome_then(decision_id: UUID, found: Mapping[str, Any] | None, at: datetime) -> Outcome:
    """Return the outcome of an earlier permit, from what a look-up found of it, if anything."""
    if found is None:
        return Outcome(decision_id, OutcomeKind.UNKNOWN, IN_PROGRESS, "", "", "", at)
    return Outcome(
        decision_id,
        OutcomeKind(found["kind"]),
        found["code"],
        found["reference"],
        found["position"],
        found["words"],
        datetime.fromisoformat(found["at"]).astimezone(UTC),
    )


def open_tokens(*, older_than_seconds: int, limit: int = SWEEP_LIMIT) -> tuple[OpenToken, ...]:
    """Return permits without a final outcome that expired at least so long ago, oldest first."""
    return tuple(OpenToken(*row) for row in run_one(_OPEN, [older_than_seconds, limit]))


def expire_tokens_once(*, limit: int = SWEEP_LIMIT) -> int:
    """End permits that nobody redeemed in time, in every legal entity; return how many."""
    return sum(_expire(registered.entity, limit) for registered in legal_entities())


def _expire(entity: str, limit: int) -> int:
    with legal_entity(entity=entity), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_LAPSED, [OVERLAP_SECONDS, EXPIRY_GRACE_SECONDS, limit])
            lapsed = [row[0] for row in cursor.fetchall()]
            if len(lapsed) < limit:
                cursor.execute(_SWEPT, [EXPIRY_GRACE_SECONDS])
        for decision_id in lapsed:
            record_outcome(decision_id=decision_id, kind=OutcomeKind.EXPIRED, code="not_redeemed")
    return len(lapsed)


def _recorded(decision_id: UUID, kind: OutcomeKind) -> Outcome:
    found = outcome_of(decision_id=decision_id)
    if found is None:
        raise OutcomeRefused(str(decision_id), kind.value, "")
    if found.kind is not kind and kind is not OutcomeKind.UNKNOWN:
        raise OutcomeRefused(str(decision_id), kind.value, found.kind.value)
    return found


def _outcome(row: Row) -> Outcome:
    decision_id, kind, code, reference, position, words, recorded_at = row
    return Outcome(decision_id, OutcomeKind(kind), code, reference, position, words, recorded_at)
