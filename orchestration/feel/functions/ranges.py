"""Built-in functions that compare points and ranges in time or value (Allen's relations)."""

from orchestration.feel.comparison import compare, contains, holds
from orchestration.feel.functions.registry import builtin
from orchestration.feel.values import FeelValue, Range


def _as_range(value: FeelValue) -> Range:
    if isinstance(value, Range):
        return value
    if value is None:
        raise ArithmeticError  # Null is no point.
    return Range(value, value, start_included=True, end_included=True)


def _order(left: FeelValue, right: FeelValue) -> int:
    found = compare(left, right)
    if found is None:
        raise ArithmeticError
    return found


def _starts(one: Range, other: Range) -> int:
    """Order where two ranges start; a start that is open lies before every other."""
    if one.start is None or other.start is None:
        return (one.start is not None) - (other.start is not None)
    return _order(one.start, other.start)


def _ends(one: Range, other: Range) -> int:
    """Order where two ranges end; an end that is open lies after every other."""
    if one.end is None or other.end is None:
        return (one.end is None) - (other.end is None)
    return _order(one.end, other.end)


def _end_to_start(one: Range, other: Range) -> int:
    """Order the end of one range and the start of another."""
    if one.end is None or other.start is None:
        return 1
    return _order(one.end, other.start)


def _is_before(left: FeelValue, right: FeelValue) -> bool:
    one, other = _as_range(left), _as_range(right)
    order = _end_to_start(one, other)
    return order < 0 or (order == 0 and not (one.end_included and other.start_included))


@builtin("before(point1, point2)")
@builtin("before(point, range)")
@builtin("before(range, point)")
@builtin("before(range1, range2)")
def _before(left: FeelValue, right: FeelValue) -> FeelValue:
    return _is_before(left, right)


@builtin("after(point1, point2)")
@builtin("after(point, range)")
@builtin("after(range, point)")
@builtin("after(range1, range2)")
def _after(left: FeelValue, right: FeelValue) -> FeelValue:
    return _is_before(right, left)


@builtin("meets(range1: range, range2: range)")
def _meets(one: Range, other: Range) -> FeelValue:
    return one.end_included and other.start_included and _end_to_start(one, other) == 0


@builtin("met by(range1: range, range2: range)")
def _met_by(one: Range, other: Range) -> FeelValue:
    return _meets(other, one)


def _starts_before(one: Range, other: Range) -> bool:
    order = _starts(one, other)
    return order < 0 or (order == 0 and one.start_included and not other.start_included)


def _ends_before(one: Range, other: Range) -> bool:
    order = _ends(one, other)
    return order < 0 or (order == 0 and other.end_included and not one.end_included)


def _do_overlap(one: Range, other: Range) -> bool:
    return not _is_before(one, other) and not _is_before(other, one)


@builtin("overlaps(range1: range, range2: range)")
def _overlaps(one: Range, other: Range) -> FeelValue:
    return _do_overlap(one, other)


@builtin("overlaps before(range1: range, range2: range)")
def _overlaps_before(one: Range, other: Range) -> FeelValue:
    return _do_overlap(one, other) and _starts_before(one, other) and not _ends_before(other, one)


@builtin("overlaps after(range1: range, range2: range)")
def _overlaps_after(one: Range, other: Range) -> FeelValue:
    return _do_overlap(one, other) and _starts_before(other, one) and not _ends_before(one, other)


@builtin("finishes(point, range: range)")
@builtin("finishes(range1: range, range2: range)")
def _finishes(left: FeelValue, right: Range) -> FeelValue:
    one = _as_range(left)
    same_end = one.end_included == right.end_included and _ends(one, right) == 0
    return same_end and not _starts_before(one, right)


@builtin("finished by(range: range, point)")
@builtin("finished by(range1: range, range2: range)")
def _finished_by(one: Range, point: FeelValue) -> FeelValue:
    return _finishes(point, one)


@builtin("includes(range: range, point)")
@builtin("includes(range1: range, range2: range)")
def _includes(one: Range, other: FeelValue) -> FeelValue:
    if not isinstance(other, Range):
        return contains(one, other)
    return not _starts_before(other, one) and not _ends_before(one, other)


@builtin("during(point, range: range)")
@builtin("during(range1: range, range2: range)")
def _during(point: FeelValue, one: Range) -> FeelValue:
    return _includes(one, point)


@builtin("starts(point, range: range)")
@builtin("starts(range1: range, range2: range)")
def _starts_with(left: FeelValue, right: Range) -> FeelValue:
    one = _as_range(left)
    same = one.start_included == right.start_included and _starts(one, right) == 0
    return same and not _ends_before(right, one)


@builtin("started by(range: range, point)")
@builtin("started by(range1: range, range2: range)")
def _started_by(one: Range, point: FeelValue) -> FeelValue:
    return _starts_with(point, one)


@builtin("coincides(point1, point2)")
@builtin("coincides(range1: range, range2: range)")
def _coincides(left: FeelValue, right: FeelValue) -> FeelValue:
    if not isinstance(left, Range) or not isinstance(right, Range):
        are_points = not isinstance(left, Range | None) and not isinstance(right, Range | None)
        return holds("=", left, right) if are_points else None
    one, other = left, right
    return not (
        _starts_before(one, other)
        or _starts_before(other, one)
        or _ends_before(one, other)
        or _ends_before(other, one)
    )
