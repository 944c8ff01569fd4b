"""Names that hold spaces or operators, and which of them are in scope.

`total - fee` is a subtraction unless `total - fee` is itself a name in scope, so the parser asks
here first and takes the longest name that fits.
"""

import re
from bisect import insort
from collections.abc import Iterable
from functools import lru_cache

# What FEEL takes for the first letter of a name, less what it takes for white space.
_LETTER = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u167f\u1681-\u180d"
    "\u180f-\u1fff\u200c-\u200d\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf"
    "\ufdf0-\ufefe\uff00-\ufffd\U00010000-\U000effff"
)
_LATER = _LETTER + "0-9\u00b7\u0300-\u036f\u203f-\u2040"
IDENTIFIER = rf"[{_LETTER}][{_LATER}]*"
DECLARED_NAME = rf"[{_LETTER}?][{_LATER}\s.'\u2019+*/?-]*"
_IDENTIFIER = re.compile(IDENTIFIER)
_FIRST = re.compile(rf"[{_LATER}]+|.", re.DOTALL)
_TOKEN = re.compile(rf"[{_LATER}]+|\S")
_LAST_LETTER = re.compile(rf"[{_LATER}]")


def normalise(name: str) -> str:
    """Write a name with single spaces, as it is stored and compared."""
    return " ".join(name.split())


# Every expression begins with the same hundred names of functions.
@lru_cache(maxsize=4096)
def _special(name: str) -> str:
    """Give a name as it is kept, or nothing for a plain word."""
    known = normalise(name)
    return "" if _IDENTIFIER.fullmatch(known) else known


@lru_cache(maxsize=4096)
def _pattern(name: str) -> re.Pattern[str]:
    # A name is a sequence of tokens, so white space around its operators means nothing.
    body = before = ""
    for token in _TOKEN.findall(name):
        are_words = _LAST_LETTER.match(token[0]) and before and _LAST_LETTER.match(before)
        body += (r"\s+" if are_words else r"\s*") + re.escape(token)
        before = token[-1]
    end = rf"(?![{_LATER}])" if _LAST_LETTER.match(before) else ""
    return re.compile(body.removeprefix(r"\s*") + end)


class Names:
    """The names known at one place of an expression, innermost scope last.

    Only names that are no plain words are kept: a plain word needs no help to be read.
    """

    def __init__(self, outer: Iterable[str]) -> None:
        self._scopes: list[list[str]] = []
        # By first word, and there from the longest to the shortest.
        self._by_first: dict[str, list[tuple[int, str]]] = {}
        self.push(outer)

    def push(self, names: Iterable[str]) -> None:
        """Open a scope."""
        self._scopes.append([])
        for name in names:
            self.add(name)

    def pop(self) -> None:
        """Close the innermost scope."""
        for name in self._scopes.pop():
            self._by_first[_first(name)].remove((-len(name), name))

    def add(self, name: str) -> None:
        """Make one more name known in the innermost scope."""
        known = _special(name)
        if known:
            self._scopes[-1].append(known)
            insort(self._by_first.setdefault(_first(known), []), (-len(known), known))

    def match(self, text: str, position: int) -> tuple[str, int] | None:
        """Give the longest special name at a position, and where it ends."""
        first = _FIRST.match(text, position)
        if first is None:
            return None
        for _, name in self._by_first.get(first.group(), ()):
            found = _pattern(name).match(text, position)
            if found:
                return name, found.end()
        return None


def _first(name: str) -> str:
    found = _FIRST.match(name)
    assert found is not None, "a name that is kept has a first character"
    return found.group()
