"""Contexts that no policy can tell apart, grouped by what the policies compare them with. Pure.

Where policies only compare a value with values written out, all that matters is on which side of
each of them it lies: 1,200.00 and 1,300.00 are the same to a rule about 1,000.00. A value that is
used in any other way stands for itself. Equal classes have equal answers, errors included.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sentinel.policy.engine import ContextValue

_COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})
_ABSENT, _OTHER = object(), object()


@dataclass(frozen=True, slots=True)
class _Compared:
    """What policies compare one attribute with: numbers in order, and texts."""

    numbers: tuple[int, ...]
    texts: frozenset[str]

    def class_of(self, value: ContextValue) -> object:
        """Return what policies can tell of a value."""
        if type(value) is int:
            numbers = self.numbers
            return bisect_left(numbers, value) + bisect_right(numbers, value)
        if type(value) is str:
            return value if value in self.texts else _OTHER
        return _exact(value)


@dataclass(frozen=True, slots=True)
class Classes:
    """The attributes that policies look at, and what they compare them with."""

    compared: tuple[tuple[str, _Compared], ...]
    exact: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]

    def of(self, context: Mapping[str, ContextValue]) -> tuple[object, ...]:
        """Return the class of a context: equal ones are answered alike."""
        found: list[object] = []
        for name, compared in self.compared:
            value = context.get(name)
            found.append(_ABSENT if value is None else compared.class_of(value))
        for name in self.exact:
            value = context.get(name)
            found.append(_ABSENT if value is None else _exact(value))
        for one, other in self.pairs:
            found.append(_order(context.get(one), context.get(other)))
        return tuple(found)


@dataclass(slots=True)
class _Uses:
    numbers: dict[str, set[int]] = field(default_factory=dict)
    texts: dict[str, set[str]] = field(default_factory=dict)
    exact: set[str] = field(default_factory=set)
    pairs: set[tuple[str, str]] = field(default_factory=set)

    def add(self, name: str, values: Sequence[object]) -> None:
        # A truth is itself: there is nothing to sort it among.
        numbers = (value for value in values if type(value) is int)
        self.numbers.setdefault(name, set()).update(numbers)
        texts = (value for value in values if isinstance(value, str))
        self.texts.setdefault(name, set()).update(texts)

    def compared(self, name: str) -> _Compared:
        numbers, texts = self.numbers.get(name, ()), self.texts.get(name, ())
        return _Compared(tuple(sorted(numbers)), frozenset(texts))


def classes_of(bodies: Sequence[Mapping[str, Any]], attributes: frozenset[str] | None) -> Classes:
    """Return the classes that these policies, in Cedar's JSON form, tell apart.

    `attributes` are those that the policies look at at all. None says that one of them uses the
    context as a whole, which has no classes but itself.

    Raises:
        LookupError: there are no classes.
    """
    if attributes is None:
        raise LookupError
    uses = _Uses()
    for body in bodies:
        _visit(body.get("conditions", []), uses)
    compared = [(name, uses.compared(name)) for name in sorted(attributes - uses.exact)]
    return Classes(tuple(compared), tuple(sorted(uses.exact)), tuple(sorted(uses.pairs)))


def _visit(node: object, uses: _Uses) -> None:
    """Note every use of the context; what is not a known comparison makes a value exact."""
    if isinstance(node, list):
        for each in node:
            _visit(each, uses)
    elif isinstance(node, dict):
        for operator, inside in node.items():
            _visit_one(operator, inside, node, uses)


def _visit_one(operator: str, inside: Any, node: Mapping[str, Any], uses: _Uses) -> None:  # noqa: ANN401
    name = _attribute(node) if operator == "." else ""
    if name:
        uses.exact.add(name)
    elif operator == "has" and inside.get("left") == {"Var": "context"}:
        return  # Whether it is there at all is part of every class.
    elif not _is_told(operator, inside, uses):
        _visit(inside, uses)


def _is_told(operator: str, inside: Any, uses: _Uses) -> bool:  # noqa: ANN401
    """Return whether this compares an attribute in a way that a class tells, and note with what."""
    if operator not in _COMPARISONS | {"contains"}:
        return False
    left, right = inside["left"], inside["right"]
    one, other = _attribute(left), _attribute(right)
    if operator == "contains":
        values = _written(left)
        if other and values is not None:
            uses.add(other, values)
        return bool(other) and values is not None
    if one and other:
        uses.pairs.add((min(one, other), max(one, other)))
        return True
    name, literal = (one, right) if one else (other, left)
    if not name or not _is_literal(literal):
        return False
    uses.add(name, [literal["Value"]])
    return True


def _attribute(node: object) -> str:
    """Return the attribute of the context that an expression is, or nothing."""
    inside = node.get(".") if isinstance(node, dict) else None
    is_ours = isinstance(inside, dict) and inside.get("left") == {"Var": "context"}
    return str(inside["attr"]) if is_ours and inside else ""


def _is_literal(node: object) -> bool:
    return isinstance(node, dict) and isinstance(node.get("Value"), str | int)


def _written(node: object) -> list[object] | None:
    """Return the values of a set that is written out, or None if this is none."""
    members = node.get("Set") if isinstance(node, dict) else None
    if not isinstance(members, list) or not all(map(_is_literal, members)):
        return None
    return [member["Value"] for member in members]


def _exact(value: ContextValue) -> object:
    if type(value) is str:
        return value
    return (type(value), tuple(value) if isinstance(value, list) else value)


def _order(one: ContextValue | None, other: ContextValue | None) -> object:
    """Return how two values compare; an absent one is told by its own class."""
    if type(one) is int and type(other) is int:
        return (one > other) - (one < other)
    return one == other
