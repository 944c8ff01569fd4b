"""What may vary in a request, as symbols a solver can reason about. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sentinel.facts import INTEGER_LIMIT
from sentinel.vocabulary import PrincipalKind


class NotAnalysable(Exception):
    """The policy uses something that has no exact translation; nothing is known about it."""

    code = "not_analysable"
    is_retryable = False

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True, slots=True)
class Text:
    """A string: a number that stands for it, because strings are only ever compared."""

    code: Any


@dataclass(frozen=True, slots=True)
class Members:
    """A set of strings of the context: a function from a string's number to whether it is in."""

    holds: Any


@dataclass(frozen=True, slots=True)
class Entity:
    """The principal, the resource, the action, the whole context, or an entity written out."""

    kind: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Never:
    """What an attribute holds that the context of this action never has: looking at it errs."""


@dataclass(frozen=True, slots=True)
class Term:
    """The value of an expression, and when it errs instead."""

    value: Any
    error: Any


@dataclass(frozen=True)
class Symbols:
    """Everything about a request that may vary: roles, mandate, the context and what is in it.

    One set of symbols serves both sides of a comparison. `shape` is the context's, by type.
    """

    z3: Any
    action: str
    kind: PrincipalKind
    shape: Mapping[str, str]
    texts: dict[str, int] = field(default_factory=dict)
    _made: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def yes(self) -> Any:  # noqa: ANN401
        """What always holds."""
        return self.z3.BoolVal(val=True)

    @cached_property
    def no(self) -> Any:  # noqa: ANN401
        """What never holds."""
        return self.z3.BoolVal(val=False)

    def any_of(self, formulas: Iterable[Any]) -> Any:  # noqa: ANN401
        """Return whether one of the formulas holds, as short as it can be said."""
        left = [each for each in formulas if each is not self.no]
        if not left or any(each is self.yes for each in left):
            return self.yes if left else self.no
        return left[0] if len(left) == 1 else self.z3.Or(*left)

    def all_of(self, formulas: Iterable[Any]) -> Any:  # noqa: ANN401
        """Return whether all of the formulas hold, as short as it can be said."""
        left = [each for each in formulas if each is not self.yes]
        if not left or any(each is self.no for each in left):
            return self.no if left else self.yes
        return left[0] if len(left) == 1 else self.z3.And(*left)

    def negated(self, formula: Any) -> Any:  # noqa: ANN401
        """Return whether a formula does not hold."""
        if formula is self.no or formula is self.yes:
            return self.yes if formula is self.no else self.no
        return self.z3.Not(formula)

    def code_of(self, text: str) -> Any:  # noqa: ANN401
        """Return the number that stands for a string."""
        number = self.texts.setdefault(text, len(self.texts))
        return self._kept(f"text {number}", lambda: self.z3.IntVal(number))

    def whole(self, name: str) -> Any:  # noqa: ANN401
        """Return a whole number of this name."""
        return self._kept(f"whole {name}", lambda: self.z3.Int(name))

    def truth(self, name: str) -> Any:  # noqa: ANN401
        """Return a truth of this name."""
        return self._kept(f"truth {name}", lambda: self.z3.Bool(name))

    def _kept(self, name: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def role(self, name: str) -> Any:  # noqa: ANN401
        """Return whether the principal has a role; the one of its kind it always has."""
        if name == self.kind:
            return self.yes
        return self.truth(f"role {name}")

    def mandate(self, name: str) -> Any:  # noqa: ANN401
        """Return whether the principal acts under a mandate, which only systems do."""
        if self.kind != "system":
            return self.no
        return self.whole("mandate") == self.code_of(name)

    def present(self, name: str) -> Any:  # noqa: ANN401
        """Return whether the context has an attribute."""
        if name not in self.shape:
            return self.no
        return self.truth(f"has {name}")

    def attribute(self, name: str) -> Any:  # noqa: ANN401
        """Return the value of an attribute of the context, by its type."""
        match self.shape.get(name):
            case "Bool":
                return self.truth(f"context {name}")
            case "Long":
                return self.whole(f"context {name}")
            case "String":
                return Text(self.whole(f"context {name}"))
            case "Set<String>":
                return Members(
                    self.z3.Function(f"in {name}", self.z3.IntSort(), self.z3.BoolSort())
                )
        return Never()

    def bounds(self) -> Iterator[Any]:
        """Yield what holds of every request: whole numbers are bounded as facts and amounts are."""
        for name, kind in self.shape.items():
            if kind == "Long":
                value = self.whole(f"context {name}")
                yield self.z3.And(value > -INTEGER_LIMIT, value < INTEGER_LIMIT)
