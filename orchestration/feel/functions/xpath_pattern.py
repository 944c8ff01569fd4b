"""XPath's regular expression syntax: read into a tree, and written in Python's own.

The two look alike and differ in what matters here: Python takes escapes XPath refuses, has no
categories, blocks or subtraction of character classes, and lets `.` match a carriage return.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from orchestration.feel.functions.xpath_classes import (
    BLOCKS,
    CLASS_ESCAPES,
    SINGLE_ESCAPES,
    category_ranges,
    inside_class,
)

NESTING_MAX = 50
_QUANTIFIER = re.compile(r"(?:[*+?]|\{(\d+)(,?)(\d*)\})(\??)")
_CATEGORY = re.compile(r"\{(Is)?([A-Za-z0-9-]+)\}")


class PatternRefused(ValueError):
    """The text is no regular expression of XPath."""

    code = "pattern_refused"
    is_retryable = False


@dataclass(frozen=True, slots=True)
class One:
    """One character; `text` is Python's class for it."""

    text: str


@dataclass(frozen=True, slots=True)
class Edge:
    """The start or the end of the text or, with flag `m`, of a line."""

    text: str


@dataclass(frozen=True, slots=True)
class Again:
    """What a group matched before."""

    number: int


@dataclass(frozen=True, slots=True)
class Group:
    """Alternatives in parentheses; without number when they are not remembered."""

    number: int | None
    options: "Options"


@dataclass(frozen=True, slots=True)
class Piece:
    """An atom and how often it stands; `most` None is without end."""

    atom: "One | Edge | Again | Group"
    least: int = 1
    most: int | None = 1
    is_lazy: bool = False


Options = tuple[tuple[Piece, ...], ...]


def read_pattern(pattern: str, flags: str) -> tuple[Options, int]:
    """Read a pattern; gives its alternatives and how many groups it has.

    Raises:
        PatternRefused: it is no XPath pattern.
    """
    text = _without_spaces(pattern) if "x" in flags else pattern
    reader = _Reader(text, flags)
    options = reader.options(0)
    if reader.position < len(text):
        raise PatternRefused(pattern)
    return options, reader.groups


def literal_options(text: str) -> Options:
    """Give the pattern that matches a text itself."""
    return (tuple(Piece(One(re.escape(character))) for character in text),)


def python_text(options: Options) -> str:
    """Write a pattern as one of Python with the same meaning."""
    return "|".join("".join(map(_python_piece, pieces)) for pieces in options)


def _python_piece(piece: Piece) -> str:
    match piece.atom:
        case One(text) | Edge(text):
            atom = text
        case Again(number):
            atom = f"(?:\\{number})"
        case Group(number, options):
            atom = f"({'?:' if number is None else ''}{python_text(options)})"
    if (piece.least, piece.most) == (1, 1):
        return atom
    most = "" if piece.most is None else piece.most
    return f"{atom}{{{piece.least},{most}}}{'?' if piece.is_lazy else ''}"


def _without_spaces(pattern: str) -> str:
    """Drop white space outside character classes, as the flag `x` asks."""
    kept: list[str] = []
    depth = 0
    for at, character in enumerate(pattern):
        is_escaped = at > 0 and pattern[at - 1] == "\\"
        if not is_escaped:
            depth += (character == "[") - (character == "]")
        if depth > 0 or character not in " \t\r\n":
            kept.append(character)
    return "".join(kept)


