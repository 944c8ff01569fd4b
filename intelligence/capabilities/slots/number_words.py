"""Read whole numbers written in English words."""

from collections.abc import Sequence
from typing import Final

_UNITS: Final = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_TENS: Final = {
    word: 10 * value
    for value, word in enumerate(
        ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"], start=2
    )
} | {"fourty": 40, "fivety": 50, "ninty": 90}
_HUNDRED: Final = frozenset({"hundred", "hunderd", "hundered"})
_LARGE: Final = {"thousand": 1_000, "thousend": 1_000, "million": 1_000_000}
SCALES: Final = {**dict.fromkeys(_HUNDRED, 100), **_LARGE}
NUMBER_WORDS: Final = frozenset({*_UNITS, *_TENS, *_HUNDRED, *_LARGE})
JOINERS: Final = frozenset({"a", "and"})
SMALL: Final = frozenset(word for word, value in _UNITS.items() if 0 < value < 10)


class NotOneNumber(Exception):
    """The words do not make exactly one number, such as "twelve fifty"."""

    code = "not_one_number"
    is_retryable = False

    def __init__(self, words: tuple[str, ...]) -> None:
        super().__init__(words)
        self.words = words


def _below_hundred(words: list[str]) -> int:
    """Take a number below one hundred from the front of the words; 0 when there is none."""
    if words and words[0] in _TENS:
        value = _TENS[words.pop(0)]
        if words and 0 < _UNITS.get(words[0], 0) < 10:
            value += _UNITS[words.pop(0)]
        return value
    return _UNITS[words.pop(0)] if words and words[0] in _UNITS else 0


def _below_thousand(words: list[str]) -> int:
    if words and words[0] == "a" and len(words) > 1 and words[1] in SCALES:
        words.pop(0)
        value = 1
    else:
        value = _below_hundred(words)
    if words and words[0] in _HUNDRED:
        words.pop(0)
        value = (value or 1) * 100
        if words and words[0] == "and":
            words.pop(0)
        value += _below_hundred(words)
    return value


def number_of(words: Sequence[str]) -> int:
    """Return the whole number that lower-case words make.

    Raises:
        NotOneNumber: there are words left over, or larger steps follow smaller ones.
    """
    left = list(words)
    total, last_step = 0, 10**9
    while left:
        before = len(left)
        part = _below_thousand(left)
        step = _LARGE[left.pop(0)] if left and left[0] in _LARGE else 1
        if len(left) == before or step >= last_step:
            raise NotOneNumber(tuple(words))
        total += (part or 1) * step if step > 1 else part
        last_step = step
        if left and left[0] == "and" and step > 1:
            left.pop(0)
    return total
