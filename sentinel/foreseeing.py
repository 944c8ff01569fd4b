"""What a decision would be, asked beforehand: nothing is recorded, reserved or signed.

A plan of several steps is looked at so before any of it begins. The answer permits nothing: every
step is decided anew when it is carried out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sentinel.asking import Judgement
from sentinel.catalogue import (
    ParametersRefused,
    UnknownAction,
    action_kind,
    is_resource,
    shown_kind,
    typed_parameters,
)
from sentinel.counting import dimensions_of
from sentinel.emergency.standing import breaker_of
from sentinel.entities import current_entity
from sentinel.gathering import GateShut, Question, gather
from sentinel.history import agents_in
from sentinel.judging import Proposal, judge
from sentinel.policy.bundles import BundleRefused
from sentinel.policy.publishing import rules_in_force
from sentinel.principals import (
    authority_holders,
    chain_ids,
    customer_of,
    kill_switch_scopes,
    subject_of,
)
from sentinel.refusals import reason
from sentinel.signing.custody import SignerUnavailable
from sentinel.signing.token_keys import token_signer
from sentinel.tolerances import tolerances
from sentinel.vocabulary import Action, Fact, Principal, Reason, Verdict

NO_CASE = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What would be decided if it were asked for now, and why; never a permit."""

    verdict: Verdict
    reasons: tuple[Reason, ...]
    role: str = ""
    remedy: str | None = None
    obligations: tuple[str, ...] = ()


def foresee(
    *, action: Action, principal: Principal, facts: Sequence[Fact], purpose: str, at: datetime
) -> Foreseen:
    """Return what Sentinel would say to an action, without deciding it.

    Raises:
        EntityNotSet: no legal entity is being worked for.
    """
    if not is_resource(action.resource):
        return _refused("bad_resource", "")
    try:
        entry = action_kind(action.kind)
        typed = typed_parameters(entry, action)
    except UnknownAction:
        return _refused("unknown_action", shown_kind(action.kind))
    except ParametersRefused as error:
        return _refused(error.code, ", ".join(error.fields))
    proposal = Proposal(
        entity=current_entity(),
        action=action,
        entry=entry,
        typed=typed,
        params_hash="",
        principal=principal,
        customer=customer_of(principal),
        facts=tuple(facts),
        purpose=purpose,
        at=at,
        dimensions=dimensions_of(
            action=action,
            entry=entry,
            amount=typed.amount,
            principal=principal,
            facts=facts,
            purpose=purpose,
            at=at,
        ),
        tolerated=tolerances(),
    )
    try:
        known = gather(_question(proposal))
    except (SignerUnavailable, GateShut) as error:
        return _refused(error.code, "")
    try:
        rules = rules_in_force(proposal.entity, known.publications, at)
    except BundleRefused as error:
        return _refused("policy_unavailable", "; ".join(error.problems)[:200])
    judgement = judge(proposal, known, rules)
    return _foreseen(judgement)


def _foreseen(judged: Judgement) -> Foreseen:
    return Foreseen(judged.verdict, judged.reasons, judged.role, judged.remedy, judged.obligations)


def _refused(code: str, detail: str) -> Foreseen:
    return Foreseen(Verdict.DENY, (reason(code, detail=detail),))


def _question(proposal: Proposal) -> Question:
    principal, entry, typed = proposal.principal, proposal.entry, proposal.typed
    customer = proposal.customer
    kid = token_signer(proposal.entity).kid
    return Question(
        at=proposal.at,
        scopes=kill_switch_scopes(chain_ids(principal), entry.kind, kid),
        subject=subject_of(principal, proposal.action.resource),
        holder=customer.id if customer else principal.id,
        customer=customer.id if customer else "",
        currency=typed.amount.currency if typed.amount else "",
        # No key and no case: nothing that was decided before plays a part.
        idempotency_key="",
        case_id=NO_CASE,
        kind=entry.kind,
        is_serial=False,
        holders=authority_holders(principal),
        dimensions=proposal.dimensions,
        agents=agents_in(principal),
        breaker=breaker_of(principal, entry),
    )
