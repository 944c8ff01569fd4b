"""Decisions for those who may look at them: listed, filtered and counted."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.db import connection

from sentinel.catalogue import UnknownAction, action_kind
from sentinel.entities import current_entity
from sentinel.refusals import SentinelError
from sentinel.sealing import unseal_values, unwrap_key
from sentinel.vocabulary import Money

LIMIT_MAX = 500
# Shared with the counts over time, so that a list and its plot speak of the same decisions.
OUTCOME = """
LEFT JOIN LATERAL (SELECT kind FROM sentinel_outcome x WHERE x.decision_id = d.id
  ORDER BY is_final DESC LIMIT 1) o ON true
"""
CONDITIONS = """
WHERE (%(verdict)s::text IS NULL OR d.verdict = %(verdict)s)
AND (%(action_kind)s::text IS NULL OR d.action_kind = %(action_kind)s)
AND (%(actor)s::text IS NULL OR %(actor)s IN (d.principal_id, d.subject))
AND (%(policy_id)s::text IS NULL OR %(policy_id)s = ANY (d.policies))
AND (%(emergency_id)s::uuid IS NULL OR d.emergency_id = %(emergency_id)s)
AND (%(case_id)s::uuid IS NULL OR d.case_id = %(case_id)s)
AND (%(outcome)s::text IS NULL OR o.kind = %(outcome)s)
AND (%(since)s::timestamptz IS NULL OR d.decided_at >= %(since)s)
AND (%(until)s::timestamptz IS NULL OR d.decided_at < %(until)s)
AND (%(search)s = '' OR starts_with(d.id::text, %(search)s)
  OR starts_with(d.case_id::text, %(search)s) OR starts_with(d.principal_id, %(search)s)
  OR starts_with(d.subject, %(search)s))
"""
_COLUMNS = (
    """
SELECT d.id, d.decided_at, d.verdict, d.action_kind, d.principal_id, d.subject, d.policies,
  d.case_id, d.purpose, d.resource, d.remedy, d.bundle, d.audience, d.expires_at, d.approval_id,
  d.challenge_id, d.idempotency_key, d.emergency_id, encode(d.params_hash, 'hex') AS params_hash,
  o.kind AS outcome, p.sealed, k.wrapped
FROM sentinel_decision d
"""
    + OUTCOME
    + """
LEFT JOIN sentinel_decision_parameters p ON p.decision_id = d.id
LEFT JOIN sentinel_subject_key k ON k.entity = d.entity AND k.subject = d.subject
"""
)
_ONE = _COLUMNS + "WHERE d.id = %s"
_FILTERED = (
    _COLUMNS
    + CONDITIONS
    + """
AND (%(before_at)s::timestamptz IS NULL OR (d.decided_at, d.id) < (%(before_at)s, %(before_id)s))
ORDER BY d.decided_at DESC, d.id DESC LIMIT %(limit)s
"""
)
_FACETS = """
SELECT d.verdict, d.action_kind, coalesce(o.kind, ''), count(*) FROM sentinel_decision d
LEFT JOIN LATERAL (SELECT kind FROM sentinel_outcome x WHERE x.decision_id = d.id
  ORDER BY is_final DESC LIMIT 1) o ON true
