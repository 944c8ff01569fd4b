"""An old decision put otherwise: under the rules of today, or with the least that would flip it.

A change that would flip a verdict is found by trying, not by reasoning: each candidate is judged
by the same pipeline on what was recorded then, and only what came out otherwise is told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

from sentinel.asking import Judgement
from sentinel.facts import FactKind
from sentinel.gathering import ApprovalOnFile, Gathered
from sentinel.judging import Proposal, judge
from sentinel.policy.engine import Rules
from sentinel.policy.publishing import bundles_in_force, compiled
from sentinel.policy.remembered_proofs import speaking_of
from sentinel.policy.remembering import remembering
from sentinel.replaying import Recorded, recorded_decision, rules_then
from sentinel.vocabulary import Fact, Money, Verdict

TRIED_MAX = 3_000
SHOWN_MAX = 5
_SOURCE = "counterfactual:1"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing seen otherwise; `was` is empty for what was not there."""

    kind: str
    name: str
    was: object
    would: object


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """The changes that together flip a decision, and what it then is, judged again to prove it."""

    changes: tuple[Change, ...]
    verdict: str
    policies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Otherwise:
    """One decision judged again: as it was, under the rules of today, and with the least changed.

    `is_alike_then` says that judging it again under its own rules gives what was recorded.
    """

    verdict: str
    is_alike_then: bool
    verdict_now: str
    policies_now: tuple[str, ...]
    rules_then: str
    rules_now: str
    counterfactuals: tuple[Counterfactual, ...]
    tried: int
    is_cut_short: bool


def otherwise(*, decision_id: UUID) -> Otherwise:
    """Judge a decision again: then, now, and with the fewest changes that flip it.

    Raises:
        DecisionUnknown: this legal entity has no decision of this id.
        InputsUnreadable: it cannot be judged again: erased, or from before inputs were kept.
        BundleRefused: the rules of then do not fit the catalogue of this release.
    """
    found = recorded_decision(decision_id)
    then, now = remembering(rules_then(found.bundle)), compiled(bundles_in_force(None))
    again = judge(found.proposal, found.known, then)
    today = judge(found.proposal, found.known, now)
    search = _Search(found, then, again)
    flips = search.fewest()
    return Otherwise(
        verdict=found.verdict,
        is_alike_then=(again.verdict.value, again.policies) == (found.verdict, found.policies),
        verdict_now=today.verdict.value,
        policies_now=today.policies,
        rules_then=found.bundle,
        rules_now=now.digest,
        counterfactuals=flips,
        tried=search.tried,
        is_cut_short=search.tried >= TRIED_MAX,
    )


_Put = tuple[Proposal, Gathered]


class _Search:
    """Tries single changes first, then pairs of them, until something flips."""

    def __init__(self, found: Recorded, rules: Rules, again: Judgement) -> None:
        self._found, self._rules, self._verdict = found, rules, again.verdict
        self.tried = 0

    def fewest(self) -> tuple[Counterfactual, ...]:
        """Return the smallest sets of changes that flip the verdict, the best first."""
        single = list(_changes(self._found, self._rules))
        for size in (1, 2):
            flips = [
                flip
                for each in combinations(single, size)
                if self._is_sensible(each) and (flip := self._tried(each))
            ]
            if flips:
                return tuple(sorted(flips, key=_rank)[:SHOWN_MAX])
        return ()

    def _is_sensible(self, changes: tuple[Change, ...]) -> bool:
        return len({(each.kind, each.name) for each in changes}) == len(changes)

    def _tried(self, changes: tuple[Change, ...]) -> Counterfactual | None:
        if self.tried >= TRIED_MAX:
            return None
        self.tried += 1
        put = (self._found.proposal, self._found.known)
        for change in changes:
            put = _changed(put, change)
        judgement = judge(*put, self._rules)
        # A permit flips by any refusal; a refusal only by getting nearer to a permit.
        nearer = _NEARNESS[judgement.verdict] > _NEARNESS[self._verdict]
        was_permit = self._verdict is Verdict.PERMIT
        if nearer or (was_permit and judgement.verdict is not Verdict.PERMIT):
            return Counterfactual(changes, judgement.verdict.value, judgement.policies)
        return None


_NEARNESS = {
    Verdict.DENY: 0,
    Verdict.NEEDS_APPROVAL: 1,
    Verdict.NEEDS_STEP_UP: 2,
    Verdict.PERMIT: 3,
}


def _rank(flip: Counterfactual) -> tuple[object, ...]:
    """Order what flips all the way before what flips part of it, and small steps before large."""
    distance = sum(
        abs(each.would - each.was)
        for each in flip.changes
        if type(each.would) is int and type(each.was) is int
    )
    absent = sum(each.kind == "fact" and each.was == "" for each in flip.changes)
    names = [each.name for each in flip.changes]
    return -_NEARNESS[Verdict(flip.verdict)], absent, distance, names


