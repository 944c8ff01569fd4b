"""The decision: look everything up, judge, record, and sign a permit if there is one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from sentinel.asking import Judgement, Step
from sentinel.catalogue import (
    ActionKind,
    ParametersRefused,
    TypedParameters,
    UnknownAction,
    action_kind,
    is_resource,
    salt_for,
    shown_kind,
    typed_parameters,
)
from sentinel.counting import Dimension, dimensions_of
from sentinel.emergency.standing import breaker_of, seconds_left
from sentinel.entities import current_entity
from sentinel.gathering import GateShut, Gathered, Question, gather
from sentinel.history import agents_in, trace_statements
from sentinel.identifiers import uuid7
from sentinel.inputs import inputs_of
from sentinel.judging import Proposal, judge
from sentinel.obligations import TELL_OUTCOME, ObligationIds, obligation_ids
from sentinel.outcomes import outcome_then
from sentinel.policy.bundles import BundleRefused
from sentinel.policy.engine import ENGINE, Rules
from sentinel.policy.publishing import rules_in_force
from sentinel.principals import (
    authority_holders,
    chain_ids,
    customer_of,
    kill_switch_scopes,
    subject_of,
)
from sentinel.recording import (
    Ruling,
    Values,
    exemption_statements,
    obligation_statements,
    reservation_of,
    ruling_statement,
)
from sentinel.refusals import SentinelError, reason
from sentinel.sealing import SubjectForgotten, subject_key, unwrap_key
from sentinel.signing.custody import SignerUnavailable
from sentinel.signing.keys import Signer
from sentinel.signing.token_keys import token_signer
from sentinel.store import require_transaction, run
from sentinel.tokens import TTL_SECONDS, Grant, mint
from sentinel.tolerances import tolerances
from sentinel.vocabulary import Action, Decision, DecisionToken, Fact, Principal, Verdict


class IdempotencyConflict(SentinelError):
    """The idempotency key was used before, for something else."""

    code = "idempotency_conflict"

    def __init__(self, idempotency_key: str) -> None:
        super().__init__(idempotency_key)
        self.idempotency_key = idempotency_key


def decide(
    *,
    action: Action,
    principal: Principal,
    facts: Sequence[Fact],
    purpose: str,
    at: datetime,
    new_id: Callable[[], UUID] = uuid7,
) -> Decision:
    """Say whether this may be done, record it in the caller's transaction, and sign a permit.

    A decision that needs an approval or a second factor names the request or challenge; ask again
    with the same parameters once it has been given. An action that was already carried out under
    this idempotency key comes back with its outcome in `replayed` and no token.

    Raises:
        NotInTransaction: the caller has opened no transaction.
        EntityNotSet: no legal entity is being worked for.
        IdempotencyConflict: the idempotency key was used before, for something else.
    """
    require_transaction()
    customer = customer_of(principal)
    asked = _Asked(
        action=action,
        principal=principal,
        facts=tuple(facts),
        purpose=purpose,
        at=at,
        id=new_id(),
        entity=current_entity(),
        subject=customer.id if customer else subject_of(principal, action.resource),
        customer=customer,
    )
    try:
        entry = action_kind(action.kind)
        typed = typed_parameters(entry, action)
    except UnknownAction:
        return _refuse(asked, "unknown_action", shown_kind(action.kind))
    except ParametersRefused as error:
        return _refuse(asked, error.code, ", ".join(error.fields))
    if not is_resource(action.resource):
        return _refuse(asked, "bad_resource", "")
    try:
        return _decide(asked, entry, typed)
    except GateShut as error:
        return _refuse(asked, error.code, "")
    except SignerUnavailable as error:
        # It is asked before anything is written: without a token there is no permit.
        return _refuse(asked, error.code, error.reason)


def decide_durably(
    *,
    action: Action,
    principal: Principal,
    facts: Sequence[Fact],
    purpose: str,
    at: datetime,
    new_id: Callable[[], UUID] = uuid7,
) -> Decision:
    """Decide in a transaction of its own, so that the record is kept before the token leaves.

    Raises:
        RuntimeError: the caller has opened a transaction, which could take the record back.
        EntityNotSet: no legal entity is being worked for.
        IdempotencyConflict: the idempotency key was used before, for something else.
    """
    with transaction.atomic(durable=True):
        return decide(
            action=action,
            principal=principal,
            facts=facts,
            purpose=purpose,
            at=at,
            new_id=new_id,
        )


@dataclass(frozen=True, slots=True)
class _Asked:
    """The arguments of one call, and what follows from them alone."""

    action: Action
    principal: Principal
    facts: tuple[Fact, ...]
    purpose: str
    at: datetime
    id: UUID
    entity: str
    # Whose personal data this is about.
    subject: str
    # The customer on whose authority this rests, if there is one.
    customer: Principal | None

    @property
    def holder(self) -> str:
        """Whose limits count: the customer's, or else those of whoever acts."""
        return self.customer.id if self.customer else self.principal.id