WHERE d.decided_at >= %s GROUP BY 1, 2, 3
"""


class CursorRefused(SentinelError):
    """The cursor is not one this list gave out."""

    code = "cursor_refused"


class DecisionUnknown(SentinelError):
    """This legal entity has no decision of this id."""

    code = "decision_unknown"

    def __init__(self, decision_id: str) -> None:
        super().__init__(decision_id)
        self.decision_id = decision_id


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions to list; what is None is not asked for.

    `search` is the beginning of the id of a decision, a case or a person.
    """

    verdict: str | None = None
    action_kind: str | None = None
    actor: str | None = None
    policy_id: str | None = None
    case_id: UUID | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""
    emergency_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class DecisionRow:
    """One decision in a list. Amount and wording are gone once the subject is forgotten."""

    id: UUID
    decided_at: datetime
    verdict: str
    action_kind: str
    wording: str
    principal_id: str
    principal_kind: str
    on_behalf_of: str | None
    amount: Money | None
    policy_ids: tuple[str, ...]
    outcome: str | None
    case_id: UUID
    purpose: str
    emergency_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class DecisionPage:
    """Some decisions, newest first, and where to go on."""

    rows: tuple[DecisionRow, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class DecisionFacets:
    """How many decisions there were, by each thing one can filter by."""

    verdicts: Mapping[str, int]
    action_kinds: Mapping[str, int]
    outcomes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision as it is stored, with its sealed values read if they still can be."""

    row: DecisionRow
    columns: Mapping[str, Any]
    values: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))


def decisions(
    *, filters: DecisionFilter, cursor: str | None = None, limit: int = 50
) -> DecisionPage:
    """Return decisions that fit the filters, newest first.

    Raises:
        CursorRefused: the cursor is not one this list gave out.
    """
    count = min(max(limit, 1), LIMIT_MAX)
    before_at, before_id = _position(cursor) if cursor else (None, None)
    asked = asked_for(filters) | {
        "before_at": before_at,
        "before_id": before_id,
        "limit": count + 1,
    }
    found = [_stored(columns).row for columns in _query(_FILTERED, asked)]
    rows = tuple(found[:count])
    return DecisionPage(rows, _cursor(rows[-1]) if len(found) > count else None)


def asked_for(filters: DecisionFilter) -> dict[str, Any]:
    """Return what the conditions ask for, by name."""
    return {name: getattr(filters, name) for name in DecisionFilter.__dataclass_fields__}


def decision_facets(*, since: datetime) -> DecisionFacets:
    """Return how many decisions there were since a moment, for the filters of a list."""
    verdicts: dict[str, int] = {}
    kinds: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(_FACETS, [since])
        for verdict, kind, outcome, count in cursor.fetchall():
            verdicts[verdict] = verdicts.get(verdict, 0) + count
            kinds[kind] = kinds.get(kind, 0) + count
            if outcome:
                outcomes[outcome] = outcomes.get(outcome, 0) + count
    return DecisionFacets(verdicts, kinds, outcomes)


def stored_decision(decision_id: UUID) -> StoredDecision:
    """Return one decision with its clear values, if its subject has not been forgotten.

    Raises:
        DecisionUnknown: there is none of this id.
    """
    found = _query(_ONE, [decision_id])
    if not found:
        raise DecisionUnknown(str(decision_id))
    return _stored(found[0])


def money_of(kind: str, parameters: Mapping[str, Any]) -> Money | None:
    """Return the amount that limits count, from plain parameters."""
    try:
        fields = action_kind(kind).money_fields
    except UnknownAction:
        return None
    value = parameters.get(fields[0]) if fields else None
    return Money(value["minor_units"], value["currency"]) if isinstance(value, dict) else None


def wording_of(kind: str, parameters: Mapping[str, Any]) -> str:
    """Return an action in words: the catalogue's sentence with its parameters filled in."""
    try:
        wording = action_kind(kind).wording
    except UnknownAction:
        return kind
    return wording.format_map(_Spoken({name: _spoken(v) for name, v in parameters.items()}))


class _Spoken(dict[str, str]):
    """Parameters as words; what is not known is left open."""

    def __missing__(self, key: str) -> str:
        return "…"


def _spoken(value: object) -> str:
    if isinstance(value, dict) and set(value) == {"minor_units", "currency"}:
        money = Money(value["minor_units"], value["currency"])
        whole, dot, rest = money.as_decimal().partition(".")
        sign = "-" if whole.startswith("-") else ""
        return f"{money.currency} {sign}{int(whole.removeprefix('-')):,}{dot}{rest}"
    return str(value)


def _query(sql: str, parameters: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a list or a mapping
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _stored(columns: Mapping[str, Any]) -> StoredDecision:
    values = _values(columns)
    parameters = values.get("parameters") or {}
    kind, principal, subject = columns["action_kind"], columns["principal_id"], columns["subject"]
    row = DecisionRow(
        id=columns["id"],
        decided_at=columns["decided_at"],
        verdict=columns["verdict"],
        action_kind=kind,
        wording=wording_of(kind, parameters),
        principal_id=principal,
        principal_kind=principal.partition(":")[0],
        on_behalf_of=None if subject == principal else subject,
        amount=money_of(kind, parameters),
        policy_ids=tuple(columns["policies"]),
        outcome=columns["outcome"],
        case_id=columns["case_id"],
        purpose=columns["purpose"],
        emergency_id=columns["emergency_id"],
    )
    return StoredDecision(row, columns, values)


def _values(columns: Mapping[str, Any]) -> Mapping[str, Any]:
    if columns["sealed"] is None or columns["wrapped"] is None:
        return {}
    entity = current_entity()
    key = unwrap_key(entity, columns["subject"], bytes(columns["wrapped"]))
    bound = f"decision/v1|{entity}|{columns['id']}"
    return unseal_values(key, bytes(columns["sealed"]), bound_to=bound)


def _cursor(row: DecisionRow) -> str:
    text = json.dumps([row.decided_at.isoformat(), str(row.id)])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _position(cursor: str) -> tuple[datetime, UUID]:
    try:
        moment, decision_id = json.loads(base64.urlsafe_b64decode(cursor))
        return datetime.fromisoformat(moment), UUID(decision_id)
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise CursorRefused from error
