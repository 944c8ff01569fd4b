"""Equality and order of FEEL values; None means the question has no answer."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from orchestration.feel.temporal import (
    NANOSECONDS,
    Date,
    DateTime,
    DaysDuration,
    MonthsDuration,
    Time,
)
from orchestration.feel.values import FeelValue, Function, Range


def equal(left: FeelValue, right: FeelValue) -> bool | None:
    """Answer `left = right`; values of different types cannot be compared."""
    if left is None or right is None:
        return left is None and right is None
    for kind, same in _EQUALITIES:
        if isinstance(left, kind) and isinstance(right, kind):
            return same(left, right)
    return left == right if type(left) is type(right) else None


def _equal_lists(left: tuple[FeelValue, ...], right: tuple[FeelValue, ...]) -> bool:
    return len(left) == len(right) and all(
        equal(one, other) is True for one, other in zip(left, right, strict=True)
    )


def _equal_contexts(left: Mapping[str, FeelValue], right: Mapping[str, FeelValue]) -> bool:
    return left.keys() == right.keys() and all(equal(left[key], right[key]) for key in left)


def _equal_ranges(left: Range, right: Range) -> bool:
    return (
        left.start_included == right.start_included
        and left.end_included == right.end_included
        and equal(left.start, right.start) is True
        and equal(left.end, right.end) is True
    )


def _equal_functions(left: Function, right: Function) -> bool:
    """Compare what two functions are made of: the same text in the same scope."""
    return left is right or (left.origin is not None and left.origin == right.origin)


def _equal_moments(left: Time | DateTime, right: Time | DateTime) -> bool | None:
    return _moment_order(left, right) == 0


_EQUALITIES: tuple[tuple[type, Callable[[Any, Any], bool | None]], ...] = (
    (tuple, _equal_lists),
    (Mapping, _equal_contexts),
    (Range, _equal_ranges),
    (Time, _equal_moments),
    (DateTime, _equal_moments),
    (Function, _equal_functions),
)


def _moment_order(left: Time | DateTime, right: Time | DateTime) -> int:
    """Order two times; where one is local, it is told by the offset of the other."""
    one, other = _offset(left), _offset(right)
    here = _local(left) - (one if one is not None else other or 0) * NANOSECONDS
    there = _local(right) - (other if other is not None else one or 0) * NANOSECONDS
    return (here > there) - (here < there)


def _local(value: Time | DateTime) -> int:
    return value.local_nanoseconds if isinstance(value, DateTime) else value.nanosecond_of_day


def _offset(value: Time | DateTime) -> int | None:
    if isinstance(value, DateTime):
        return value.time.offset_seconds(value.date)
    return value.offset_seconds()


def order_key(value: FeelValue) -> Decimal | str | int | None:
    """Give something Python can order values of one type by; None for types without order."""
    key = _ORDER_KEYS.get(type(value))
    return None if key is None else key(value)


_ORDER_KEYS: dict[type, Callable[[Any], Decimal | str | int]] = {
    Decimal: lambda value: value,
    str: lambda value: value,
    Date: lambda value: value.ordinal,
    DateTime: lambda value: value.utc_nanoseconds,
    Time: lambda value: value.nanosecond_of_day - (value.offset_seconds() or 0) * NANOSECONDS,
    DaysDuration: lambda value: value.nanoseconds,
    MonthsDuration: lambda value: value.months,
}


def compare(left: FeelValue, right: FeelValue) -> int | None:
    """Give -1, 0 or 1 as left is before, with or after right; None when they have no order."""
    if type(left) is not type(right):
        return None
    if isinstance(left, Time | DateTime) and isinstance(right, Time | DateTime):
        return _moment_order(left, right)
    one, other = order_key(left), order_key(right)
    if one is None or other is None:
        return None
    return (one > other) - (one < other)  # type: ignore[operator]  # of one kind, checked above


def holds(operator: str, left: FeelValue, right: FeelValue) -> bool | None:
    """Answer a comparison by its symbol."""
    if operator == "=":
        return equal(left, right)
    if operator == "!=":
        same = equal(left, right)
        return None if same is None else not same
    order = compare(left, right)
    return None if order is None else _ORDERS[operator](order)


_ORDERS = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def contains(interval: Range, value: FeelValue) -> bool | None:
    """Answer whether a value lies in a range."""
    after = _above(interval, value)
    before = _below(interval, value)
    if after is False or before is False:
        return False
    return None if after is None or before is None else True


def _above(interval: Range, value: FeelValue) -> bool | None:
    if interval.start is None:
        return True
    return holds(">=" if interval.start_included else ">", value, interval.start)


def _below(interval: Range, value: FeelValue) -> bool | None:
    if interval.end is None:
        return True
    return holds("<=" if interval.end_included else "<", value, interval.end)
