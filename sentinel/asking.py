"""What the policies make of one question, and what they ask for beyond a plain yes. Pure.

A question goes to every link of a chain. What a policy asks for (an approval, a second factor) is
asked only if the answer would then be yes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sentinel.policy.engine import ContextValue, Evaluation, Rules
from sentinel.refusals import reason
from sentinel.vocabulary import Principal, Reason, Verdict


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
    # What a permit obliges whoever acts on it to, beyond saying what became of it.
    obligations: tuple[str, ...] = ()
    # What the policies were shown, and as whom; empty if they were not asked.
    context: Mapping[str, ContextValue] = field(default_factory=dict)
    roles: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Obligations:
    """What has been given towards this action: whose approvals, and whether a second factor."""

    approved_roles: tuple[str, ...]
    is_stepped_up: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """One kind of action, put to the policies by a chain of principals in a context.

    `met` is what has been given towards it; `stopped` names the policies a kill switch stops.
    """

    kind: str
    resource: str
    chain: tuple[Principal, ...]
    context: Mapping[str, ContextValue]
    met: Obligations
    stopped: frozenset[str] = frozenset()


def asked_of_policies(asked: Asked, rules: Rules) -> Judgement:
    """Return what the policies make of a question, and what they ask for beyond a plain yes."""
    met = asked.met
    answer = _evaluate_chain(asked, rules, met)
    if answer.is_permitted:
        step = Step("policy", "permit", ", ".join(answer.policies))
        used = "" if met.is_stepped_up else str(asked.context["sca_exemption"])
        permit = Judgement(Verdict.PERMIT, answer.policies, (), (step,), exemption=used)
        return _obliging(permit, rules)
    needs = _needs(answer, rules)
    if not needs:
        return _policy_refusal(answer, rules)
    roles = tuple(sorted({*met.approved_roles, *needs.values()} - {""}))
    lifted = Obligations(roles, is_stepped_up=True)
    possible = _evaluate_chain(asked, rules, lifted)
    if not possible.is_permitted:
        return _policy_refusal(possible, rules)
    return _obligation(answer, needs, rules)


def _obliging(permit: Judgement, rules: Rules) -> Judgement:
    """Return a permit with what its policies oblige to: `@obliges("notify_customer audit")`."""
    named = (rules.policies[policy].annotations.get("obliges", "") for policy in permit.policies)
    obligations = tuple(sorted({each for words in named for each in words.split()}))
    if not obligations:
        return permit
    step = Step("obligations", "carried", ", ".join(obligations))
    return replace(permit, obligations=obligations, steps=(*permit.steps, step))


def _without_stopped(answer: Evaluation, stopped: frozenset[str]) -> Evaluation:
    """Return an answer in which a stopped permit counts for nothing, and no stopped forbid lifts.

    What a stopped rule forbids stays forbidden, and no approval helps against it.
    """
    hit = stopped & set(answer.policies)
    left = tuple(policy for policy in answer.policies if policy not in hit)
    if not hit or (answer.is_permitted and left):
        return replace(answer, policies=left) if hit else answer
    return Evaluation(
        is_permitted=False, policies=(), refusal="stopped", detail=", ".join(sorted(hit))
    )


def _evaluate_chain(asked: Asked, rules: Rules, met: Obligations) -> Evaluation:
    """Return what the policies say about every link; all must be permitted: authority narrows."""
    context = shown(asked.context, met)
    determining: set[str] = set()
    is_permitted = True
    for link in asked.chain:
        said = rules.evaluate(asked.kind, link, asked.resource, context)
        answer = _without_stopped(said, asked.stopped)
        if answer.refusal or (not answer.is_permitted and not answer.policies):
            return answer
        if is_permitted and not answer.is_permitted:
            determining.clear()
        is_permitted = is_permitted and answer.is_permitted
        if answer.is_permitted == is_permitted:
            determining.update(answer.policies)
    return Evaluation(is_permitted, tuple(sorted(determining)))


def shown(context: Mapping[str, ContextValue], met: Obligations) -> dict[str, ContextValue]:
    """Return a context as policies see it: with what was given towards this action."""
    roles = list(met.approved_roles)
    return {**context, "approved_roles": roles, "step_up_done": met.is_stepped_up}


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
        return refused(
            answer.refusal, answer.detail, (Step("policy", answer.refusal, answer.detail),)
        )
    if not answer.policies:
        return refused("no_permit", "", (Step("policy", "no_permit"),))
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


def refused(code: str, detail: str, steps: tuple[Step, ...]) -> Judgement:
    """Return a refusal with the words of its code."""
    return Judgement(Verdict.DENY, (code,), (reason(code, detail=detail),), steps)
