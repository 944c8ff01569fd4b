"""One decision explained: who, for whom, by which rules, on which facts, and what came of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from sentinel.approvals import approval_request, approvals_of
from sentinel.entities import current_entity
from sentinel.log.reading import records_of
from sentinel.log.records import LogRecord
from sentinel.outcomes import outcome_of
from sentinel.policy.bundles import Bundle, bundle_from_text
from sentinel.policy.words import PolicyView, policy_view
from sentinel.reading import DecisionRow, StoredDecision, stored_decision
from sentinel.refusals import reason
from sentinel.tokens import ALGORITHM, TYPE, issuer_of
from sentinel.vocabulary import Outcome

FORGOTTEN = "(erased)"
_STEP_WORDS = {
    "catalogue": "Is the action known, and do its parameters fit?",
    "principal_chain": "Is everybody in the chain known, and of this legal entity?",
    "kill_switches": "Is anything stopped?",
    "purpose": "Is the purpose one the bank has registered?",
    "provenance": "Is it known where every parameter comes from?",
    "evidence_log": "Is the evidence log being sequenced?",
    "earlier_approvals": "Has somebody rejected exactly this?",
    "authority": "Under which mandate or delegation is it done, and is it within the cap?",
    "emergency": "Has the person who acts broken glass for this?",
    "facts": "Are all facts there, attested and fresh?",
    "policy": "What do the policies say?",
    "limits": "Is it within the limits?",
}


@dataclass(frozen=True, slots=True)
class ExplainedStep:
    """One step of the pipeline: what was asked, and how it came out."""

    name: str
    verdict: str
    words: str
    detail: str


@dataclass(frozen=True, slots=True)
class ExplainedLink:
    """One link in the chain of those who acted."""

    id: str
    kind: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExplainedFact:
    """One fact the decision rested on. `value` is None once the subject is forgotten."""

    name: str
    value: object
    source: str
    observed_at: datetime
    age_seconds: int
    age_max_seconds: int | None


@dataclass(frozen=True, slots=True)
class ExplainedParameter:
    """One parameter and where it came from."""

    name: str
    value: object
    provenance: str
    reference: str


@dataclass(frozen=True, slots=True)
class ExplainedRecord:
    """One record in the evidence log; `index` is None until it is sequenced."""

    id: UUID
    kind: str
    index: int | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class ExplainedApproval:
    """One answer of a second person, and where it stands in the log."""

    approver_id: str
    role: str
    verdict: str
    comment: str
    at: datetime
    record: ExplainedRecord | None


@dataclass(frozen=True, slots=True)
class ExplainedStepUp:
    """The second factor that confirmed the action, and where it stands in the log."""

    method: str
    at: datetime
    record: ExplainedRecord | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything there is to know about one decision."""

    decision: DecisionRow
    resource: str
    params_hash: str
    steps: tuple[ExplainedStep, ...]
    chain: tuple[ExplainedLink, ...]
    policies: tuple[PolicyView, ...]
    facts: tuple[ExplainedFact, ...]
    parameters: tuple[ExplainedParameter, ...]
    approvals: tuple[ExplainedApproval, ...]
    step_up: ExplainedStepUp | None
    exemption: str | None
    remedy: str | None
    token: Mapping[str, object] | None
    redeemed_at: datetime | None
    outcome: Outcome | None
    records: tuple[ExplainedRecord, ...]
    bundle: str
    engine: str


def explain(*, decision_id: UUID) -> Explanation:
    """Return one decision explained, from the record in the log and the sealed values beside it.

    Raises:
        DecisionUnknown: this legal entity has no decision of this id.
        NotCanonical: the record was altered.
    """
    stored = stored_decision(decision_id)
    records = records_of(decision_id=decision_id)
    said = _said(records)
    bundles = _bundles(stored.columns["bundle"])
    approvals = tuple(_approvals(stored.columns["approval_id"]))
    step_up = _step_up(stored.columns["challenge_id"])
    given = [item.record for item in (*approvals, *((step_up,) if step_up else ()))]
    return Explanation(
        decision=stored.row,
        resource=stored.columns["resource"],
        params_hash=stored.columns["params_hash"] or "",
        steps=tuple(
            ExplainedStep(name, result, _STEP_WORDS.get(name, name), detail)
            for name, result, detail in said.get("steps", ())
        ),
        chain=tuple(
            ExplainedLink(link["id"], link["kind"], tuple(link["roles"]))
            for link in said.get("chain", ())
        ),
        policies=tuple(_policies(stored.row.policy_ids, bundles)),
        facts=tuple(_facts(stored, said, bundles)),
        parameters=tuple(_parameters(stored, said)),
        approvals=approvals,
        step_up=step_up,
        exemption=said.get("exemption") or None,
        remedy=stored.columns["remedy"],
        token=_token(stored),
        redeemed_at=_redeemed_at(decision_id),
        outcome=outcome_of(decision_id=decision_id),
        # What was given towards it stands under the decision that asked; here it counts too.
        records=_in_order([*filter(None, given), *map(_record, records)]),
        bundle=stored.columns["bundle"],
        engine=said.get("engine", ""),
    )


