"""One kind of action, asked for by one kind of principal: a formula over all such requests. Pure.

What the pipeline makes sure of before any policy is asked holds of every request: the provenance
is one of those there are, the purpose is registered, the catalogue's own marks are as they are.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any

from sentinel.policy.bundles import Policy
from sentinel.policy.engine import ContextValue, Rules
from sentinel.policy.schema import context_shape
from sentinel.policy.symbolic import Compiler
from sentinel.policy.symbols import NotAnalysable, Symbols, Term
from sentinel.vocabulary import Principal, PrincipalKind, Provenance

TIMEOUT_MILLISECONDS = 5_000
NO_SOLVER = "z3 is not installed"
KINDS: tuple[PrincipalKind, ...] = ("customer", "employee", "agent", "system")


@dataclass(frozen=True)
class Question:
    """One kind of action asked for by one kind of principal, with both sides as formulas."""

    symbols: Symbols
    sides: tuple[Rules, ...]
    _terms: dict[str, list[tuple[Mapping[str, Any], Term]]] = field(default_factory=dict)

    def permits(self, rules: Rules) -> Any:  # noqa: ANN401
        """Return when the rules permit: nothing errs, a permit applies and no forbid does (G2).

        Raises:
            NotAnalysable: one of the policies has no exact translation.
        """
        symbols, applied = self.symbols, self._applied(rules)
        permits = [term.value for policy, term in applied if policy.is_permit]
        forbids = [term.value for policy, term in applied if not policy.is_permit]
        errors = [term.error for _, term in applied]
        return symbols.all_of(
            (
                *self._complete(rules),
                symbols.negated(symbols.any_of(errors)),
                symbols.any_of(permits),
                symbols.negated(symbols.any_of(forbids)),
            )
        )

    def solver(self) -> Any:  # noqa: ANN401
        """Return a solver that knows what holds of every request."""
        solver = self.symbols.z3.Solver()
        solver.set("timeout", TIMEOUT_MILLISECONDS)
        solver.add(*self.symbols.bounds(), *self._given())
        return solver

    def _applied(self, rules: Rules) -> list[tuple[Policy, Term]]:
        return [
            (policy, self._term(policy))
            for policy in rules.policies.values()
            if policy.actions is None or self.symbols.action in policy.actions
        ]

    def _term(self, policy: Policy) -> Term:
        """Return a policy as formulas; what both sides have in common is translated once."""
        for earlier, term in self._terms.get(policy.id, ()):
            if earlier == policy.body:
                return term
        try:
            term = Compiler(self.symbols).policy(policy)
        except NotAnalysable as error:
            raise NotAnalysable(f"{policy.id}: {error.what}") from error
        self._terms.setdefault(policy.id, []).append((policy.body, term))
        return term

    def _complete(self, rules: Rules) -> Iterator[Any]:
        """Yield what a request must have for the rules to be asked at all (G1, G3)."""
        symbols = self.symbols
        for name in shape_of(rules, symbols.action):
            if not name.endswith("?"):
                yield symbols.present(name)
        for role in self.roles() - rules.roles - {symbols.kind}:
            yield symbols.negated(symbols.role(role))
        if symbols.kind == "system":
            yield symbols.any_of([symbols.mandate(name) for name in sorted(rules.mandates)])
        if symbols.kind not in rules.roles:
            yield symbols.no

    def _given(self) -> Iterator[Any]:
        """Yield what the pipeline has made sure of before any policy is asked."""
        z3, symbols, entry = (
            self.symbols.z3,
            self.symbols,
            self.sides[-1].kinds[self.symbols.action],
        )
        fixed: dict[str, tuple[str, ...]] = {
            name: tuple(each.value for each in Provenance)
            for name in symbols.shape
            if name.startswith("source_")
        }
        fixed["risk"] = (entry.risk,)
        fixed["purpose"] = tuple(sorted(frozenset().union(*(s.purposes for s in self.sides))))
        for name, values in fixed.items():
            if symbols.shape.get(name) == "String":
                code = symbols.attribute(name).code
                yield z3.Or(*(code == symbols.code_of(value) for value in values))
        yield symbols.attribute("human_only") == z3.BoolVal(entry.human_only)
        if "approval_threshold_minor" in symbols.shape:
            yield symbols.attribute("approval_threshold_minor") >= 0

    def roles(self) -> frozenset[str]:
        """Return every role that either side knows."""
        return frozenset().union(*(side.roles for side in self.sides))

    def mandates(self) -> list[str]:
        """Return every mandate that either side knows."""
        return sorted(frozenset().union(*(side.mandates for side in self.sides)))


def question(action: str, kind: PrincipalKind, *sides: Rules) -> Question:
    """Return the question about one action and one kind of principal for these rules.

    Raises:
        NotAnalysable: z3 is not installed, or a fact has another type on either side.
    """
    shape: dict[str, str] = {}
    for rules in sides:
        for name, type_name in shape_of(rules, action).items():
            if shape.setdefault(name.removesuffix("?"), type_name) != type_name:
                raise NotAnalysable(f"{name} changed its type")
    return Question(Symbols(solver_module(), action, kind, shape), sides)


@dataclass(frozen=True)
class Reading:
    """A request read from what a solver found."""

    asked: Question
    model: Any

    def principal(self) -> Principal:
        """Return the principal with its roles or mandate."""
        symbols, kind = self.asked.symbols, self.asked.symbols.kind
        entity = self._text(symbols.whole("principal entity"))
        if kind == "system":
            held = [name for name in self.asked.mandates() if self._true(symbols.mandate(name))]
            return Principal(f"system:{held[0]}", kind, "", entity, self._roles())
        return Principal(f"{kind}:1", kind, "person-1", entity, self._roles())

    def resource(self) -> str:
        """Return what is acted on."""
        return f"{self._text(self.asked.symbols.whole('resource kind'))}:1"

    def context(self, rules: Rules) -> dict[str, ContextValue]:
        """Return the context as far as these rules declare it."""
        symbols = self.asked.symbols
        known = {name.removesuffix("?") for name in shape_of(rules, symbols.action)}
        return {
            name: self._attribute(name)
            for name in sorted(known)
            if self._true(symbols.present(name))
        }

    def _roles(self) -> tuple[str, ...]:
        kind = self.asked.symbols.kind
        named = sorted(self.asked.roles() - {kind})
        held = [name for name in named if self._true(self.asked.symbols.role(name))]
        return (kind, *held) if kind == "customer" else tuple(held)

    def _attribute(self, name: str) -> ContextValue:
        symbols = self.asked.symbols
        match symbols.shape[name]:
            case "Bool":
                return self._true(symbols.attribute(name))
            case "Long":
                value = self.model.eval(symbols.attribute(name), model_completion=True)
                return int(value.as_long())
            case "String":
                return self._text(symbols.attribute(name).code)
        holds = symbols.attribute(name).holds
        texts = dict(symbols.texts)
        return sorted(text for text, code in texts.items() if self._true(holds(code)))

    def _true(self, formula: Any) -> bool:  # noqa: ANN401
        z3 = self.asked.symbols.z3
        return bool(z3.is_true(self.model.eval(formula, model_completion=True)))

    def _text(self, code: Any) -> str:  # noqa: ANN401
        number = int(self.model.eval(code, model_completion=True).as_long())
        known = {value: text for text, value in self.asked.symbols.texts.items()}
        return known.get(number, f"other_{abs(number)}")


def shape_of(rules: Rules, action: str) -> dict[str, str]:
    """Return what the context of an action holds under these rules, by type."""
    required = rules.required.get(action, frozenset())
    return context_shape(rules.kinds[action], rules.facts, required)


@cache
def solver_module() -> Any:  # noqa: ANN401
    """Return z3, which is optional.

    Raises:
        NotAnalysable: it is not installed.
    """
    try:
        return import_module("z3")
    except ImportError as error:
        raise NotAnalysable(NO_SOLVER) from error