def _decide(asked: _Asked, entry: ActionKind, typed: TypedParameters) -> Decision:
    signer = token_signer(asked.entity)
    question = _question(asked, entry, typed, signer.kid)
    known = gather(question)
    try:
        key = _key_of(asked, known)
        rules = rules_in_force(asked.entity, known.publications, asked.at)
    except SubjectForgotten:
        return _refuse(asked, "forgotten", "", is_sealed=False)
    except BundleRefused as error:
        return _refuse(asked, "policy_unavailable", "; ".join(error.problems)[:200])
    salt = salt_for(key, entry.kind)
    params_hash = typed.hash_with(salt)
    replayed = _replayed(asked, known, params_hash.hex(), rules)
    if replayed is not None:
        return replayed
    proposal = _proposal(asked, entry, typed, params_hash.hex(), question.dimensions)
    writer = _Writer(asked, proposal, known, rules, judge(proposal, known, rules))
    return writer.write(key, salt, signer)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes one judged proposal and makes the answer."""

    asked: _Asked
    proposal: Proposal
    known: Gathered
    rules: Rules
    judgement: Judgement

    def write(self, key: bytes, salt: bytes, signer: Signer) -> Decision:
        ids = obligation_ids(self.asked.subject, self.proposal, self.known, self.judgement)
        token = self._token(salt, signer, ids)
        ruling = self._ruling(ids, token)
        asked, judgement = self.asked, self.judgement
        shown = (asked.action.resource, asked.facts, self.proposal.typed, judgement)
        values = Values(*shown, inputs_of(self.proposal, self.known))
        if token is None:
            statements = [ruling_statement(ruling, key=key, values=values)]
            statements += obligation_statements(self.proposal, self.judgement, ruling.id, ids)
        else:
            reservation = reservation_of(self.proposal, self.known)
            written = ruling_statement(ruling, key=key, values=values, reservation=reservation)
            counted = exemption_statements(ruling.id, self.proposal, self.known, self.judgement)
            followed = trace_statements(self.asked.principal, self.proposal.entry)
            statements = [written, *counted, *followed]
        run(statements)
        return _decision(ruling, token)

    def _ruling(self, ids: ObligationIds, token: DecisionToken | None) -> Ruling:
        asked = self.asked
        return Ruling(
            id=asked.id,
            entity=asked.entity,
            action=asked.action,
            principal=asked.principal,
            subject=asked.subject,
            purpose=asked.purpose,
            at=asked.at,
            judgement=self.judgement,
            bundle=self.rules.digest,
            params_hash=bytes.fromhex(self.proposal.params_hash),
            audience=self.proposal.entry.audience if token else None,
            expires_at=token.expires_at if token else None,
            approval_id=ids.approval_id,
            challenge_id=ids.challenge_id,
            emergency_id=self.known.emergency.id if self.known.emergency else None,
        )

    def _token(self, salt: bytes, signer: Signer, ids: ObligationIds) -> DecisionToken | None:
        if self.judgement.verdict is not Verdict.PERMIT:
            return None
        asked = self.asked
        grant = Grant(
            decision_id=asked.id,
            entity=asked.entity,
            audience=self.proposal.entry.audience,
            subject=asked.subject,
            principal=asked.principal,
            action_kind=asked.action.kind,
            resource=asked.action.resource,
            case_id=asked.action.case_id,
            purpose=asked.purpose,
            salt=salt,
            params_hash=bytes.fromhex(self.proposal.params_hash),
            bundle=self.rules.digest,
            engine=ENGINE,
            policies=self.judgement.policies,
            approval_id=str(ids.approval_id or ""),
            epoch=self.known.epoch,
            issued_at=self.known.now,
            linked_hash=self.proposal.typed.linked_hash(salt),
            obligations=tuple(sorted({TELL_OUTCOME, *self.judgement.obligations})),
            is_stepped_up=ids.challenge_id is not None,
        )
        ttl = seconds_left(self.known.emergency, self.known.now, TTL_SECONDS)
        return mint(grant, signer, ttl_seconds=ttl)


def _question(asked: _Asked, entry: ActionKind, typed: TypedParameters, kid: str) -> Question:
    customer = asked.customer
    dimensions = dimensions_of(
        action=asked.action,
        entry=entry,
        amount=typed.amount,
        principal=asked.principal,
        facts=asked.facts,
        purpose=asked.purpose,
        at=asked.at,
    )
    return Question(
        at=asked.at,
        scopes=kill_switch_scopes(chain_ids(asked.principal), entry.kind, kid),
        subject=asked.subject,
        holder=asked.holder,
        customer=customer.id if customer else "",
        currency=typed.amount.currency if typed.amount else "",
        idempotency_key=asked.action.idempotency_key,
        case_id=asked.action.case_id,
        kind=entry.kind,
        is_serial=customer is not None or bool(dimensions),
        dimensions=dimensions,
        holders=authority_holders(asked.principal),
        agents=agents_in(asked.principal),
        breaker=breaker_of(asked.principal, entry),
    )


def _proposal(
    asked: _Asked,
    entry: ActionKind,
    typed: TypedParameters,
    params_hash: str,
    dimensions: tuple[Dimension, ...],
) -> Proposal:
    return Proposal(
        entity=asked.entity,
        action=asked.action,
        entry=entry,
        typed=typed,
        params_hash=params_hash,
        principal=asked.principal,
        customer=asked.customer,
        facts=asked.facts,
        purpose=asked.purpose,
        at=asked.at,
        dimensions=dimensions,
        tolerated=tolerances(),
    )


def _key_of(asked: _Asked, known: Gathered) -> bytes:
    if known.wrapped_key is None:
        return subject_key(asked.subject)
    if not known.wrapped_key:
        raise SubjectForgotten(asked.subject)
    return unwrap_key(asked.entity, asked.subject, known.wrapped_key)


def _replayed(asked: _Asked, known: Gathered, params_hash: str, rules: Rules) -> Decision | None:
    """Return the earlier decision if its action was carried out under this idempotency key."""
    spent = known.spent
    if spent is None:
        return None
    if spent["kind"] != asked.action.kind or spent["params"] != params_hash:
        raise IdempotencyConflict(asked.action.idempotency_key)
    earlier = UUID(spent["token"])
    return Decision(
        id=earlier,
        verdict=Verdict.PERMIT,
        action_kind=asked.action.kind,
        params_hash=params_hash,
        reasons=(),
        token=None,
        approval_request_id=None,
        challenge_id=None,
        remedy=None,
        bundle=rules.digest,
        decided_at=asked.at,
        replayed=outcome_then(earlier, spent["outcome"], asked.at),
    )


def _refuse(asked: _Asked, code: str, detail: str, *, is_sealed: bool = True) -> Decision:
    """Record and return a refusal that needs no policy: nothing could be judged."""
    step = Step("catalogue", code, detail)
    judgement = Judgement(Verdict.DENY, (code,), (reason(code, detail=detail),), (step,))
    # What cannot be understood may hold anything, so none of it is kept.
    resource = asked.action.resource if is_resource(asked.action.resource) else "?"
    kind = shown_kind(asked.action.kind)
    action = replace(asked.action, sources={}, resource=resource, kind=kind)
    ruling = Ruling(
        id=asked.id,
        entity=asked.entity,
        action=action,
        principal=asked.principal,
        subject=asked.subject,
        purpose=asked.purpose,
        at=asked.at,
        judgement=judgement,
        bundle="",
    )
    try:
        key = subject_key(asked.subject) if is_sealed else bytes(32)
    except SubjectForgotten:
        return _refuse(asked, "forgotten", "", is_sealed=False)
    run([ruling_statement(ruling, key=key, values=Values(resource))])
    return _decision(ruling, None)


def _decision(ruling: Ruling, token: DecisionToken | None) -> Decision:
    verdict = ruling.judgement.verdict
    return Decision(
        id=ruling.id,
        verdict=verdict,
        action_kind=ruling.action.kind,
        params_hash=ruling.params_hash.hex() if ruling.params_hash else "",
        reasons=ruling.judgement.reasons,
        token=token,
        approval_request_id=(ruling.approval_id if verdict is Verdict.NEEDS_APPROVAL else None),
        challenge_id=ruling.challenge_id if verdict is Verdict.NEEDS_STEP_UP else None,
        remedy=ruling.judgement.remedy,
        bundle=ruling.bundle,
        decided_at=ruling.at,
    )
