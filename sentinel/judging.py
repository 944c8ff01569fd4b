"""From what is proposed and what is known to a verdict, step by step, each step on record. Pure.

Every step can only refuse or let pass; the first refusal ends it. What policies ask for beyond a
plain yes (an approval, a second factor) is asked only if the answer would then be yes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sentinel.catalogue import ActionKind, TypedParameters
from sentinel.exemptions import exemption_for
from sentinel.facts import FactValue, attest
from sentinel.gathering import ChallengeOnFile, Gathered
from sentinel.limits import APPROVAL_THRESHOLD, DAILY_OUTGOING
from sentinel.policy.engine import ContextValue, Evaluation, Rules
from sentinel.principals import chain_refusal
from sentinel.refusals import reason
from sentinel.vocabulary import Action, Fact, Principal, Provenance, Reason, Verdict

SATISFIED_SECONDS_MAX = 600
ATTEMPTS_MAX = 5


@dataclass(frozen=True, slots=True)
class Proposal:
    """One proposed action with everything that belongs to it, before anybody has judged it."""

    entity: str
    action: Action
    entry: ActionKind
    typed: TypedParameters
    params_hash: str
    principal: Principal
    customer: Principal | None
    facts: tuple[Fact, ...]
    purpose: str
    at: datetime
    counts_against_limit: bool
    log_lag_seconds_max: int


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the pipeline and how it came out."""

    name: str
    result: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict, the rules and steps that led to it, and what would help."""

    verdict: Verdict
    policies: tuple[str, ...]
    reasons: tuple[Reason, ...]
    steps: tuple[Step, ...]
    remedy: str | None = None
    role: str = ""
    exemption: str = ""


@dataclass(frozen=True, slots=True)
class Obligations:
    """What has been given towards this action: whose approvals, and whether a second factor."""

    approved_roles: tuple[str, ...]
    is_stepped_up: bool


def judge(proposal: Proposal, known: Gathered, rules: Rules) -> Judgement:
    """Return the verdict on a proposal."""
    steps: list[Step] = []
    for name, check in _CHECKS:
        refusal = check(proposal, known, rules)
        if refusal is not None:
            code, detail = refusal
            return _refused(code, detail, (*steps, Step(name, code, detail)))
        steps.append(Step(name, "passed"))
    attested = attest(
        proposal.facts,
        kinds=rules.facts,
        required=rules.required.get(proposal.action.kind, frozenset()),
        at=proposal.at,
    )
    if attested.refusal:
        step = Step("facts", attested.refusal, attested.detail)
        return _refused(attested.refusal, attested.detail, (*steps, step))
    steps.append(Step("facts", "passed", f"{len(attested.values)} attested"))
    judgement = _by_policy(proposal, known, rules, attested.values)
    if judgement.verdict is not Verdict.DENY:
        judgement = _by_limit(proposal, known, judgement)
    return replace(judgement, steps=(*steps, *judgement.steps))


def obligations_met(proposal: Proposal, known: Gathered) -> Obligations:
    """Return the approvals and the second factor that hold for exactly these parameters."""
    roles = [
        approval.role
        for approval in known.approvals
        if approval.state == "approved"
        and approval.params_hash == proposal.params_hash
        and approval.expires_at > proposal.at
    ]
    is_stepped_up = any(
        challenge.params_hash == proposal.params_hash and is_satisfied(challenge, proposal.at)
        for challenge in known.challenges
    )
    return Obligations(tuple(sorted(set(roles))), is_stepped_up)


def is_satisfied(challenge: ChallengeOnFile, at: datetime) -> bool:
    """Return whether the second factor was given, and not too long ago."""
    oldest = at - timedelta(seconds=SATISFIED_SECONDS_MAX)
    return challenge.satisfied_at is not None and challenge.satisfied_at >= oldest


def _chain(proposal: Proposal, _: Gathered, rules: Rules) -> tuple[str, str] | None:
    return chain_refusal(
        proposal.principal, entity=proposal.entity, roles=rules.roles, mandates=rules.mandates
    )


def _kill_switches(_: Proposal, known: Gathered, __: Rules) -> tuple[str, str] | None:
    return ("stopped", ", ".join(sorted(known.stopped))) if known.stopped else None


def _purpose(proposal: Proposal, _: Gathered, rules: Rules) -> tuple[str, str] | None:
    return (
        None if proposal.purpose in rules.purposes else ("unknown_purpose", proposal.purpose[:40])
    )


def _provenance(proposal: Proposal, _: Gathered, __: Rules) -> tuple[str, str] | None:
    unknown = unknown_sources(proposal)
    return ("unknown_provenance", ", ".join(unknown)) if unknown else None


def _log(proposal: Proposal, known: Gathered, _: Rules) -> tuple[str, str] | None:
    if proposal.entry.risk != "high" or known.oldest_pending is None:
        return None
    lag = (known.now - known.oldest_pending).total_seconds()
    return ("log_behind", f"{lag:.0f} s") if lag > proposal.log_lag_seconds_max else None


def _approvals(proposal: Proposal, known: Gathered, _: Rules) -> tuple[str, str] | None:
    for approval in known.approvals:
        if approval.state == "rejected" and approval.params_hash == proposal.params_hash:
            return "approval_rejected", approval.role
    return None


_CHECKS = (
    ("principal_chain", _chain),
    ("kill_switches", _kill_switches),
    ("purpose", _purpose),
    ("provenance", _provenance),
    ("evidence_log", _log),
    ("earlier_approvals", _approvals),
)


def unknown_sources(proposal: Proposal) -> list[str]:
    """Return the parameters that were given without a source, or from an unknown one."""
    sources = proposal.action.sources
    return sorted(
        name
        for name in proposal.action.parameters
        if name not in sources or sources[name].provenance is Provenance.UNKNOWN
    )


def _by_policy(
    proposal: Proposal, known: Gathered, rules: Rules, facts: Mapping[str, FactValue]
) -> Judgement:
    exemption = exemption_for(proposal.typed.amount, proposal.entry, facts, known.exempted)
    met = obligations_met(proposal, known)
    context = _context(proposal, known, facts, exemption)
    answer = _evaluate_chain(proposal, rules, context, met)
    if answer.is_permitted:
        step = Step("policy", "permit", ", ".join(answer.policies))
        used = "" if met.is_stepped_up else exemption
        return Judgement(Verdict.PERMIT, answer.policies, (), (step,), exemption=used)
    needs = _needs(answer, rules)
    if not needs:
        return _policy_refusal(answer, rules)
    roles = tuple(sorted({*met.approved_roles, *needs.values()} - {""}))
    lifted = Obligations(roles, is_stepped_up=True)
    possible = _evaluate_chain(proposal, rules, context, lifted)
    if not possible.is_permitted:
        return _policy_refusal(possible, rules)
    return _obligation(answer, needs, rules)


def _evaluate_chain(
    proposal: Proposal, rules: Rules, context: Mapping[str, ContextValue], met: Obligations
) -> Evaluation:
    """Return what the policies say about every link; all must be permitted: authority narrows."""
    asked = {
        **context,
        "approved_roles": list(met.approved_roles),
        "step_up_done": met.is_stepped_up,
    }
    determining: set[str] = set()
    is_permitted = True
    for link in proposal.principal.chain():
        answer = rules.evaluate(proposal.action.kind, link, proposal.action.resource, asked)
        if answer.refusal or (not answer.is_permitted and not answer.policies):
            return answer
        if is_permitted and not answer.is_permitted:
            determining.clear()
        is_permitted = is_permitted and answer.is_permitted
        if answer.is_permitted == is_permitted:
            determining.update(answer.policies)
    return Evaluation(is_permitted, tuple(sorted(determining)))


def _context(
    proposal: Proposal, known: Gathered, facts: Mapping[str, FactValue], exemption: str
) -> dict[str, ContextValue]:
    context: dict[str, ContextValue] = {
        **facts,
        "entity": proposal.entity,
        "has_unknown_source": bool(unknown_sources(proposal)),
        "human_only": proposal.entry.human_only,
        "is_stopped": bool(known.stopped),
        "on_behalf_of_customer": proposal.customer is not None,
        "purpose": proposal.purpose,
        "risk": proposal.entry.risk,
        "sca_exemption": exemption,
    }
    if proposal.customer is not None and proposal.entry.party_fields:
        context["own_party"] = _is_own_party(proposal, proposal.customer)
    for name in proposal.entry.parameters.model_fields:
        source = proposal.action.sources.get(name)
        # A parameter left to its default comes from the system that declares the default.
        context[f"source_{name}"] = (source.provenance if source else Provenance.SYSTEM).value
    if proposal.typed.amount is not None:
        context["amount_minor"] = proposal.typed.amount.minor_units
        context["currency"] = proposal.typed.amount.currency
        if APPROVAL_THRESHOLD in known.caps:
            context["approval_threshold_minor"] = known.caps[APPROVAL_THRESHOLD]
    return context


def _is_own_party(proposal: Proposal, customer: Principal) -> bool:
    """Return whether every party the parameters name is the customer on whose behalf it is done."""
    named = (proposal.typed.plain[field] for field in proposal.entry.party_fields)
    return all(f"customer:{party}" == customer.id for party in named)


def _needs(answer: Evaluation, rules: Rules) -> dict[str, str]:
    """Return the role each deciding policy needs, "" for a second factor; none if one forbids."""
    if answer.refusal or not answer.policies:
        return {}
    needs: dict[str, str] = {}
    for policy_id in answer.policies:
        annotations = rules.policies[policy_id].annotations
        if "needs" not in annotations:
            return {}
        needs[policy_id] = annotations.get("role", "")
    return needs


def _obligation(answer: Evaluation, needs: Mapping[str, str], rules: Rules) -> Judgement:
    """Return which obligation comes first: people before codes, so that a code is not wasted."""
    for_people = [policy for policy in answer.policies if needs[policy]]
    verdict = Verdict.NEEDS_APPROVAL if for_people else Verdict.NEEDS_STEP_UP
    policies = tuple(for_people) or answer.policies
    step = Step("policy", verdict.value, ", ".join(policies))
    reasons = tuple(rules.reason(policy) for policy in policies)
    role = needs[policies[0]]
    return Judgement(verdict, policies, reasons, (step,), role=role)


def _policy_refusal(answer: Evaluation, rules: Rules) -> Judgement:
    if answer.refusal:
        return _refused(
            answer.refusal, answer.detail, (Step("policy", answer.refusal, answer.detail),)
        )
    if not answer.policies:
        return _refused("no_permit", "", (Step("policy", "no_permit"),))
    forbids = [policy for policy in answer.policies if not rules.policies[policy].is_permit]
    plain = [p for p in forbids if "needs" not in rules.policies[p].annotations] or forbids
    remedies = [rules.policies[policy].annotations.get("remedy", "") for policy in plain]
    return Judgement(
        Verdict.DENY,
        tuple(plain),
        tuple(rules.reason(policy) for policy in plain),
        (Step("policy", "deny", ", ".join(plain)),),
        # A rule without a remedy is final, whatever would help against the others.
        remedy=remedies[0] if remedies and all(remedies) else None,
    )


def _by_limit(proposal: Proposal, known: Gathered, judgement: Judgement) -> Judgement:
    amount = proposal.typed.amount
    if not proposal.counts_against_limit or amount is None:
        return replace(judgement, steps=(*judgement.steps, Step("limits", "not_counted")))
    cap = known.caps.get(DAILY_OUTGOING)
    refusal = "limit_unknown" if cap is None else ""
    if cap is not None and known.used_minor + amount.minor_units > cap:
        refusal = "limit_exceeded"
    if APPROVAL_THRESHOLD not in known.caps:
        refusal = "limit_unknown"
    if refusal:
        return _refused(refusal, "", (*judgement.steps, Step("limits", refusal, DAILY_OUTGOING)))
    return replace(judgement, steps=(*judgement.steps, Step("limits", "within", DAILY_OUTGOING)))


def _refused(code: str, detail: str, steps: tuple[Step, ...]) -> Judgement:
    return Judgement(Verdict.DENY, (code,), (reason(code, detail=detail),), steps)
