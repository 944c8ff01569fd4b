"""From what is proposed and what is known to a verdict, step by step, each step on record. Pure.

Every step can only refuse or let pass; the first refusal ends it. What policies ask for beyond a
plain yes (an approval, a second factor) is asked only if the answer would then be yes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sentinel.asking import (
    Asked,
    Judgement,
    Obligations,
    Step,
    asked_of_policies,
    refused,
    shown,
)
from sentinel.authority import weigh
from sentinel.catalogue import ActionKind, TypedParameters
from sentinel.counting import DAILY_OUTGOING, Dimension, overrun, standing_dimensions
from sentinel.emergency.standing import emergency_step
from sentinel.exemptions import exemption_for
from sentinel.facts import FactValue, attest
from sentinel.gathering import ChallengeOnFile, Gathered
from sentinel.history import history_refusal, seen_before
from sentinel.limits import APPROVAL_THRESHOLD
from sentinel.policy.engine import ContextValue, Rules
from sentinel.principals import PEOPLE, chain_refusal, is_switch
from sentinel.tolerances import Tolerances
from sentinel.vocabulary import Action, Fact, Principal, Provenance, Verdict

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
    dimensions: tuple[Dimension, ...]
    tolerated: Tolerances


def judge(proposal: Proposal, known: Gathered, rules: Rules) -> Judgement:
    """Return the verdict on a proposal."""
    steps: list[Step] = []
    for name, check in _CHECKS:
        refusal = check(proposal, known, rules)
        if refusal is not None:
            code, detail = refusal
            return refused(code, detail, (*steps, Step(name, code, detail)))
        steps.append(Step(name, "passed"))
    spoken = [row for row in known.authorities if not row.role or row.role in rules.roles]
    weighed = weigh(proposal.principal, proposal.typed.amount, spoken, power="act")
    if weighed.refusal:
        code, detail = weighed.refusal
        return refused(code, detail, (*steps, Step("authority", code, detail)))
    if weighed.used or weighed.beyond:
        detail = ", ".join(map(str, weighed.used)) or f"at most {weighed.beyond}"
        steps.append(Step("authority", "passed", detail))
        proposal = replace(proposal, principal=weighed.principal)
    attested = attest(
        proposal.facts,
        kinds=rules.facts,
        required=rules.required.get(proposal.action.kind, frozenset()),
        at=proposal.at,
    )
    if attested.refusal:
        step = Step("facts", attested.refusal, attested.detail)
        return refused(attested.refusal, attested.detail, (*steps, step))
    steps.append(Step("facts", "passed", f"{len(attested.values)} attested"))
    marked = emergency_step(known.emergency)
    steps += [Step(*marked)] if marked else []
    judgement = _by_policy(proposal, known, rules, attested.values)
    context, roles = judgement.context, judgement.roles
    if weighed.beyond and judgement.policies == ("no_permit",):
        judgement = refused("beyond_mandate", weighed.beyond, judgement.steps)
    if judgement.verdict is not Verdict.DENY:
        judgement = _by_limit(proposal, known, judgement)
    return replace(judgement, steps=(*steps, *judgement.steps), context=context, roles=roles)


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


def _human_only(proposal: Proposal, _: Gathered, __: Rules) -> tuple[str, str] | None:
    """Refuse machines what the catalogue keeps for people, whatever any bundle says."""
    if not proposal.entry.human_only:
        return None
    machines = [link.kind for link in proposal.principal.chain() if link.kind not in PEOPLE]
    return ("human_only", machines[0]) if machines else None


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
    return ("log_behind", f"{lag:.0f} s") if lag > proposal.tolerated.log_lag else None


def _approvals(proposal: Proposal, known: Gathered, _: Rules) -> tuple[str, str] | None:
    for approval in known.approvals:
        if approval.state == "rejected" and approval.params_hash == proposal.params_hash:
            return "approval_rejected", approval.role
    return None


def _clock(proposal: Proposal, known: Gathered, _: Rules) -> tuple[str, str] | None:
    """Refuse a moment that is not now: it would choose which facts are fresh and limits used."""
    apart = abs((known.now - proposal.at).total_seconds())
    return ("clock_differs", f"{apart:.0f} s") if apart > proposal.tolerated.clock else None


_CHECKS = (
    ("clock", _clock),
    ("principal_chain", _chain),
    ("kill_switches", _kill_switches),
    ("human_only", _human_only),
    ("purpose", _purpose),
    ("provenance", _provenance),
    ("evidence_log", _log),
    ("history", lambda _, known, __: history_refusal(known.earlier)),
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
    chain = proposal.principal.chain()
    asked = Asked(
        kind=proposal.action.kind,
        resource=proposal.action.resource,
        chain=chain,
        context=context,
        met=met,
        stopped=_stopped_policies(proposal, known, rules),
    )
    judgement = asked_of_policies(asked, rules)
    roles = tuple(link.roles for link in chain)
    return replace(judgement, context=shown(context, met), roles=roles)


def _stopped_policies(proposal: Proposal, known: Gathered, rules: Rules) -> frozenset[str]:
    """Return the policies that a kill switch stops, by their own name or with their bundle."""
    if not known.stopped_rules or is_switch(proposal.action.kind):
        return frozenset()
    bundles = {part.partition("@")[0]: f"bundle:{part}" for part in rules.digest.split()}
    return frozenset(
        policy.id
        for policy in rules.policies.values()
        if {f"policy:{policy.id}", bundles[policy.area]} & known.stopped_rules
    )


def _context(
    proposal: Proposal, known: Gathered, facts: Mapping[str, FactValue], exemption: str
) -> dict[str, ContextValue]:
    context: dict[str, ContextValue] = {
        **facts,
        "emergency": known.emergency is not None,
        "entity": proposal.entity,
        "has_unknown_source": bool(unknown_sources(proposal)),
        "human_only": proposal.entry.human_only,
        "is_stopped": bool(known.stopped),
        "on_behalf_of_customer": proposal.customer is not None,
        "purpose": proposal.purpose,
        "risk": proposal.entry.risk,
        "sca_exemption": exemption,
        "sends_outside": proposal.entry.sends_outside,
    }
    context.update(seen_before(known.earlier, proposal.entry))
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


def _by_limit(proposal: Proposal, known: Gathered, judgement: Judgement) -> Judgement:
    counted = standing_dimensions(proposal.dimensions, known.standings)
    names = {each.name for each in counted}
    money = next((each for each in proposal.dimensions if each.name == DAILY_OUTGOING), None)
    if money is not None and not (DAILY_OUTGOING in names and APPROVAL_THRESHOLD in known.caps):
        step = Step("limits", "limit_unknown", DAILY_OUTGOING)
        return refused("limit_unknown", "", (*judgement.steps, step))
    over = overrun(counted, known.standings)
    if over is not None:
        code = over.refusal
        return refused(code, over.name, (*judgement.steps, Step("limits", code, over.name)))
    said = ("within", ", ".join(sorted(names))) if counted else ("not_counted", "")
    return replace(judgement, steps=(*judgement.steps, Step("limits", *said)))
