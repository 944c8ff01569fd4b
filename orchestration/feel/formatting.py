"""FEEL values as text, the way `string()` writes them."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from orchestration.feel.temporal_text import format_temporal
from orchestration.feel.values import TEMPORAL_TYPES, Context, FeelValue, Function, Range


def text_of(value: FeelValue) -> str:
    """Write a value; a text comes back as it is."""
    return value if isinstance(value, str) else _inner_text(value)


def format_number(value: Decimal) -> str:
    """Write a number without exponent."""
    return format(value, "f")


def _inner_text(value: FeelValue) -> str:
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    return "null"


def _list_text(value: tuple[FeelValue, ...]) -> str:
    return "[" + ", ".join(map(_inner_text, value)) + "]"


def _context_text(value: Context) -> str:
    return "{" + ", ".join(f"{_key(key)}: {_inner_text(value[key])}" for key in value) + "}"


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


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


_WRITERS: tuple[tuple[type | tuple[type, ...], Callable[[Any], str]], ...] = (
    (bool, lambda value: "true" if value else "false"),
    (Decimal, format_number),
    (str, _quoted),
    (TEMPORAL_TYPES, format_temporal),
    (tuple, _list_text),
    (Range, _range_text),
    (Function, lambda value: f"function {value.name}"),
    (Mapping, _context_text),
)