def _said(records: Sequence[LogRecord]) -> Mapping[str, Any]:
    """Return the content of the record that the decision itself wrote."""
    for item in records:
        if item.kind in {"issued", "refused"}:
            return item.content
    return {}


def _bundles(named: str) -> list[Bundle]:
    """Return the bundles a decision names, by the start of their digests."""
    starts = [part.partition("@")[2] for part in named.split()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT content FROM sentinel_bundle WHERE substr(digest, 1, 16) = ANY (%s)", [starts]
        )
        return [bundle_from_text(content) for (content,) in cursor.fetchall()]


def _policies(ids: Sequence[str], bundles: Sequence[Bundle]) -> Iterator[PolicyView]:
    known = {policy.id: (policy, bundle) for bundle in bundles for policy in bundle.policies}
    for policy_id in ids:
        if policy_id in known:
            yield policy_view(*known[policy_id])
        else:
            words = reason(policy_id)
            yield PolicyView(policy_id, "forbid", "", words.customer, words.staff, "")


def _facts(
    stored: StoredDecision, said: Mapping[str, Any], bundles: Sequence[Bundle]
) -> Iterator[ExplainedFact]:
    ages = {name: kind for bundle in bundles for name, kind in bundle.content.facts.items()}
    clear = stored.values.get("facts", {})
    for fact in said.get("facts", ()):
        name, source, seen = fact[0], fact[1], datetime.fromisoformat(fact[2])
        age = int((stored.row.decided_at - seen).total_seconds())
        age_max = ages[name].max_age_seconds if name in ages else None
        yield ExplainedFact(name, clear.get(name, FORGOTTEN), source, seen, age, age_max)


def _parameters(stored: StoredDecision, said: Mapping[str, Any]) -> Iterator[ExplainedParameter]:
    clear = stored.values.get("parameters") or {}
    sources = said.get("sources", {})
    for name in sorted({*clear, *sources}):
        provenance, reference = sources.get(name, ("system", ""))
        yield ExplainedParameter(name, clear.get(name, FORGOTTEN), provenance, reference)


def _approvals(request_id: UUID | None) -> Iterator[ExplainedApproval]:
    if request_id is None:
        return
    asked_by = approval_request(request_id=request_id).decision_id
    record = _given("approval", asked_by, request=str(request_id))
    for each in approvals_of(request_id=request_id):
        yield ExplainedApproval(
            each.approver_id, each.role, each.verdict, each.comment, each.at, record
        )


def _step_up(challenge_id: UUID | None) -> ExplainedStepUp | None:
    if challenge_id is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT satisfied_at, decision_id FROM sentinel_challenge WHERE id = %s",
            [challenge_id],
        )
        row = cursor.fetchone()
    if not row or not row[0]:
        return None
    record = _given("step_up", row[1], challenge=str(challenge_id), result="accepted")
    return ExplainedStepUp("totp", row[0], record)


def _given(kind: str, decision_id: UUID, **said: str) -> ExplainedRecord | None:
    """Return the record of a kind under a decision that says these things."""
    for item in records_of(decision_id=decision_id):
        if item.kind == kind and said.items() <= item.content.items():
            return _record(item)
    return None


def _in_order(records: Sequence[ExplainedRecord]) -> tuple[ExplainedRecord, ...]:
    return tuple(sorted(set(records), key=lambda item: (item.recorded_at, item.id)))


def _record(item: LogRecord) -> ExplainedRecord:
    return ExplainedRecord(item.id, item.kind, item.index, item.recorded_at)


def _redeemed_at(decision_id: UUID) -> datetime | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT redeemed_at FROM sentinel_redemption WHERE token = %s", [decision_id]
        )
        row = cursor.fetchone()
    return row[0] if row else None


def _token(stored: StoredDecision) -> Mapping[str, object] | None:
    """Return the claims of the token that can be shown; the token itself is kept nowhere."""
    expires_at = stored.columns["expires_at"]
    if expires_at is None:
        return None
    return {
        "alg": ALGORITHM,
        "aud": stored.columns["audience"],
        "exp": expires_at.isoformat(),
        "iss": issuer_of(current_entity()),
        "jti": str(stored.row.id),
        "params_hash": stored.columns["params_hash"],
        "scope": stored.row.action_kind,
        "sub": stored.columns["subject"],
        "txn": str(stored.row.case_id),
        "typ": TYPE,
    }
