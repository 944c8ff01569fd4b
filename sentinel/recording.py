"""What is written when a decision is taken: all of it in one round trip, none of it personal.

The record that goes into the evidence log names people by their ids and carries a salted
commitment to the parameters and facts. The clear values are sealed under the subject's key.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sentinel.catalogue import TypedParameters, normal_form
from sentinel.exemptions import LOW_VALUE
from sentinel.gathering import Gathered
from sentinel.judging import Judgement, Proposal, obligations_met
from sentinel.limits import DAILY_OUTGOING
from sentinel.log.records import append_statement
from sentinel.obligations import ObligationIds
from sentinel.policy.engine import ENGINE
from sentinel.principals import chain_ids
from sentinel.sealing import seal_values
from sentinel.signing.canonical import INTEGER_LIMIT, canonical_json, domain_prefix
from sentinel.store import Statement
from sentinel.vocabulary import Action, Fact, Principal, Verdict

APPROVAL_HOURS = 72
CHALLENGE_SECONDS = 300
ABOVE_THRESHOLD = "approval-above-threshold"
_COMMITMENT = domain_prefix("decision-values")

_DECIDED = """
WITH decided AS (
  INSERT INTO sentinel_decision (id, action_kind, verdict, principal_id, subject, resource, case_id,
    purpose, idempotency_key, params_hash, policies, remedy, bundle, audience, expires_at,
    approval_id, challenge_id, record_id, decided_at)
  VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
  RETURNING id, subject
), sealed AS (
  INSERT INTO sentinel_decision_parameters (decision_id, subject, sealed)
  SELECT id, subject, %s FROM decided
)
"""
_RESERVED = """, reserved AS (
  INSERT INTO sentinel_reservation (decision_id, name, holder, currency, day, amount_minor, state)
  SELECT id, %s, %s, %s, %s, %s, 'held' FROM decided
  RETURNING name, holder, currency, day, amount_minor
), used AS (
  INSERT INTO sentinel_usage AS u (name, holder, currency, day, used_minor)
  SELECT name, holder, currency, day, amount_minor FROM reserved
  ON CONFLICT (entity, holder, day, name, currency)
  DO UPDATE SET used_minor = u.used_minor + excluded.used_minor
)
"""
_APPEND = "SELECT sentinel_append(%s)"
_DECIDE = _DECIDED + _APPEND
_DECIDE_AND_RESERVE = _DECIDED + _RESERVED + _APPEND
_EXEMPT = """
WITH counted AS (
  INSERT INTO sentinel_exemption AS x (principal_id, currency, used_minor, used_count)
  VALUES (%s, %s, %s, 1)
  ON CONFLICT (entity, principal_id, currency)
  DO UPDATE SET used_minor = x.used_minor + excluded.used_minor, used_count = x.used_count + 1
  RETURNING principal_id, currency, series
)
INSERT INTO sentinel_exemption_use (decision_id, principal_id, currency, amount_minor, series)
SELECT %s, principal_id, currency, %s, series FROM counted
"""
_RESET_EXEMPTION = """
UPDATE sentinel_exemption SET used_minor = 0, used_count = 0, series = series + 1
WHERE principal_id = %s AND used_count > 0
"""
_REQUEST_APPROVAL = """
INSERT INTO sentinel_approval_request (id, decision_id, case_id, action_kind, params_hash, role,
  policies, subject, requested_by, excluded_ids, excluded_persons, state, opened_at, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'open', %s, %s)
