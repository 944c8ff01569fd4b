"""Decisions as they were put, read back from what was recorded, and judged once more.

Parameters and facts are unsealed, their sources and the chain come from the log's record, and what
was looked up then comes with them. A subject who was forgotten cannot be judged again.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from sentinel.asking import Judgement
from sentinel.catalogue import ParametersRefused, UnknownAction, action_kind, action_kinds
from sentinel.catalogue import typed_again as typed
from sentinel.counting import dimensions_of
from sentinel.entities import current_entity
from sentinel.gathering import Gathered
from sentinel.inputs import InputsUnreadable, chain_then, entry_then, gathered_then
from sentinel.judging import Proposal, judge
from sentinel.policy.bundles import bundle_from_text
from sentinel.policy.engine import Rules, compile_rules
from sentinel.principals import customer_of
from sentinel.reading import DecisionUnknown
from sentinel.sealing import SealBroken, unseal_values, unwrap_key
from sentinel.tolerances import Tolerances
from sentinel.vocabulary import Action, Fact, Provenance, Source

BATCH = 1_000
_COLUMNS = """
SELECT d.id, d.decided_at, d.verdict, d.action_kind, d.subject, d.principal_id, d.resource,
  d.case_id, d.purpose,
  d.idempotency_key, encode(d.params_hash, 'hex') AS params_hash, d.policies, d.bundle, d.remedy,
  p.sealed, k.wrapped, r.body
FROM sentinel_decision d
LEFT JOIN sentinel_decision_parameters p ON p.decision_id = d.id
LEFT JOIN sentinel_subject_key k ON k.entity = d.entity AND k.subject = d.subject
LEFT JOIN sentinel_record r ON r.id = d.record_id
"""
_ONE = _COLUMNS + "WHERE d.id = %s"
_THESE = _COLUMNS + "WHERE d.id = ANY (%s)"
_BRIEF = """
SELECT d.id, d.decided_at, d.verdict, d.action_kind, d.subject, d.principal_id, d.resource,
  d.case_id, d.idempotency_key, d.policies, d.bundle, d.remedy
FROM sentinel_decision d
WHERE (d.decided_at, d.id) > (%s, %s) AND d.decided_at <= %s
ORDER BY d.decided_at, d.id LIMIT %s
"""
_BETWEEN = (
    _COLUMNS
    + """
WHERE (d.decided_at, d.id) > (%s, %s) AND d.decided_at <= %s
ORDER BY d.decided_at, d.id LIMIT %s
"""
)
_NEWEST = """
SELECT min(decided_at) AS oldest FROM (SELECT decided_at FROM sentinel_decision
  WHERE decided_at <= %s ORDER BY decided_at DESC LIMIT %s) x
"""
_NEXT = """
SELECT max(decided_at) AS latest FROM (SELECT decided_at FROM sentinel_decision
  WHERE decided_at > %s AND decided_at <= %s ORDER BY decided_at LIMIT %s) x
"""
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision as it was put and as it was answered."""

    id: UUID
    at: datetime
    verdict: str
    policies: tuple[str, ...]
    remedy: str | None
    bundle: str
    steps: tuple[tuple[str, ...], ...]
    proposal: Proposal
    known: Gathered


@dataclass(frozen=True, slots=True)
class Rejudged:
    """One decision judged again under the very rules it was taken under."""

    decision_id: UUID
    recorded: str
    verdict: str
    recorded_policies: tuple[str, ...]
    policies: tuple[str, ...]
    is_same: bool


def recorded_decisions(
    since: datetime, until: datetime, left_out: Counter[str]
) -> Iterator[Recorded]:
    """Yield the decisions of a time in order; count those that cannot be judged again, by why."""
    at, last = since, _FIRST
    while True:
        rows = _query(_BETWEEN, [at, last, until, BATCH])
        for row in rows:
            try:
                yield recorded_row(row)
            except InputsUnreadable as error:
                left_out[error.why] += 1
        if len(rows) < BATCH:
            return
        at, last = rows[-1]["decided_at"], rows[-1]["id"]


def brief_batches(since: datetime, until: datetime) -> Iterator[list[Mapping[str, Any]]]:
    """Yield the decisions of a time in order, without what is sealed, a batch at a time."""
    at, last = since, _FIRST
    while rows := _query(_BRIEF, [at, last, until, BATCH]):
        yield rows
        at, last = rows[-1]["decided_at"], rows[-1]["id"]


def start_of_newest(count: int, until: datetime) -> datetime | None:
    """Return a moment after which there are so many decisions, or fewer; None if there are none."""
    rows = _query(_NEWEST, [until, count])
    oldest: datetime | None = rows[0]["oldest"]
    return None if oldest is None else oldest - timedelta(microseconds=1)


def end_of_next(count: int, since: datetime, until: datetime) -> datetime | None:
    """Return the moment of the last of the next so many decisions; None if there are none."""
    rows = _query(_NEXT, [since, until, count])
    latest: datetime | None = rows[0]["latest"]
    return latest


def full_rows(ids: Sequence[UUID]) -> dict[UUID, Mapping[str, Any]]:
    """Return decisions with what is sealed, by id."""
    return {row["id"]: row for row in _query(_THESE, [list(ids)])} if ids else {}


