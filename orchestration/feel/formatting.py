"""FEEL values as text, the way `string()` writes them."""

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from orchestration.feel.temporal_text import format_temporal
from orchestration.feel.values import TEMPORAL_TYPES, Context, FeelValue, Function, Range


def text_of(value: FeelValue) -> str:
    """Write a value; a text comes back as it is."""
    return value if isinstance(value, str) else "".join(_pieces(value))


def text_within(value: FeelValue, room: int) -> str | None:
    """Write a value; None when the text would be longer than there is room for."""
    made: list[str] = []
    for piece in _pieces(value):
        room -= len(piece)
        if room < 0:
            return None
        made.append(piece)
    return "".join(made)


def format_number(value: Decimal) -> str:
    """Write a number without exponent."""
    return format(value, "f")


def _pieces(value: FeelValue) -> Iterator[str]:
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            yield from write(value)
            return
    yield "null"


def _list_pieces(value: tuple[FeelValue, ...]) -> Iterator[str]:
    opening = "["
    for item in value:
        yield opening
        yield from _pieces(item)
        opening = ", "
    yield "]" if value else "[]"


def _context_pieces(value: Context) -> Iterator[str]:
    opening = "{"
    for key, item in value.items():
        yield f"{opening}{_key(key)}: "
        yield from _pieces(item)
        opening = ", "
    yield "}" if value else "{}"


def _quoted(value: str) -> tuple[str]:
    return ('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"',)


def _key(name: str) -> str:
    is_plain = all(part.isidentifier() for part in name.split())
    return name if is_plain and name else _quoted(name)[0]


def _range_pieces(value: Range) -> Iterator[str]:
    if value.start is None:
        yield "<= " if value.end_included else "< "
        yield from _pieces(value.end)
    elif value.end is None:
        yield ">= " if value.start_included else "> "
        yield from _pieces(value.start)
    else:
        yield "[" if value.start_included else "("
        yield from _pieces(value.start)
        yield ".."
        yield from _pieces(value.end)
        yield "]" if value.end_included else ")"


_WRITERS: tuple[
    tuple[type | tuple[type, ...], Callable[[Any], Iterator[str] | tuple[str]]], ...
] = (
    (bool, lambda value: ("true" if value else "false",)),
    (Decimal, lambda value: (format_number(value),)),
    (str, _quoted),
    (TEMPORAL_TYPES, lambda value: (format_temporal(value),)),
    (tuple, _list_pieces),
    (Range, _range_pieces),
    (Function, lambda value: (f"function {value.name}",)),
    (Mapping, _context_pieces),
)
