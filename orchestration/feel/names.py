"""Names that hold spaces or operators, and which of them are in scope.

`total - fee` is a subtraction unless `total - fee` is itself a name in scope, so the parser asks
here first and takes the longest name that fits.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

# FEEL takes every character beyond the basic plane (an emoji, say) as a letter.
_BEYOND = "\U00010000-\U000effff"
IDENTIFIER = rf"(?:[^\W\d]|[{_BEYOND}])(?:\w|[{_BEYOND}])*"
DECLARED_NAME = rf"(?:[^\W\d]|[{_BEYOND}])[\w\s.'+*/{_BEYOND}-]*|\?"
_IDENTIFIER = re.compile(IDENTIFIER)
_FIRST = re.compile(r"\w+|\W")


def normalise(name: str) -> str:
    """Write a name with single spaces, as it is stored and compared."""
    return " ".join(name.split())


@lru_cache(maxsize=4096)
def _pattern(name: str) -> re.Pattern[str]:
    body = r"\s+".join(re.escape(part) for part in name.split())
    return re.compile(body + (r"(?!\w)" if name[-1].isalnum() else ""))


class Names:
    """The names known at one place of an expression, innermost scope last."""

    def __init__(self, outer: Iterable[str]) -> None:
        self._scopes: list[frozenset[str]] = []
        self._by_first: dict[str, list[str]] = {}
        self.push(outer)

    def push(self, names: Iterable[str]) -> None:
        """Open a scope."""
        self._scopes.append(frozenset(normalise(name) for name in names if name.strip()))
        self._index()

    def pop(self) -> None:
        """Close the innermost scope."""
        self._scopes.pop()
        self._index()

    def add(self, name: str) -> None:
        """Make one more name known in the innermost scope."""
        self._scopes[-1] |= {normalise(name)}
        self._index()

    def match(self, text: str, position: int) -> tuple[str, int] | None:
        """Give the longest special name at a position, and where it ends."""
        first = _FIRST.match(text, position)
        if first is None:
            return None
        for name in self._by_first.get(first.group(), ()):
            found = _pattern(name).match(text, position)
            if found:
                return name, found.end()
        return None

    def _index(self) -> None:
        special = {
            name for scope in self._scopes for name in scope if not _IDENTIFIER.fullmatch(name)
        }
        self._by_first = {}
        for name in sorted(special, key=len, reverse=True):
            first = _FIRST.match(name)
            if first:
                self._by_first.setdefault(first.group(), []).append(name)