def _changes(found: Recorded, rules: Rules) -> Iterator[Change]:
    """Yield every single change worth trying, at the borders that the rules themselves draw."""
    literals = _literals(rules, found.proposal.action.kind)
    yield from _fact_changes(found, rules, literals)
    yield from _amount_changes(found, literals)
    proposal, known = found.proposal, found.known
    needed = {
        policy.annotations["role"]
        for policy in speaking_of(rules, proposal.action.kind)
        if policy.annotations.get("needs") == "approval" and "role" in policy.annotations
    }
    given = {each.role for each in known.approvals if each.state == "approved"}
    for role in sorted(needed - given):
        yield Change("approval", role, "", "approved")
    for role in sorted(rules.roles - {*proposal.principal.roles, *_KINDS}):
        yield Change("role", role, "", "held")
    for purpose in sorted(rules.purposes - {proposal.purpose}):
        yield Change("purpose", "purpose", proposal.purpose, purpose)
    if known.stopped:
        yield Change("stopped", "stopped", ", ".join(known.stopped), "nothing stopped")


_KINDS = frozenset({"customer", "employee", "agent", "system"})


def _fact_changes(
    found: Recorded, rules: Rules, literals: Mapping[str, set[object]]
) -> Iterator[Change]:
    values = {fact.name: fact.value for fact in found.proposal.facts}
    required = rules.required.get(found.proposal.action.kind, frozenset())
    for name in sorted(
        {*values, *required} & rules.facts.keys() | {*literals} & rules.facts.keys()
    ):
        was = values.get(name)
        for would in _values(rules.facts[name], was, literals.get(name, set())):
            yield Change("fact", name, "" if was is None else was, would)


def _amount_changes(found: Recorded, literals: Mapping[str, set[object]]) -> Iterator[Change]:
    amount = found.proposal.typed.amount
    if amount is None:
        return
    borders = {each for each in literals.get("amount_minor", set()) if type(each) is int}
    borders |= set(found.known.caps.values())
    for standing in found.known.standings:
        borders.add(standing.cap - standing.used)
    near = {border + step for border in borders for step in (-1, 0, 1)}
    for minor in sorted(each for each in near if 0 < each < 2**53 and each != amount.minor_units):
        yield Change("amount", amount.currency, amount.minor_units, minor)


def _values(kind: FactKind, was: object, literals: set[object]) -> Iterator[object]:
    """Yield other values of a fact: the other truth, each text compared with, each border."""
    match kind.type:
        case "Bool":
            yield from (each for each in (True, False) if each is not was)
        case "String":
            texts = {each for each in literals if isinstance(each, str)} | {"other"}
            yield from sorted(each for each in texts if each != was)
        case _:
            borders = {each for each in literals if type(each) is int}
            near = {border + step for border in borders for step in (-1, 0, 1)}
            yield from sorted(each for each in near if each != was and each >= 0)


def _literals(rules: Rules, action: str) -> dict[str, set[object]]:
    """Return what the policies compare each attribute of the context with."""
    found: dict[str, set[object]] = {}
    for policy in speaking_of(rules, action):
        _collect(policy.body.get("conditions", []), found)
    return found


def _collect(node: object, found: dict[str, set[object]]) -> None:
    if isinstance(node, list):
        for each in node:
            _collect(each, found)
    elif isinstance(node, dict):
        left, right = node.get("left"), node.get("right")
        if left is not None and right is not None:
            for one, other in ((left, right), (right, left)):
                for name in _names(one):
                    found.setdefault(name, set()).update(_written(other))
        for each in node.values():
            _collect(each, found)


def _names(node: Any) -> Iterator[str]:  # noqa: ANN401 - a Cedar expression
    inside = node.get(".") if isinstance(node, dict) else None
    if isinstance(inside, dict) and inside.get("left") == {"Var": "context"}:
        yield inside["attr"]


def _written(node: Any) -> Iterator[object]:  # noqa: ANN401 - a Cedar expression
    members = node.get("Set", [node]) if isinstance(node, dict) else []
    for member in members:
        value = member.get("Value") if isinstance(member, dict) else None
        if isinstance(value, str | int):
            yield value


def _changed(put: _Put, change: Change) -> _Put:
    proposal, known = put
    match change.kind:
        case "fact":
            return _with_fact(proposal, change), known
        case "amount":
            amount = Money(int(str(change.would)), change.name)
            typed = replace(proposal.typed, amount=amount)
            dimensions = tuple(
                replace(each, amount=amount.minor_units) if each.unit == amount.currency else each
                for each in proposal.dimensions
            )
            return replace(proposal, typed=typed, dimensions=dimensions), known
        case "approval":
            return proposal, _with_approval(proposal, known, change.name)
        case "role":
            roles = (*proposal.principal.roles, change.name)
            return replace(proposal, principal=replace(proposal.principal, roles=roles)), known
        case "purpose":
            return replace(proposal, purpose=str(change.would)), known
    return proposal, replace(known, stopped=())


def _with_fact(proposal: Proposal, change: Change) -> Proposal:
    others = tuple(fact for fact in proposal.facts if fact.name != change.name)
    return replace(proposal, facts=(*others, Fact(change.name, change.would, _SOURCE, proposal.at)))


def _with_approval(proposal: Proposal, known: Gathered, role: str) -> Gathered:
    given = ApprovalOnFile(
        id=UUID(int=0),
        role=role,
        state="approved",
        params_hash=proposal.params_hash,
        expires_at=proposal.at + timedelta(minutes=5),
    )
    return replace(known, approvals=(*known.approvals, given))
