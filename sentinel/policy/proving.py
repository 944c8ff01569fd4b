"""Questions about every request there could be, answered by z3 and shown again by Cedar. Pure.

"Does the new one permit anything the old one denied?", and "can what must never be permitted be
permitted?" A counterexample counts only once Cedar itself has given both answers to it. What
cannot be translated, or where z3 is not installed, is not analysable; it is never called safe.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sentinel.policy.bundles import BANK, Bundle, BundleRefused, Policy, bundle_policies
from sentinel.policy.engine import ContextValue, Evaluation, Rules
from sentinel.policy.questions import KINDS, Question, Reading, question, shape_of
from sentinel.policy.remembered_proofs import RememberedProofs, question_name, speaking_of
from sentinel.policy.symbolic import Compiler
from sentinel.policy.symbols import NotAnalysable, Text

WIDENED = "widened"
_EVERYTHING = '@id("everything") permit (principal, action, resource);'


@dataclass(frozen=True, slots=True)
class Counterexample:
    """One request, as small as it could be made, and who decided it before and after."""

    question: str
    action: str
    principal_kind: str
    roles: tuple[str, ...]
    mandate: str
    resource: str
    context: Mapping[str, ContextValue]
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question nothing is known about, and which policy or circumstance is in the way."""

    question: str
    action: str
    because: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What was asked for how many actions, what was found, and what remains unknown."""

    asked: int
    found: tuple[Counterexample, ...]
    unanswered: tuple[Unanswered, ...]

    @property
    def verdict(self) -> str:
        """Say "found", "not_analysable" or "none", whichever comes first."""
        return "found" if self.found else "not_analysable" if self.unanswered else "none"


def widening(old: Rules, new: Rules) -> Answer:
    """Return requests that the new rules permit and the old ones did not, one for each action."""
    found: list[Counterexample] = []
    unanswered: list[Unanswered] = []
    changed = [kind for kind in sorted(new.kinds) if _differs(old, new, kind)]
    for action in changed:
        try:
            name = question_name(WIDENED, action, old, new)
            found += _proofs.found(name, lambda: tuple(_widened(old, new, action)))  # noqa: B023
        except NotAnalysable as error:
            unanswered.append(Unanswered(WIDENED, action, error.what))
    return Answer(len(changed), tuple(found), tuple(unanswered))


def violations(rules: Rules, invariants: Sequence[Policy], actions: Sequence[str]) -> Answer:
    """Return requests that the rules permit although an invariant says never."""
    found: list[Counterexample] = []
    unanswered: list[Unanswered] = []
    watched = [(invariant, _watching(rules, invariant)) for invariant in invariants]
    for action in actions:
        sides = _Sides(rules, action)
        for invariant, watch in watched:
            try:
                found += _kept_or_violated(sides, watch, invariant)
            except NotAnalysable as error:
                unanswered.append(Unanswered(invariant.id, action, error.what))
    return Answer(len(invariants) * len(actions), tuple(found), tuple(unanswered))


def forget_proofs() -> None:
    """Prove anew what is next asked."""
    _proofs.forget()


_proofs: RememberedProofs[tuple[Counterexample, ...]] = RememberedProofs()


@dataclass(frozen=True)
class _Sides:
    """One action under one set of rules, translated when it is first needed."""

    rules: Rules
    action: str

    @cached_property
    def translated(self) -> list[tuple[Question, Any]]:
        asked_of = _questions(self.action, self.rules)
        return [(asked, asked.permits(self.rules)) for asked in asked_of]


def _kept_or_violated(sides: _Sides, watch: Rules, invariant: Policy) -> tuple[Counterexample, ...]:
    name = question_name("violated", sides.action, sides.rules, invariant=invariant)
    return _proofs.found(
        name, lambda: tuple(_violated(sides.rules, watch, invariant, sides.translated))
    )


class BundleBreaksInvariant(BundleRefused):
    """Under the bundle something could be permitted that must never be."""

    code = "bundle_breaks_invariant"


def require_invariants(rules: Rules, bundles: Sequence[Bundle], *, about: Bundle) -> Answer:
    """Return what became of the invariants for the actions a bundle speaks of.

    Raises:
        BundleBreaksInvariant: something could be permitted that must never be.
    """
    is_bank = about.content.area == BANK
    actions = sorted(rules.kinds) if is_bank else sorted(about.content.actions)
    answer = violations(rules, invariants_of(bundles), actions)
    if answer.found:
        problems = (f"{each.question}: {each.action} could be permitted" for each in answer.found)
        raise BundleBreaksInvariant(about.content.area, tuple(problems))
    return answer


def invariants_of(bundles: Sequence[Bundle]) -> tuple[Policy, ...]:
    """Return what the bundles say must never be permitted."""
    return tuple(policy for bundle in bundles for policy in bundle.invariants)


def _questions(action: str, *sides: Rules) -> list[Question]:
    return [question(action, kind, *sides) for kind in KINDS]


def _widened(old: Rules, new: Rules, action: str) -> Iterator[Counterexample]:
    """Yield the plainest request that is permitted now and was not before, if there is one."""
    readings = []
    for asked in _questions(action, old, new):
        z3 = asked.symbols.z3
        readings.append(_solved(asked, z3.And(asked.permits(new), z3.Not(asked.permits(old)))))
    reading = _plainest(readings)
    if reading is not None:
        before, after = _shown(reading, old), _shown(reading, new)
        if before.is_permitted or not after.is_permitted:
            raise NotAnalysable("Cedar answers the counterexample otherwise")
        yield _counterexample(WIDENED, reading, new, before, after)


def _violated(
    rules: Rules, watch: Rules, invariant: Policy, sides: Sequence[tuple[Question, Any]]
) -> Iterator[Counterexample]:
    readings = []
    for asked, permits in sides:
        term = Compiler(asked.symbols).policy(invariant)
        readings.append(_solved(asked, asked.symbols.z3.And(permits, term.value)))
    reading = _plainest(readings)
    if reading is not None:
        seen, after = _shown(reading, watch), _shown(reading, rules)
        if invariant.id not in seen.policies or not after.is_permitted:
            raise NotAnalysable("Cedar answers the counterexample otherwise")
        yield _counterexample(invariant.id, reading, rules, seen, after)


def _plainest(readings: Sequence[Reading | None]) -> Reading | None:
    """Return the reading whose principal has the fewest roles: who has many is seldom real."""
    found = [reading for reading in readings if reading is not None]
    return min(found, key=lambda each: len(each.principal().roles)) if found else None


def _solved(asked: Question, formula: Any) -> Reading | None:  # noqa: ANN401
    """Return a request for which a formula holds, with as little in it as will do, or None.

    Raises:
        NotAnalysable: z3 does not know.
    """
    z3, solver = asked.symbols.z3, asked.solver()
    solver.add(formula)
    answer = solver.check()
    if answer == z3.unsat:
        return None
    if answer != z3.sat:
        raise NotAnalysable("z3 gave no answer in time")
    for simpler in _simpler(asked):
        solver.push()
        solver.add(simpler)
        if solver.check() != z3.sat:
            solver.pop()
    if solver.check() != z3.sat:
        raise NotAnalysable("z3 gave no answer in time")
    return Reading(asked, solver.model())


def _simpler(asked: Question) -> Iterator[Any]:
    """Yield what makes a request plainer: fewer roles, fewer facts, nothing out of the ordinary."""
    z3, symbols = asked.symbols.z3, asked.symbols
    for role in sorted(asked.roles() - {symbols.kind}):
        yield symbols.negated(symbols.role(role))
    for name in sorted(symbols.shape):
        yield symbols.negated(symbols.present(name))
    yield symbols.whole("principal entity") == symbols.code_of("here")
    yield symbols.attribute("entity").code == symbols.code_of("here")
    yield symbols.whole("resource kind") == symbols.code_of("thing")
    for name, kind in sorted(symbols.shape.items()):
        value = symbols.attribute(name)
        if kind == "Bool":
            yield z3.Not(value)
        elif kind == "Long":
            yield from (value >= 0, value <= 1_000_000, value == 0)
        elif isinstance(value, Text):
            yield value.code == symbols.code_of("system" if name.startswith("source_") else "")
        else:
            yield from (z3.Not(value.holds(code)) for code in list(symbols.texts.values()))


def _shown(reading: Reading, rules: Rules) -> Evaluation:
    action = reading.asked.symbols.action
    return rules.evaluate(action, reading.principal(), reading.resource(), reading.context(rules))


def _counterexample(
    named: str, reading: Reading, rules: Rules, before: Evaluation, after: Evaluation
) -> Counterexample:
    principal = reading.principal()
    is_system = principal.kind == "system"
    return Counterexample(
        question=named,
        action=reading.asked.symbols.action,
        principal_kind=principal.kind,
        roles=principal.roles,
        mandate=principal.id.removeprefix("system:") if is_system else "",
        resource=reading.resource(),
        context=reading.context(rules),
        before=before.policies or ((before.refusal,) if before.refusal else ()),
        after=after.policies,
    )


def _watching(rules: Rules, invariant: Policy) -> Rules:
    """Return rules that permit everything but what the invariant describes."""
    (everything,) = bundle_policies("invariants", _EVERYTHING)
    return replace(rules, policies={everything.id: everything, invariant.id: invariant}, _slices={})


def _differs(old: Rules, new: Rules, action: str) -> bool:
    return action not in old.kinds or _said(old, action) != _said(new, action)


def _said(rules: Rules, action: str) -> object:
    """Return everything of the rules that decides one action, but for the words of it."""
    policies = [policy.logic for policy in speaking_of(rules, action)]
    return policies, shape_of(rules, action), rules.roles, rules.mandates
