"""Cedar's expressions as formulas, so that a question about all requests has one answer. Pure.

Every expression has a value and a condition under which it errs, because an error denies (G2).
What is not translated exactly is not translated: `NotAnalysable` says which operator it was.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentinel.policy.bundles import Policy
from sentinel.policy.schema import PRINCIPALS
from sentinel.policy.symbols import Entity, Members, Never, NotAnalysable, Symbols, Term, Text

LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Compiler:
    """Turns the policies of one kind of action into formulas over symbols."""

    symbols: Symbols

    def policy(self, policy: Policy) -> Term:
        """Return when a policy applies, and when it errs.

        Raises:
            NotAnalysable: it uses something that has no exact translation.
        """
        parts = [self._scope(policy.body["principal"]), self._resource(policy.body["resource"])]
        for condition in policy.body["conditions"]:
            term = self._bool(condition["body"])
            is_when = condition["kind"] == "when"
            parts.append(term if is_when else Term(self.symbols.negated(term.value), term.error))
        return self._all(parts)

    @property
    def _z3(self) -> Any:  # noqa: ANN401
        return self.symbols.z3

    def _either(self, *formulas: Any) -> Any:  # noqa: ANN401
        return self.symbols.any_of(formulas)

    def _both(self, *formulas: Any) -> Any:  # noqa: ANN401
        return self.symbols.all_of(formulas)

    def _sure(self, value: Any) -> Term:  # noqa: ANN401
        return Term(value, self.symbols.no)

    def _known(self, is_so: bool) -> Term:  # noqa: FBT001
        return self._sure(self.symbols.yes if is_so else self.symbols.no)

    def _scope(self, scope: Mapping[str, Any]) -> Term:
        match scope:
            case {"op": "All"}:
                return self._sure(self.symbols.yes)
            case {"op": "is", "entity_type": str(kind), **rest}:
                inside = rest.get("in")
                within = self._within(inside["entity"]) if inside else self.symbols.yes
                return self._sure(self._both(self._is_kind(kind), within))
            case {"op": "in", "entity": entity}:
                return self._sure(self._within(entity))
        raise NotAnalysable(f"a principal scope with {scope.get('op')}")

    def _resource(self, scope: Mapping[str, Any]) -> Term:
        if scope in ({"op": "All"}, {"op": "is", "entity_type": "Resource"}):
            return self._sure(self.symbols.yes)
        raise NotAnalysable(f"a resource scope with {scope.get('op')}")

    def _within(self, entity: Mapping[str, str]) -> Any:  # noqa: ANN401
        if entity["type"] == "Role":
            return self.symbols.role(entity["id"])
        if entity["type"] == "Mandate":
            return self.symbols.mandate(entity["id"])
        raise NotAnalysable(f"in {entity['type']}")

    def _is_kind(self, name: str) -> Any:  # noqa: ANN401
        return self.symbols.yes if PRINCIPALS[self.symbols.kind] == name else self.symbols.no

    def _all(self, parts: Sequence[Term]) -> Term:
        """Return a conjunction as Cedar evaluates it: what comes after a false is not looked at."""
        value, error = self.symbols.yes, self.symbols.no
        for part in parts:
            error = self._either(error, self._both(value, part.error))
            value = self._both(value, part.value)
        return Term(self._both(value, self.symbols.negated(error)), error)

    def _bool(self, expression: Mapping[str, Any]) -> Term:
        return self._typed(expression, self._z3.BoolRef)

    def _typed(self, expression: Mapping[str, Any], kind: type) -> Term:
        term = self._term(expression)
        if isinstance(term.value, Never):
            is_bool = kind is self._z3.BoolRef
            return Term(self.symbols.no if is_bool else self._z3.IntVal(0), term.error)
        if not isinstance(term.value, kind):
            raise NotAnalysable(f"{next(iter(expression))} of another type")
        return term

    def _term(self, expression: Mapping[str, Any]) -> Term:
        if len(expression) != 1:
            raise NotAnalysable("an expression of several parts")
        ((operator, parts),) = expression.items()
        translate = _OPERATORS.get(operator)
        if translate is None:
            raise NotAnalysable(operator)
        return translate(self, operator, parts)

    def _value(self, _: str, value: object) -> Term:
        if isinstance(value, bool):
            return self._sure(self.symbols.yes if value else self.symbols.no)
        if isinstance(value, int):
            return self._sure(self._z3.IntVal(value))
        if isinstance(value, str):
            return self._sure(Text(self.symbols.code_of(value)))
        if isinstance(value, dict) and set(value) == {"__entity"}:
            return self._sure(Entity(value["__entity"]["type"], value["__entity"]["id"]))
        raise NotAnalysable("a value")

    def _variable(self, _: str, name: str) -> Term:
        if name == "action":
            return self._sure(Entity("Action", self.symbols.action))
        return self._sure(Entity(name))

    def _set(self, _: str, items: Sequence[Mapping[str, Any]]) -> Term:
        terms = tuple(self._term(item) for item in items)
        return Term(tuple(each.value for each in terms), self._any_error(terms))

    def _any_error(self, terms: Sequence[Term]) -> Any:  # noqa: ANN401
        return self.symbols.any_of(each.error for each in terms)

    def _attribute(self, _: str, parts: Mapping[str, Any]) -> Term:
        of, name = self._term(parts["left"]), parts["attr"]
        match of.value:
            case Entity(kind="context"):
                present = self.symbols.present(name)
                return Term(self.symbols.attribute(name), self.symbols.negated(present))
            case Entity(kind="principal" | "resource") if name == "entity":
                # A resource is always supplied as of the principal's own legal entity.
                return self._sure(Text(self.symbols.whole("principal entity")))
            case Entity(kind="resource") if name == "kind":
                return self._sure(Text(self.symbols.whole("resource kind")))
        raise NotAnalysable(f".{name}")

    def _has(self, _: str, parts: Mapping[str, Any]) -> Term:
        of, name = self._term(parts["left"]), parts["attr"]
        match of.value:
            case Entity(kind="context") if isinstance(name, str):
                return self._sure(self.symbols.present(name))
            case Entity(kind="principal"):
                return self._known(name == "entity")
            case Entity(kind="resource"):
                return self._known(name in {"entity", "kind"})
        raise NotAnalysable("has")

    def _and(self, _: str, parts: Mapping[str, Any]) -> Term:
        left, right = self._bool(parts["left"]), self._bool(parts["right"])
        error = self._either(left.error, self._both(left.value, right.error))
        return Term(self._both(left.value, right.value), error)

    def _or(self, _: str, parts: Mapping[str, Any]) -> Term:
        left, right = self._bool(parts["left"]), self._bool(parts["right"])
        error = self._either(left.error, self._both(self.symbols.negated(left.value), right.error))
        return Term(self._either(left.value, right.value), error)

    def _not(self, _: str, parts: Mapping[str, Any]) -> Term:
        term = self._bool(parts["arg"])
        return Term(self.symbols.negated(term.value), term.error)

    def _if(self, _: str, parts: Mapping[str, Any]) -> Term:
        asked = self._bool(parts["if"])
        then, other = self._term(parts["then"]), self._term(parts["else"])
        error = self._either(asked.error, self._z3.If(asked.value, then.error, other.error))
        if isinstance(then.value, Text) and isinstance(other.value, Text):
            return Term(Text(self._z3.If(asked.value, then.value.code, other.value.code)), error)
        if not self._z3.is_expr(then.value) or not self._z3.is_expr(other.value):
            raise NotAnalysable("if-then-else of another type")
        return Term(self._z3.If(asked.value, then.value, other.value), error)

    def _equal(self, operator: str, parts: Mapping[str, Any]) -> Term:
        left, right = self._term(parts["left"]), self._term(parts["right"])
        same = self._same(left.value, right.value)
        value = same if operator == "==" else self.symbols.negated(same)
        return Term(value, self._any_error((left, right)))

    def _same(self, left: Any, right: Any) -> Any:  # noqa: ANN401
        match left, right:
            case (Never(), _) | (_, Never()):
                return self.symbols.no
            case Text(), Text():
                return left.code == right.code
            case Entity(), Entity() if left.id and right.id:
                return self.symbols.yes if left == right else self.symbols.no
        for kind in (self._z3.BoolRef, self._z3.ArithRef):
            if isinstance(left, kind) and isinstance(right, kind):
                return left == right
        raise NotAnalysable("== of another type")

    def _compare(self, operator: str, parts: Mapping[str, Any]) -> Term:
        left = self._typed(parts["left"], self._z3.ArithRef)
        right = self._typed(parts["right"], self._z3.ArithRef)
        return Term(_COMPARED[operator](left.value, right.value), self._any_error((left, right)))

    def _arithmetic(self, operator: str, parts: Mapping[str, Any]) -> Term:
        left = self._typed(parts["left"], self._z3.ArithRef)
        right = self._typed(parts["right"], self._z3.ArithRef)
        return self._bounded(_COMPUTED[operator](left.value, right.value), (left, right))

    def _negative(self, _: str, parts: Mapping[str, Any]) -> Term:
        term = self._typed(parts["arg"], self._z3.ArithRef)
        return self._bounded(-term.value, (term,))

    def _bounded(self, value: Any, terms: Sequence[Term]) -> Term:  # noqa: ANN401
        overflows = self._either(value < LONG_MIN, value > LONG_MAX)
        return Term(value, self._either(self._any_error(terms), overflows))

    def _in(self, _: str, parts: Mapping[str, Any]) -> Term:
        left, right = self._term(parts["left"]), self._term(parts["right"])
        groups = right.value if isinstance(right.value, tuple) else (right.value,)
        if not isinstance(left.value, Entity) or not all(isinstance(g, Entity) for g in groups):
            raise NotAnalysable("in of another type")
        return Term(
            self.symbols.any_of(self._member(left.value, group) for group in groups),
            self._any_error((left, right)),
        )

    def _member(self, entity: Entity, group: Entity) -> Any:  # noqa: ANN401
        if entity == Entity("principal"):
            return self._within({"type": group.kind, "id": group.id})
        if entity.id and group.id:
            return self.symbols.yes if entity == group else self.symbols.no
        raise NotAnalysable("in")

    def _is(self, _: str, parts: Mapping[str, Any]) -> Term:
        of = self._term(parts["left"])
        if of.value != Entity("principal"):
            raise NotAnalysable("is")
        value = self._is_kind(parts["entity_type"])
        if "in" in parts:
            within = self._in("in", {"left": parts["left"], "right": parts["in"]})
            value = self._both(value, within.value)
        return Term(value, of.error)

    def _contains(self, operator: str, parts: Mapping[str, Any]) -> Term:
        whole, part = self._term(parts["left"]), self._term(parts["right"])
        error = self._any_error((whole, part))
        if operator == "contains":
            return Term(self._holds(whole.value, part.value), error)
        if not isinstance(part.value, tuple):
            raise NotAnalysable(f"{operator} of a set that is not written out")
        each = [self._holds(whole.value, item) for item in part.value]
        joined = self.symbols.any_of if operator == "containsAny" else self.symbols.all_of
        return Term(joined(each), error)

    def _holds(self, whole: Any, item: Any) -> Any:  # noqa: ANN401
        if isinstance(whole, Never) or isinstance(item, Never):
            return self.symbols.no
        if isinstance(whole, Members) and isinstance(item, Text):
            return whole.holds(item.code)
        if isinstance(whole, tuple):
            return self.symbols.any_of(self._same(each, item) for each in whole)
        raise NotAnalysable("contains of another type")


_COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_COMPUTED: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
}
_OPERATORS: Mapping[str, Callable[[Compiler, str, Any], Term]] = {
    "Value": Compiler._value,
    "Var": Compiler._variable,
    "Set": Compiler._set,
    ".": Compiler._attribute,
    "has": Compiler._has,
    "&&": Compiler._and,
    "||": Compiler._or,
    "!": Compiler._not,
    "if-then-else": Compiler._if,
    "==": Compiler._equal,
    "!=": Compiler._equal,
    **dict.fromkeys(_COMPARED, Compiler._compare),
    **dict.fromkeys(_COMPUTED, Compiler._arithmetic),
    "neg": Compiler._negative,
    "in": Compiler._in,
    "is": Compiler._is,
    "contains": Compiler._contains,
    "containsAny": Compiler._contains,
    "containsAll": Compiler._contains,
}
