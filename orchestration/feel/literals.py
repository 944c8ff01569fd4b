"""String and number literals of FEEL."""

import re
from decimal import Decimal

from orchestration.feel.arithmetic import DECIMAL

NUMBER = re.compile(r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?")
STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPE = re.compile(
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    r"|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|([nrtbf\"'\\]))"
)
_SINGLE = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def string_value(literal: str) -> str:
    """Give the text a quoted literal stands for; an escape FEEL does not know stays as it is."""
    return _ESCAPE.sub(_unescape, literal[1:-1])


def _unescape(found: re.Match[str]) -> str:
    high, low, four, six, single = found.groups()
    if single:
        return _SINGLE.get(single, single)
    if high:
        pair = (int(high, 16) - 0xD800) * 0x400 + int(low, 16) - 0xDC00
        return chr(0x10000 + pair)
    point = int(four or six, 16)
    return chr(point) if point <= 0x10FFFF else found.group()


def number_value(literal: str) -> Decimal:
    """Give the number a literal stands for, to 34 digits.

    Raises:
        ArithmeticError: it is larger than any number FEEL knows.
    """
    return DECIMAL.create_decimal(literal)
