"""Everything a decision needs from the database, in one round trip.

The customer is locked first, in a statement of its own: a statement sees what was committed when
it began, so what is read after the lock includes whoever held it before.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sentinel.limits import DAILY_OUTGOING
from sentinel.store import Statement, run

LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(frontline_entity() || '|' || %s, 7))"
GATHER = """
SELECT clock_timestamp(),
  (SELECT coalesce(max(position), 0) || ':' || count(*) FROM sentinel_publication
    WHERE effective_from <= %(at)s),
  (SELECT json_build_array(coalesce(max(k.position), 0),
      array_agg(k.scope) FILTER (WHERE k.is_stopped))
    FROM unnest(%(scopes)s::text[]) asked CROSS JOIN LATERAL (
      SELECT position, scope, is_stopped FROM sentinel_kill_switch
      WHERE scope = asked ORDER BY position DESC LIMIT 1) k),
  (SELECT coalesce(wrapped, ''::bytea) FROM sentinel_subject_key WHERE subject = %(subject)s),
  (SELECT json_object_agg(l.name, l.cap_minor) FROM (SELECT DISTINCT ON (name) name, cap_minor
      FROM sentinel_limit WHERE holder IN ('*', %(holder)s) AND currency = %(currency)s
      AND effective_from <= %(at)s ORDER BY name, (holder = '*'), position DESC) l),
  (SELECT used_minor FROM sentinel_usage WHERE holder = %(holder)s AND day = %(day)s
    AND name = %(limit)s AND currency = %(currency)s),
  (SELECT json_build_object('token', r.token, 'kind', r.action_kind,
      'params', encode(r.params_hash, 'hex'), 'outcome', (
        SELECT json_build_object('kind', o.kind, 'code', o.code, 'reference', o.reference,
          'position', o.position, 'words', o.words, 'at', o.recorded_at)
        FROM sentinel_outcome o WHERE o.decision_id = r.token ORDER BY o.is_final DESC LIMIT 1))
    FROM sentinel_redemption r WHERE r.idempotency_key = %(key)s),
  (SELECT json_agg(json_build_object('id', a.id, 'role', a.role, 'state', a.state,
      'params', encode(a.params_hash, 'hex'), 'expires', a.expires_at))
    FROM sentinel_approval_request a
    WHERE a.case_id = %(case)s AND a.action_kind = %(kind)s
    AND a.state IN ('open', 'approved', 'rejected')
    AND NOT EXISTS (SELECT FROM sentinel_redemption s WHERE s.approval_id = a.id)),
  (SELECT json_agg(json_build_object('id', c.id, 'params', encode(c.params_hash, 'hex'),
      'attempts', c.attempts, 'expires', c.expires_at, 'satisfied', c.satisfied_at))
    FROM sentinel_challenge c
    WHERE c.case_id = %(case)s AND c.action_kind = %(kind)s AND c.principal_id = %(customer)s
    AND NOT EXISTS (SELECT FROM sentinel_redemption s WHERE s.challenge_id = c.id)),
  (SELECT json_build_array(used_minor, used_count) FROM sentinel_exemption
    WHERE principal_id = %(customer)s AND currency = %(currency)s),
  (SELECT r.recorded_at FROM sentinel_pending p JOIN sentinel_record r ON r.id = p.record_id
    ORDER BY p.seq LIMIT 1)
"""


@dataclass(frozen=True, slots=True)
class Question:
    """What to look up for one proposed action."""

    at: datetime
    scopes: list[str]
    subject: str
    holder: str
    customer: str
    currency: str
    idempotency_key: str
    case_id: UUID
    kind: str
    is_serial: bool


@dataclass(frozen=True, slots=True)
class ApprovalOnFile:
    """An approval request of this case and kind that has not been used."""

    id: UUID
    role: str
    state: str
    params_hash: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ChallengeOnFile:
    """A second-factor challenge of this case and kind that has not been used."""

    id: UUID
    params_hash: str
    attempts: int
    expires_at: datetime
    satisfied_at: datetime | None


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the database knows when a decision is taken. `now` is the database's clock."""

    now: datetime
    publications: str
    epoch: int
    stopped: tuple[str, ...]
    wrapped_key: bytes | None
    caps: Mapping[str, int]
    used_minor: int
    spent: Mapping[str, Any] | None
    approvals: tuple[ApprovalOnFile, ...]
    challenges: tuple[ChallengeOnFile, ...]
    exempted: tuple[int, int]
    oldest_pending: datetime | None


def gather(question: Question) -> Gathered:
    """Return what the database knows, after locking the customer if the action is serial."""
    statements: list[Statement] = [(GATHER, _parameters(question))]
    if question.is_serial:
        statements.insert(0, (LOCK, [question.subject]))
    ((row,),) = run(statements)[-1:]
    epoch, stopped = _json(row[2])
    return Gathered(
        now=row[0],
        publications=row[1],
        epoch=epoch,
        stopped=tuple(stopped or ()),
        wrapped_key=row[3],
        caps=_json(row[4]) or {},
        used_minor=row[5] or 0,
        spent=_json(row[6]),
        approvals=tuple(_approval(item) for item in _json(row[7]) or ()),
        challenges=tuple(_challenge(item) for item in _json(row[8]) or ()),
        exempted=tuple(_json(row[9]) or (0, 0)),
        oldest_pending=row[10],
    )


def _parameters(question: Question) -> Mapping[str, object]:
    return {
        "at": question.at,
        "case": question.case_id,
        "currency": question.currency,
        "customer": question.customer,
        "day": question.at.date(),
        "holder": question.holder,
        "key": question.idempotency_key,
        "kind": question.kind,
        "limit": DAILY_OUTGOING,
        "scopes": question.scopes,
        "subject": question.subject,
    }


def _json(value: Any) -> Any:  # noqa: ANN401 - PostgreSQL's JSON, as text under Django
    return json.loads(value) if isinstance(value, str) else value


def _approval(item: Mapping[str, Any]) -> ApprovalOnFile:
    return ApprovalOnFile(
        UUID(item["id"]),
        item["role"],
        item["state"],
        item["params"],
        datetime.fromisoformat(item["expires"]),
    )


def _challenge(item: Mapping[str, Any]) -> ChallengeOnFile:
    satisfied = item["satisfied"]
    return ChallengeOnFile(
        UUID(item["id"]),
        item["params"],
        item["attempts"],
        datetime.fromisoformat(item["expires"]),
        datetime.fromisoformat(satisfied) if satisfied else None,
    )
