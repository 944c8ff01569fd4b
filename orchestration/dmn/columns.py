"""One input column of a decision table cut into regions, and which rules accept which of them.

Between two neighbouring values that the cells mention every value is treated the same, so a
column of any type has only a few regions: the values, what lies between, and what lies outside.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cmp_to_key

from orchestration.feel import FeelSyntaxError, tree
from orchestration.feel.arithmetic import calculate
from orchestration.feel.comparison import compare, contains, equal, holds
from orchestration.feel.compiler import compile_node
from orchestration.feel.evaluation import Evaluation, Frame, LimitExceeded, Limits
from orchestration.feel.expression import tests_code
from orchestration.feel.formatting import text_of
from orchestration.feel.reads import reads_of
from orchestration.feel.temporal import (
    DAY_NANOSECONDS,
    NANOSECONDS,
    Date,
    DateTime,
    DaysDuration,
    MonthsDuration,
    Time,
)
from orchestration.feel.values import FeelValue, Range, type_name_of

_LIMITS = Limits(steps=10_000, work=100_000)
_TIMES = tuple(map(DaysDuration, (3600 * NANOSECONDS, 60 * NANOSECONDS, NANOSECONDS, 1)))
_DAYS = (DaysDuration(DAY_NANOSECONDS), *_TIMES)
_PARTS = ("1", "0.5", "0.1", "0.01", "0.001", "1e-6", "1e-12")
_UNITS: Mapping[type, tuple[FeelValue, ...]] = {
    Decimal: tuple(map(Decimal, _PARTS)),
    Date: (DaysDuration(DAY_NANOSECONDS),),
    DateTime: _DAYS,
    Time: _TIMES,
    DaysDuration: _DAYS,
    MonthsDuration: (MonthsDuration(12), MonthsDuration(1)),
}


class ColumnUnclear(Exception):
    """The cells of a column are not of one kind, so it has no regions."""

    code = "column_unclear"
    is_retryable = False


@dataclass(frozen=True, slots=True)
class Cell:
    """What one rule says of a column: its tests, or None where they ask more than the value."""

    tests: tree.UnaryTestList | None


@dataclass(frozen=True, slots=True)
class Region:
    """Values a table does not tell apart, by one of them; `words` says it in an example."""

    sample: FeelValue
    words: str


def read_cell(text: str, names: Iterable[str]) -> Cell:
    """Read a cell; what depends on more than constants stays unread."""
    try:
        tests, _ = tests_code(text, names, {})
    except FeelSyntaxError:
        return Cell(None)
    is_constant = not any(reads_of(test) or _asks(test) for test in tests.tests)
    return Cell(tests if is_constant else None)


def _asks(node: object) -> bool:
    """Tell whether a part depends on `?`, or on the moment, besides constants."""
    if isinstance(node, tree.Name):
        return node.name in {"?", "now", "today"}
    if isinstance(node, tuple):
        return any(map(_asks, node))
    slots = getattr(type(node), "__slots__", ())
    is_tree = type(node).__module__ == tree.__name__
    return is_tree and any(_asks(getattr(node, slot)) for slot in slots)


def constant(node: tree.Node) -> FeelValue:
    """Give the value of a part without variables."""
    try:
        return compile_node(node)(Frame({}, Evaluation(_LIMITS)))
    except LimitExceeded:
        return None


def regions_of(cells: Iterable[Cell], allowed: Cell | None, type_name: str) -> tuple[Region, ...]:
    """Cut a column at every value its cells mention, and leave out what is not allowed.

    Raises:
        ColumnUnclear: the values are of several types, or of one without order.
    """
    mentioned = _distinct([value for cell in (*cells, allowed) for value in _mentioned(cell)])
    if type_name == "boolean" or (mentioned and all(isinstance(v, bool) for v in mentioned)):
        found = [Region(value, "true" if value else "false") for value in (True, False)]
    elif len({type_name_of(value) for value in mentioned if value is not None}) > 1:
        raise ColumnUnclear
    else:
        found = _cut([value for value in mentioned if value is not None])
    if None in mentioned:
        found.append(Region(None, "null"))
    if allowed is None or allowed.tests is None:
        return tuple(found)
    return tuple(region for region in found if accepts(allowed.tests, region.sample))


def _mentioned(cell: Cell | None) -> list[FeelValue]:
    if cell is None or cell.tests is None:
        return []
    found: list[FeelValue] = []
    for test in cell.tests.tests:
        value = constant(test.operand if isinstance(test, tree.Test) else test)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, Range):
                found += [end for end in (item.start, item.end) if end is not None]
            else:
                found.append(item)
    return found


def _distinct(values: list[FeelValue]) -> list[FeelValue]:
    kept: list[FeelValue] = []
    for value in values:
        if not any(equal(value, other) is True for other in kept):
            kept.append(value)
    return kept


def _cut(values: list[FeelValue]) -> list[Region]:
    if not values:
        return [Region("any", "any value")]
    if any(compare(value, values[0]) is None for value in values):
        raise ColumnUnclear
    ordered = sorted(values, key=cmp_to_key(_order))
    points = [_region(value) for value in ordered]
    if isinstance(ordered[0], str):
        return [*points, Region(_other_text(ordered), "any other text")]
    found: list[Region | None] = [_inside(None, ordered[0])]
    for at, point in enumerate(points):
        found += [point, _inside(ordered[at], ordered[at + 1] if at + 1 < len(points) else None)]
    return [region for region in found if region is not None]


def _order(one: FeelValue, other: FeelValue) -> int:
    return compare(one, other) or 0


def _region(value: FeelValue) -> Region:
    return Region(value, f'"{value}"' if isinstance(value, str) else text_of(value))


def _other_text(values: list[FeelValue]) -> str:
    text = "other"
    while text in values:
        text += "_"
    return text


def _inside(low: FeelValue, high: FeelValue) -> Region | None:
    """Give a value strictly between two, None being without end; None when there is none."""
    base, operator = (low, "+") if low is not None else (high, "-")
    for unit in _UNITS.get(type(base), ()):
        value = calculate(operator, base, unit)
        is_above = low is None or holds(">", value, low) is True
        if value is not None and is_above and (high is None or holds("<", value, high) is True):
            return _region(value)
    return None


def accepts(tests: tree.UnaryTestList, value: FeelValue) -> bool:
    """Tell whether constant tests accept a value."""
    if not tests.tests:
        return True
    return any(_test_accepts(test, value) for test in tests.tests) is not tests.is_negated


def _test_accepts(test: tree.Node, value: FeelValue) -> bool:
    if isinstance(test, tree.Test):
        return holds(test.operator, value, constant(test.operand)) is True
    wanted = constant(test)
    return any(_is_in(value, each) for each in (wanted if isinstance(wanted, tuple) else (wanted,)))


def _is_in(value: FeelValue, wanted: FeelValue) -> bool:
    if isinstance(wanted, Range):
        return contains(wanted, value) is True
    return equal(value, wanted) is True
