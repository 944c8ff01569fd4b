"""What is written when a decision is taken: all of it in one round trip, none of it personal.

The record that goes into the evidence log names people by their ids and carries a salted
commitment to the parameters and facts. The clear values are sealed under the subject's key.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sentinel.asking import Judgement
from sentinel.catalogue import TypedParameters, normal_form
from sentinel.counting import standing_dimensions
from sentinel.exemptions import LOW_VALUE
from sentinel.gathering import Gathered
from sentinel.judging import Proposal, obligations_met
from sentinel.log.records import append_statement
from sentinel.obligations import ObligationIds
from sentinel.policy.engine import ENGINE
from sentinel.principals import chain_ids
from sentinel.sealing import seal
from sentinel.signing.canonical import INTEGER_LIMIT, canonical_json, domain_prefix
from sentinel.store import Statement
from sentinel.vocabulary import Action, Fact, Principal, Verdict

APPROVAL_HOURS = 72
CHALLENGE_SECONDS = 300
ABOVE_THRESHOLD = "approval-above-threshold"
_COMMITMENT = domain_prefix("decision-values", version=2)

_DECIDED = """
WITH decided AS (
  INSERT INTO sentinel_decision (id, action_kind, verdict, principal_id, subject, resource, case_id,
    purpose, idempotency_key, params_hash, policies, remedy, bundle, audience, expires_at,
    approval_id, challenge_id, emergency_id, record_id, decided_at)
  VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
  RETURNING id, subject
), sealed AS (
  INSERT INTO sentinel_decision_parameters (decision_id, subject, sealed)
  SELECT id, subject, %s FROM decided
)
"""
_RESERVED = """, reserved AS (
  INSERT INTO sentinel_reservation (decision_id, name, holder, currency, day, amount_minor, state)
  SELECT d.id, split_part(r, '|', 1), split_part(r, '|', 2), split_part(r, '|', 3),
    split_part(r, '|', 4)::date, split_part(r, '|', 5)::bigint, 'held'
  FROM decided d CROSS JOIN unnest(string_to_array(%s, ' ')) r
  RETURNING name, holder, currency, day, amount_minor
), used AS (
  INSERT INTO sentinel_usage AS u (name, holder, currency, day, used_minor)
  SELECT name, holder, currency, day, amount_minor FROM reserved ORDER BY holder, day, name
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
  policies, subject, requested_by, excluded_ids, excluded_persons, state, opened_at, expires_at,
  risk)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 'open', %s, %s, %s)
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
    emergency_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Values:
    """The clear values of a decision: sealed beside it, committed to in the log.

    With the judgement comes what the policies were shown, so that they can be asked again.
    """

    resource: str
    facts: tuple[Fact, ...] = ()
    typed: TypedParameters | None = None
    judgement: Judgement | None = None
    # What else it was judged on, so that it can be judged again.
    inputs: Mapping[str, object] | None = None

    def text(self) -> bytes:
        """Return the values in their one canonical form, as they are sealed and committed to."""
        judgement = self.judgement
        return canonical_json(
            {
                "context": normal_form(dict(judgement.context)) if judgement else {},
                "facts": {fact.name: normal_form(_fact_value(fact.value)) for fact in self.facts},
                "inputs": normal_form(self.inputs),
                "parameters": dict(self.typed.plain) if self.typed else None,
                "resource": self.resource,
                "roles": [list(each) for each in judgement.roles] if judgement else [],
            }
        )


def values_key(subject_key: bytes, decision_id: UUID) -> bytes:
    """Return the key that opens the commitment of one decision, and of no other."""
    return hmac.digest(subject_key, b"decision-values-key/v1\0" + decision_id.bytes, "sha256")


def commitment(key: bytes, text: bytes) -> str:
    """Return a hash of values that nobody can make or check without the key of their decision."""
    return hmac.digest(key, _COMMITMENT + text, "sha256").hex()


def ruling_statement(
    ruling: Ruling, *, key: bytes, values: Values, reservation: str = ""
) -> Statement:
    """Return the one statement that records a ruling.

    It writes the log's record, the decision, its sealed values and, with a permit that counts
    against limits, what it reserves of each.
    """
    is_permit = ruling.judgement.verdict is Verdict.PERMIT
    text = values.text()
    committed = commitment(values_key(key, ruling.id), text)
    record = append_statement(
        kind="issued" if is_permit else "refused",
        body=_body(ruling, committed, values.facts),
        decision_id=ruling.id,
        case_id=ruling.action.case_id,
    )
    sealed = seal(key, text, bound_to=f"decision/v1|{ruling.entity}|{ruling.id}")
    columns = [*_columns(ruling), record.record_id, ruling.at, sealed]
    sql = _DECIDE_AND_RESERVE if reservation else _DECIDE
    reserved = [reservation] if reservation else []
    return sql, [*columns, *reserved, *record.parameters]


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
            proposal.entry.risk,
        ]
        return [(_REQUEST_APPROVAL, request)]
    if judgement.verdict is Verdict.NEEDS_STEP_UP and ids.is_challenge_new:
        who = proposal.customer.id if proposal.customer else proposal.principal.id
        until = at + timedelta(seconds=CHALLENGE_SECONDS)
        return [(_CHALLENGE, [ids.challenge_id, decision_id, *bound, who, at, until])]
    return []


def reservation_of(proposal: Proposal, known: Gathered) -> str:
    """Return what a permit reserves of every cap that is in force for it, or nothing."""
    counted = standing_dimensions(proposal.dimensions, known.standings)
    return " ".join(each.reserved() for each in counted if each.amount)


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
        ruling.emergency_id,
    ]


def _body(ruling: Ruling, commitment: str, facts: tuple[Fact, ...]) -> dict[str, object]:
    action, judgement = ruling.action, ruling.judgement
    marked = {"emergency": str(ruling.emergency_id)} if ruling.emergency_id else {}
    return {
        **marked,
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
