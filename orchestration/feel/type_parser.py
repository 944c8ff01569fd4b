"""Type expressions, as they stand after `instance of` and in function parameters."""

import re

from orchestration.feel.primary import Primary
from orchestration.feel.types import (
    ANY,
    ContextOf,
    FeelType,
    FunctionOf,
    ListOf,
    RangeOf,
    simple_type,
)

_WORD = re.compile(r"[^\W\d]\w*")
_COLON = re.compile(r"\s*:")
_LONG_NAMES = re.compile(
    r"date\s+and\s+time|days\s+and\s+time\s+duration|years\s+and\s+months\s+duration"
)


def parse_type(parser: Primary) -> FeelType:
    """Parse a type expression.

    Raises:
        FeelSyntaxError: none stands here.
    """
    long_name = parser.match(_LONG_NAMES)
    if long_name:
        return simple_type(" ".join(long_name.split()))
    name = _part(parser)
    if name in _GENERIC and parser.take("<"):
        return _GENERIC[name](parser)
    while parser.take("."):
        name = f"{name}.{_part(parser)}"
    return parser.types.get(name) or simple_type(name)


def _part(parser: Primary) -> str:
    part = parser.take_known(parser.names) or parser.match(_WORD)
    if part is None:
        raise parser.refuse("expected a type")
    return part


def _list(parser: Primary) -> FeelType:
    item = parse_type(parser)
    parser.need(">")
    return ListOf(item)


def _range(parser: Primary) -> FeelType:
    bound = parse_type(parser)
    parser.need(">")
    return RangeOf(bound)


def _context(parser: Primary) -> FeelType:
    fields: list[tuple[str, FeelType]] = []
    while not parser.take(">"):
        if fields:
            parser.need(",")
        name = parser.new_name(_COLON)
        parser.need(":")
        fields.append((name, parse_type(parser)))
    return ContextOf(tuple(fields))


def _function(parser: Primary) -> FeelType:
    parameters: list[FeelType] = []
    while not parser.take(">"):
        if parameters:
            parser.need(",")
        parameters.append(parse_type(parser))
    result = parse_type(parser) if parser.take("->") else ANY
    return FunctionOf(tuple(parameters), result)


_GENERIC = {"list": _list, "range": _range, "context": _context, "function": _function}
