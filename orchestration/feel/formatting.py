"""FEEL values as text, the way `string()` writes them."""

from collections.abc import Mapping
from decimal import Decimal

from orchestration.feel.temporal import (
    Date,
    DateTime,
    DaysDuration,
    MonthsDuration,
    Time,
)
from orchestration.feel.temporal_text import format_temporal
from orchestration.feel.values import FeelValue, Function, Range


def text_of(value: FeelValue) -> str:
    """Write a value; a text comes back as it is."""
    return value if isinstance(value, str) else _inner_text(value)


def format_number(value: Decimal) -> str:
    """Write a number without exponent."""
    return format(value, "f")


def _inner_text(value: FeelValue) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format_number(value)
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case Date() | Time() | DateTime() | DaysDuration() | MonthsDuration():
            return format_temporal(value)
        case tuple():
            return "[" + ", ".join(map(_inner_text, value)) + "]"
        case Range():
            return _range_text(value)
        case Function():
            return f"function {value.name}"
        case Mapping():
            return "{" + ", ".join(f"{_key(key)}: {_inner_text(value[key])}" for key in value) + "}"


def _key(name: str) -> str:
    is_plain = all(part.isidentifier() for part in name.split())
    return name if is_plain and name else _inner_text(name)


def _range_text(value: Range) -> str:
    if value.start is None:
        return f"{'<=' if value.end_included else '<'} {_inner_text(value.end)}"
    if value.end is None:
        return f"{'>=' if value.start_included else '>'} {_inner_text(value.start)}"
    opening, closing = "[" if value.start_included else "(", "]" if value.end_included else ")"
    return f"{opening}{_inner_text(value.start)}..{_inner_text(value.end)}{closing}"