class _Reader:
    def __init__(self, text: str, flags: str) -> None:
        self.text, self.flags, self.position = text, flags, 0
        self.groups = 0

    def options(self, depth: int) -> Options:
        """Read alternatives up to the end or a closing parenthesis."""
        if depth > NESTING_MAX:
            raise PatternRefused(self.text)
        found: list[tuple[Piece, ...]] = []
        pieces: list[Piece] = []
        while self.position < len(self.text) and self.text[self.position] != ")":
            if self.text[self.position] == "|":
                self.position += 1
                found.append(tuple(pieces))
                pieces = []
            else:
                pieces.append(self._piece(depth))
        return (*found, tuple(pieces))

    def _next(self) -> str:
        if self.position >= len(self.text):
            raise PatternRefused(self.text)
        self.position += 1
        return self.text[self.position - 1]

    def _piece(self, depth: int) -> Piece:
        atom = self._atom(depth)
        found = _QUANTIFIER.match(self.text, self.position)
        if found is None:
            return Piece(atom)
        if isinstance(atom, Edge):
            raise PatternRefused(self.text)
        self.position = found.end()
        if _QUANTIFIER.match(self.text, self.position):
            raise PatternRefused(self.text)
        least, most = _counts(found)
        if most is not None and most < least:
            raise PatternRefused(self.text)
        return Piece(atom, least, most, bool(found[4]))

    def _atom(self, depth: int) -> One | Edge | Again | Group:
        character = self._next()
        if character == "(":
            return self._group(depth)
        if character == "\\":
            return self._escape()
        if character in "^$":
            return Edge("^" if character == "^" else self._end())
        if character in "?*+{}]":
            raise PatternRefused(self.text)
        return One(self._one(character))

    def _one(self, character: str) -> str:
        if character == "[":
            return self._class()
        if character == ".":
            return "(?s:.)" if "s" in self.flags else "[^\\n\\r]"
        return re.escape(character)

    def _end(self) -> str:
        return "$" if "m" in self.flags else r"\Z"

    def _group(self, depth: int) -> Group:
        number: int | None = None
        if self.text.startswith("?", self.position):
            if not self.text.startswith("?:", self.position):
                raise PatternRefused(self.text)
            self.position += 2
        else:
            self.groups += 1
            number = self.groups
        options = self.options(depth + 1)
        if self._next() != ")":
            raise PatternRefused(self.text)
        return Group(number, options)

    def _escape(self) -> One | Again:
        character = self._next()
        if character.isdigit():
            number = int(character)
            if not 1 <= number <= self.groups:
                raise PatternRefused(self.text)
            return Again(number)
        if character in "pP":
            return One(f"[{'^' if character == 'P' else ''}{self._category()}]")
        if character in CLASS_ESCAPES:
            return One(CLASS_ESCAPES[character])
        if character in SINGLE_ESCAPES:
            return One(f"\\{character}")
        raise PatternRefused(self.text)

    def _category(self) -> str:
        found = _CATEGORY.match(self.text, self.position)
        if found is None:
            raise PatternRefused(self.text)
        self.position = found.end()
        is_block, name = found.groups()
        ranges = BLOCKS.get(name) if is_block else category_ranges(name)
        if not ranges:
            raise PatternRefused(self.text)
        return ranges

    def _class(self, depth: int = 0) -> str:
        """Read a character class; `[a-z-[aeiou]]` becomes a look-ahead and a class."""
        if depth > NESTING_MAX:
            raise PatternRefused(self.text)
        negation = "^" if self.text.startswith("^", self.position) else ""
        self.position += len(negation)
        members: list[str] = []
        without = ""
        while True:
            character = self._next()
            if character == "]" and members:
                break
            if character == "-" and self.text.startswith("[", self.position):
                self.position += 1
                without = self._class(depth + 1)
                if self._next() != "]":
                    raise PatternRefused(self.text)
                break
            members.append(self._member(character))
        return _class_text(negation, members, without)

    def _member(self, character: str) -> str:
        if character in "[]":
            raise PatternRefused(self.text)
        if character != "\\":
            return "\\" + character if character in "&~|^" else character
        escaped = self._next()
        if escaped == "p":
            return self._category()
        if escaped in CLASS_ESCAPES:
            return inside_class(CLASS_ESCAPES[escaped])
        if escaped in SINGLE_ESCAPES:
            return f"\\{escaped}"
        raise PatternRefused(self.text)


def _counts(found: re.Match[str]) -> tuple[int, int | None]:
    if found[1] is None:
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[found[0][0]]
    least = int(found[1])
    if not found[2]:
        return least, least
    return least, int(found[3]) if found[3] else None


def _class_text(negation: str, members: Sequence[str], without: str) -> str:
    body = "".join(members)
    return f"(?:(?!{without})[{negation}{body}])" if without else f"[{negation}{body}]"