def recorded_decision(decision_id: UUID) -> Recorded:
    """Return one decision as it was put.

    Raises:
        DecisionUnknown: this legal entity has no decision of this id.
        InputsUnreadable: it cannot be judged again: forgotten, or from before inputs were kept.
    """
    rows = _query(_ONE, [decision_id])
    if not rows:
        raise DecisionUnknown(str(decision_id))
    return recorded_row(rows[0])


def rejudge(*, decision_id: UUID) -> Rejudged:
    """Judge a decision again, from what was recorded, under the rules it was taken under.

    Raises:
        DecisionUnknown: this legal entity has no decision of this id.
        InputsUnreadable: it cannot be judged again: forgotten, or from before inputs were kept.
        BundleRefused: the rules of then do not fit the catalogue of this release.
    """
    found = recorded_decision(decision_id)
    judgement = judge(found.proposal, found.known, rules_then(found.bundle))
    return Rejudged(
        decision_id,
        found.verdict,
        judgement.verdict.value,
        found.policies,
        judgement.policies,
        is_answered_alike(found, judgement),
    )


def is_answered_alike(found: Recorded, judgement: Judgement) -> bool:
    """Return whether a judgement is the recorded one: verdict, rules, remedy and every step."""
    steps = tuple((step.name, step.result, step.detail) for step in judgement.steps)
    said = (judgement.verdict.value, judgement.policies, judgement.remedy, steps)
    return said == (found.verdict, found.policies, found.remedy, found.steps)


@lru_cache(maxsize=16)
def rules_then(named: str) -> Rules:
    """Return the rules a decision names: its areas and the start of each digest.

    Raises:
        InputsUnreadable: they are not all here.
        BundleRefused: they do not fit the catalogue of this release.
    """
    starts = [part.partition("@")[2] for part in named.split()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT content FROM sentinel_bundle WHERE substr(digest, 1, 16) = ANY (%s)", [starts]
        )
        bundles = [bundle_from_text(content) for (content,) in cursor.fetchall()]
    if not starts or len(bundles) != len(starts):
        raise InputsUnreadable("without its rules")
    return compile_rules(bundles, action_kinds())


def _query(sql: str, values: list[Any]) -> list[Mapping[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def recorded_row(row: Mapping[str, Any]) -> Recorded:
    """Return a full row as it was put.

    Raises:
        InputsUnreadable: it cannot be judged again: forgotten, or from before inputs were kept.
    """
    if not row["bundle"]:
        raise InputsUnreadable("not judged by rules")
    values = values_of_row(row)
    inputs = values.get("inputs")
    if inputs is None:
        raise InputsUnreadable("before inputs were kept")
    said = json.loads(bytes(row["body"]))["content"]
    return Recorded(
        id=row["id"],
        at=row["decided_at"],
        verdict=row["verdict"],
        policies=tuple(row["policies"]),
        remedy=row["remedy"],
        bundle=row["bundle"],
        steps=tuple(tuple(step) for step in said["steps"]),
        proposal=_proposal(row, values, inputs, said),
        known=gathered_then(inputs),
    )


def values_of_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what of a full row is sealed.

    Raises:
        InputsUnreadable: its subject was forgotten, or somebody altered it.
    """
    if row["wrapped"] is None or row["sealed"] is None:
        raise InputsUnreadable("erased")
    entity = current_entity()
    try:
        key = unwrap_key(entity, row["subject"], bytes(row["wrapped"]))
        bound_to = f"decision/v1|{entity}|{row['id']}"
        return unseal_values(key, bytes(row["sealed"]), bound_to=bound_to)
    except SealBroken as error:
        raise InputsUnreadable("altered") from error


def _proposal(
    row: Mapping[str, Any],
    values: Mapping[str, Any],
    inputs: Mapping[str, Any],
    said: Mapping[str, Any],
) -> Proposal:
    action = Action(
        kind=row["action_kind"],
        parameters=values["parameters"],
        resource=values["resource"],
        case_id=row["case_id"],
        idempotency_key=row["idempotency_key"],
        sources={
            name: Source(Provenance(provenance), reference)
            for name, (provenance, reference) in said["sources"].items()
        },
    )
    try:
        entry = entry_then(action_kind(action.kind), inputs)
        parameters = typed(entry, action.parameters)
    except (UnknownAction, ParametersRefused) as error:
        raise InputsUnreadable("another catalogue") from error
    principal = chain_then(inputs, said["chain"])
    facts = tuple(
        Fact(name, values["facts"][name], source, datetime.fromisoformat(seen))
        for name, source, seen in said["facts"]
    )
    return Proposal(
        entity=current_entity(),
        action=action,
        entry=entry,
        typed=parameters,
        params_hash=row["params_hash"],
        principal=principal,
        customer=customer_of(principal),
        facts=facts,
        purpose=row["purpose"],
        at=row["decided_at"],
        dimensions=dimensions_of(
            action=action,
            entry=entry,
            amount=parameters.amount,
            principal=principal,
            facts=facts,
            purpose=row["purpose"],
            at=row["decided_at"],
        ),
        # Before clocks were compared every moment was taken for what it said.
        tolerated=Tolerances(inputs["lag_max"], inputs.get("clock_max", math.inf)),
    )
