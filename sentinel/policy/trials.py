"""Bundles tried by their own cases before they may be proposed or published. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sentinel.catalogue import ActionKind
from sentinel.policy.bundles import Bundle, BundleRefused
from sentinel.policy.cases import ENTITY, CaseValue, PolicyCase, PolicyCases
from sentinel.policy.engine import ContextValue, Evaluation, Rules
from sentinel.policy.schema import neutral_context
from sentinel.vocabulary import Principal, PrincipalKind

_KINDS: Mapping[str, PrincipalKind] = {
    "agent": "agent",
    "customer": "customer",
    "employee": "employee",
    "system": "system",
}


class BundleTestsFailed(BundleRefused):
    """A case that comes with the policies is answered otherwise than it says."""

    code = "bundle_tests_failed"


class BundleUntested(BundleRefused):
    """A policy of the bundle permits something, and no case shows what."""

    code = "bundle_untested"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case and how it came out; `problem` says what is wrong with it, if anything."""

    area: str
    name: str
    expected: str
    answered: str
    policies: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Trial:
    """Every case that was tried, and the policies of the bundle in question that none decided."""

    results: tuple[CaseResult, ...]
    permits_untried: tuple[str, ...]
    forbids_untried: tuple[str, ...]

    @property
    def failures(self) -> tuple[str, ...]:
        """What failed, in words."""
        return tuple(f"{each.area}: {each.name}: {each.problem}" for each in self._failed())

    def _failed(self) -> Iterator[CaseResult]:
        return (each for each in self.results if each.problem)


def tried(rules: Rules, bundles: Sequence[Bundle], *, about: Bundle) -> Trial:
    """Return how the cases of all bundles in force together come out; `about` is the new one."""
    results = tuple(
        _result(rules, bundle, case)
        for bundle in sorted(bundles, key=lambda each: each.content.area)
        for case in bundle.content.tests.cases
    )
    decisive = {policy for each in results if not each.problem for policy in each.policies}
    untried = [policy for policy in about.policies if policy.id not in decisive]
    return Trial(
        results,
        tuple(sorted(policy.id for policy in untried if policy.is_permit)),
        tuple(sorted(policy.id for policy in untried if not policy.is_permit)),
    )


def require_answered(trial: Trial, area: str) -> None:
    """Accept only bundles whose cases are all answered as they say.

    Raises:
        BundleTestsFailed: one is answered otherwise.
    """
    if trial.failures:
        raise BundleTestsFailed(area, trial.failures)


def require_tried(trial: Trial, area: str) -> None:
    """Accept only a bundle whose cases hold, and none of whose permits is untried.

    Raises:
        BundleTestsFailed: a case, of this bundle or another, is answered otherwise.
        BundleUntested: no case is decided by one of its permits.
    """
    require_answered(trial, area)
    if trial.permits_untried:
        problems = (f"{policy}: no case shows what it permits" for policy in trial.permits_untried)
        raise BundleUntested(area, tuple(problems))


def _result(rules: Rules, bundle: Bundle, case: PolicyCase) -> CaseResult:
    area = bundle.content.area
    entry = rules.kinds.get(case.action)
    absent = [name for name in case.given if name not in bundle.content.tests.contexts]
    if entry is None or absent:
        problem = f"no context {absent[0]}" if absent else f"{case.action} is not in the catalogue"
        return CaseResult(area, case.name, case.expect, "", (), problem)
    context = _context(entry, bundle.content.tests, case)
    answer = rules.evaluate(case.action, _principal(case.who), case.resource, context)
    answered = "permit" if answer.is_permitted else "deny"
    return CaseResult(
        area, case.name, case.expect, answered, answer.policies, _problem(case, answered, answer)
    )


def _problem(case: PolicyCase, answered: str, answer: Evaluation) -> str:
    if answer.refusal:
        return f"could not be asked: {answer.refusal} ({answer.detail})"
    if answered != case.expect or answer.policies != tuple(sorted(case.by)):
        said, wanted = ", ".join(answer.policies) or "no policy", ", ".join(sorted(case.by))
        return f"{answered} by {said}, expected {case.expect} by {wanted or 'no policy'}"
    return ""


def _context(entry: ActionKind, tests: PolicyCases, case: PolicyCase) -> dict[str, ContextValue]:
    laid: dict[str, CaseValue] = dict(neutral_context(entry, entity=ENTITY))
    for name in case.given:
        laid.update(tests.contexts[name])
    laid.update(case.context)
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in laid.items()
        if value is not None
    }


def _principal(who: str) -> Principal:
    word, _, named = who.partition(":")
    kind = _KINDS[word]
    if kind == "system":
        return Principal(f"system:{named}", kind, "", ENTITY)
    roles = tuple(named.split(",")) if named else (kind,) if kind == "customer" else ()
    return Principal(f"{word}:1", kind, "person-1", ENTITY, roles)