"""
_CHALLENGE = """
INSERT INTO sentinel_challenge (id, decision_id, case_id, action_kind, params_hash, principal_id,
  created_at, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""


@dataclass(frozen=True, slots=True)
class Ruling:
    """A decision ready to be written. What could not be understood has no hash and no values."""

    id: UUID
    entity: str
    action: Action
    principal: Principal
    subject: str
    purpose: str
    at: datetime
    judgement: Judgement
    bundle: str
    params_hash: bytes | None = None
    audience: str | None = None
    expires_at: datetime | None = None
    approval_id: UUID | None = None
    challenge_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Values:
    """The clear values of a decision: sealed beside it, committed to in the log."""

    resource: str
    facts: tuple[Fact, ...] = ()
    typed: TypedParameters | None = None

    def plain(self) -> dict[str, object]:
        """Return the values as they are sealed."""
        return {
            "facts": {fact.name: _fact_value(fact.value) for fact in self.facts},
            "parameters": dict(self.typed.plain) if self.typed else None,
            "resource": self.resource,
        }

    def commitment(self, key: bytes) -> str:
        """Return a hash that only the holder of the subject's key could have made or can check."""
        facts = {fact.name: normal_form(_fact_value(fact.value)) for fact in self.facts}
        parameters = self.typed.canonical if self.typed else b""
        said = canonical_json(facts) + b"\0" + parameters
        return hmac.digest(key, _COMMITMENT + said, "sha256").hex()


def ruling_statement(
    ruling: Ruling, *, key: bytes, values: Values, reservation: Sequence[object] = ()
) -> Statement:
    """Return the one statement that records a ruling.

    It writes the log's record, the decision, its sealed values and, with a permit that counts
    against a limit, the reservation: name, holder, currency, day and amount.
    """
    is_permit = ruling.judgement.verdict is Verdict.PERMIT
    record = append_statement(
        kind="issued" if is_permit else "refused",
        body=_body(ruling, values.commitment(key), values.facts),
        decision_id=ruling.id,
        case_id=ruling.action.case_id,
    )
    sealed = seal_values(key, values.plain(), bound_to=f"decision/v1|{ruling.entity}|{ruling.id}")
    columns = [*_columns(ruling), record.record_id, ruling.at, sealed]
    sql = _DECIDE_AND_RESERVE if reservation else _DECIDE
    return sql, [*columns, *reservation, *record.parameters]


def obligation_statements(
    proposal: Proposal, judgement: Judgement, decision_id: UUID, ids: ObligationIds
) -> list[Statement]:
    """Return the statements that open the approval request or the challenge a verdict asks for."""
    at, action = proposal.at, proposal.action
    bound = [action.case_id, action.kind, bytes.fromhex(proposal.params_hash)]
    if judgement.verdict is Verdict.NEEDS_APPROVAL and ids.is_approval_new:
        chain = proposal.principal.chain()
        persons = {link.person_id for link in chain}
        if ABOVE_THRESHOLD in judgement.policies:
            persons |= _persons_in(proposal.facts)
        request = [
            ids.approval_id,
            decision_id,
            *bound,
            judgement.role,
            list(judgement.policies),
            ids.subject,
            proposal.principal.id,
            chain_ids(proposal.principal),
            sorted(persons - {""}),
            at,
            at + timedelta(hours=APPROVAL_HOURS),
        ]
        return [(_REQUEST_APPROVAL, request)]
    if judgement.verdict is Verdict.NEEDS_STEP_UP and ids.is_challenge_new:
        who = proposal.customer.id if proposal.customer else proposal.principal.id
        until = at + timedelta(seconds=CHALLENGE_SECONDS)
        return [(_CHALLENGE, [ids.challenge_id, decision_id, *bound, who, at, until])]
    return []


def reservation_of(proposal: Proposal, holder: str) -> tuple[object, ...]:
    """Return what a permit reserves against the daily limit, or nothing."""
    amount = proposal.typed.amount
    if amount is None or not proposal.counts_against_limit:
        return ()
    return DAILY_OUTGOING, holder, amount.currency, proposal.at.date(), amount.minor_units


def exemption_statements(
    decision_id: UUID, proposal: Proposal, known: Gathered, judgement: Judgement
) -> list[Statement]:
    """Return the statement that counts a low-value exemption, or starts the count anew."""
    amount = proposal.typed.amount
    if amount is None or proposal.customer is None:
        return []
    if judgement.exemption == LOW_VALUE:
        counted = [proposal.customer.id, amount.currency, amount.minor_units]
        return [(_EXEMPT, [*counted, decision_id, amount.minor_units])]
    if known.exempted[1] and obligations_met(proposal, known).is_stepped_up:
        return [(_RESET_EXEMPTION, [proposal.customer.id])]
    return []


def _fact_value(value: object) -> object:
    """Return a value that has a canonical form; what is malformed is kept as text."""
    if isinstance(value, (str, bool)):
        return value
    is_plain = isinstance(value, int) and -INTEGER_LIMIT < value < INTEGER_LIMIT
    return value if is_plain else str(value)


def _persons_in(facts: tuple[Fact, ...]) -> set[str]:
    """Return the people whose work the facts report; above the threshold they may not approve."""
    return {str(fact.value) for fact in facts if fact.name == "call_back_person"}


def _columns(ruling: Ruling) -> list[object]:
    action, judgement = ruling.action, ruling.judgement
    return [
        ruling.id,
        action.kind,
        judgement.verdict.value,
        ruling.principal.id,
        ruling.subject,
        action.resource,
        action.case_id,
        ruling.purpose,
        action.idempotency_key,
        ruling.params_hash,
        list(judgement.policies),
        judgement.remedy,
        ruling.bundle,
        ruling.audience,
        ruling.expires_at,
        ruling.approval_id,
        ruling.challenge_id,
    ]


def _body(ruling: Ruling, commitment: str, facts: tuple[Fact, ...]) -> dict[str, object]:
    action, judgement = ruling.action, ruling.judgement
    return {
        "action": action.kind,
        "approval": _text(ruling.approval_id),
        "at": ruling.at.isoformat(),
        "bundle": ruling.bundle,
        "chain": [
            {"id": link.id, "kind": link.kind, "roles": list(link.roles)}
            for link in ruling.principal.chain()
        ],
        "challenge": _text(ruling.challenge_id),
        "commitment": commitment,
        "engine": ENGINE,
        "exemption": judgement.exemption,
        "expires_at": ruling.expires_at.isoformat() if ruling.expires_at else None,
        "facts": [
            [fact.name, normal_form(fact.source), fact.observed_at.isoformat()] for fact in facts
        ],
        "params_hash": ruling.params_hash.hex() if ruling.params_hash else None,
        "policies": list(judgement.policies),
        "purpose": ruling.purpose,
        "remedy": judgement.remedy,
        "resource": action.resource,
        "sources": {
            name: [source.provenance.value, normal_form(source.reference)]
            for name, source in sorted(action.sources.items())
        },
        "steps": [[step.name, step.result, normal_form(step.detail)] for step in judgement.steps],
        "verdict": judgement.verdict.value,
    }


def _text(value: UUID | None) -> str | None:
    return None if value is None else str(value)
