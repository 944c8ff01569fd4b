"""XPath's regular expression syntax written in Python's, construct by construct.

The two look alike and differ in what matters here: Python takes escapes XPath refuses, has no
categories, blocks or subtraction of character classes, and lets `.` match a carriage return.
"""

import re
import sys
import unicodedata
from functools import lru_cache

_CLASS_ESCAPES = {
    "i": "[A-Za-z_:\u00c0-\U000effff]",
    "I": "[^A-Za-z_:\u00c0-\U000effff]",
    "c": "[-.0-9A-Za-z_:\u00b7-\U000effff]",
    "C": "[^-.0-9A-Za-z_:\u00b7-\U000effff]",
    "d": r"\d",
    "D": r"\D",
    "s": "[ \\t\\n\\r]",
    "S": "[^ \\t\\n\\r]",
    "w": r"[^\W_]",
    "W": r"[\W_]",
}
_SINGLE_ESCAPES = frozenset("nrt\\|.?*+(){}-[]^$")
_BLOCKS = {
    "BasicLatin": "\\x00-\\x7f",
    "Latin-1Supplement": "\\x80-\\xff",
    "LatinExtended-A": "\u0100-\u017f",
    "LatinExtended-B": "\u0180-\u024f",
    "Greek": "\u0370-\u03ff",
    "GreekandCoptic": "\u0370-\u03ff",
    "Cyrillic": "\u0400-\u04ff",
    "Hebrew": "\u0590-\u05ff",
    "Arabic": "\u0600-\u06ff",
    "GeneralPunctuation": "\u2000-\u206f",
    "CurrencySymbols": "\u20a0-\u20cf",
    "Hiragana": "\u3040-\u309f",
    "Katakana": "\u30a0-\u30ff",
    "CJKUnifiedIdeographs": "\u4e00-\u9fff",
}
_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??")
_CATEGORY = re.compile(r"\{(Is)?([A-Za-z0-9-]+)\}")


class PatternRefused(ValueError):
    """The text is no regular expression of XPath."""

    code = "pattern_refused"
    is_retryable = False


def translate(pattern: str, flags: str) -> str:
    """Write an XPath pattern as one of Python with the same meaning.

    Raises:
        PatternRefused: it is no XPath pattern.
    """
    text = _without_spaces(pattern) if "x" in flags else pattern
    return _Translator(text, flags).whole()


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


class _Translator:
    def __init__(self, text: str, flags: str) -> None:
        self.text, self.flags, self.position = text, flags, 0
        self.groups = 0
        self._special = {
            "\\": self._escape,
            "[": self._class,
            "(": self._group,
            ".": self._dot,
            "$": self._end,
        }

    def whole(self) -> str:
        """Translate all of it."""
        parts: list[str] = []
        while self.position < len(self.text):
            parts.append(self._piece())
        return "".join(parts)

    def _next(self) -> str:
        if self.position >= len(self.text):
            raise PatternRefused(self.text)
        self.position += 1
        return self.text[self.position - 1]

    def _piece(self) -> str:
        atom = self._atom()
        found = _QUANTIFIER.match(self.text, self.position)
        if found is None:
            return atom
        if atom in {"(", "(?:", "|", "^", "$"}:
            raise PatternRefused(self.text)
        self.position = found.end()
        if _QUANTIFIER.match(self.text, self.position):
            raise PatternRefused(self.text)
        return atom + found.group()

    def _atom(self) -> str:
        character = self._next()
        if character in "?*+{}]":
            raise PatternRefused(self.text)
        if character in "|)^":
            return character
        special = self._special.get(character)
        return re.escape(character) if special is None else special()

    def _dot(self) -> str:
        return "(?s:.)" if "s" in self.flags else "[^\\n\\r]"

    def _end(self) -> str:
        return "$" if "m" in self.flags else r"\Z"

    def _group(self) -> str:
        if self.text.startswith("?", self.position):
            if not self.text.startswith("?:", self.position):
                raise PatternRefused(self.text)
            self.position += 2
            return "(?:"
        self.groups += 1
        return "("

    def _escape(self) -> str:
        character = self._next()
        if character.isdigit():
            if not 1 <= int(character) <= self.groups:
                raise PatternRefused(self.text)
            return f"(?:\\{character})"
        if character in "pP":
            return f"[{'^' if character == 'P' else ''}{self._category()}]"
        if character in _CLASS_ESCAPES:
            return _CLASS_ESCAPES[character]
        if character in _SINGLE_ESCAPES:
            return f"\\{character}"
        raise PatternRefused(self.text)

    def _category(self) -> str:
        found = _CATEGORY.match(self.text, self.position)
        if found is None:
            raise PatternRefused(self.text)
        self.position = found.end()
        is_block, name = found.groups()
        ranges = _BLOCKS.get(name) if is_block else category_ranges(name)
        if not ranges:
            raise PatternRefused(self.text)
        return ranges

    def _class(self) -> str:
        """Translate a character class; `[a-z-[aeiou]]` becomes a look-ahead and a class."""
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
                without = self._class()
                if self._next() != "]":
                    raise PatternRefused(self.text)
                break
            members.append(self._member(character))
        body = "".join(members)
        return f"(?:(?!{without})[{negation}{body}])" if without else f"[{negation}{body}]"

    def _member(self, character: str) -> str:
        if character in "[]":
            raise PatternRefused(self.text)
        if character != "\\":
            return "\\" + character if character in "&~|^" else character
        escaped = self._next()
        if escaped == "p":
            return self._category()
        if escaped in _CLASS_ESCAPES:
            return _inside_class(_CLASS_ESCAPES[escaped])
        if escaped in _SINGLE_ESCAPES:
            return f"\\{escaped}"
        raise PatternRefused(self.text)


def _inside_class(text: str) -> str:
    if text.startswith("[^"):
        # A negated set cannot stand inside another; these escapes have a plain form there.
        return {"[^ \\t\\n\\r]": r"\S", r"[^\W_]": r"\w"}.get(text, r"\W")
    return text[1:-1] if text.startswith("[") else text


@lru_cache(maxsize=64)
def category_ranges(name: str) -> str:
    """List the characters of a Unicode category as ranges of a class; empty for none such."""
    ranges: list[str] = []
    start: int | None = None
    for point in range(sys.maxunicode + 2):
        is_in = point <= sys.maxunicode and unicodedata.category(chr(point)).startswith(name)
        if is_in and start is None:
            start = point
        elif not is_in and start is not None:
            ranges.append(f"\\U{start:08x}-\\U{point - 1:08x}")
            start = None
    return "".join(ranges)
