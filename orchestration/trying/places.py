"""Where in a JSON text a value stands, so that a refusal can name its line."""

import json
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field

Path = tuple[str | int, ...]
_BLANK = " \t\r\n"
_DECODER = json.JSONDecoder()


@dataclass(slots=True)
class _Walk:
    """One pass over a text that is JSON already."""

    text: str
    found: dict[Path, int] = field(default_factory=dict)

    def value(self, at: int, path: Path) -> int:
        """Note where the value at a place begins, and return where it ends."""
        at = self._pass_blanks(at)
        self.found[path] = at
        match self.text[at]:
            case "{":
                return self._object(at + 1, path)
            case "[":
                return self._list(at + 1, path)
        _value, end = _DECODER.raw_decode(self.text, at)
        return int(end)

    def _object(self, at: int, path: Path) -> int:
        at = self._pass_blanks(at)
        while self.text[at] != "}":
            name, at = _DECODER.raw_decode(self.text, at)
            at = self._pass_blanks(at) + 1
            at = self._pass_comma(self.value(at, (*path, name)))
        return at + 1

    def _list(self, at: int, path: Path) -> int:
        at, index = self._pass_blanks(at), 0
        while self.text[at] != "]":
            at = self._pass_comma(self.value(at, (*path, index)))
            index += 1
        return at + 1

    def _pass_comma(self, at: int) -> int:
        at = self._pass_blanks(at)
        return self._pass_blanks(at + 1) if self.text[at] == "," else at

    def _pass_blanks(self, at: int) -> int:
        while self.text[at] in _BLANK:
            at += 1
        return at


@dataclass(frozen=True, slots=True)
class Places:
    """The lines of a JSON text by the path of what stands there; `breaks` are where lines end."""

    breaks: tuple[int, ...]
    offsets: dict[Path, int]

    def line(self, path: Iterable[str | int]) -> int:
        """Return the line, from 1, of a value, or of the innermost one around it that is there."""
        whole = tuple(path)
        for length in range(len(whole), -1, -1):
            offset = self.offsets.get(whole[:length])
            if offset is not None:
                return bisect_right(self.breaks, offset) + 1
        return 1


def places_in(text: str) -> Places:
    """Return where the values of a JSON text stand; the text must be JSON."""
    walk = _Walk(text)
    walk.value(0, ())
    breaks = tuple(at for at, character in enumerate(text) if character == "\n")
    return Places(breaks, walk.found)


def words_of(path: Iterable[str | int]) -> str:
    """Return a path as people write it: `scenarios[2].answers.pay`."""
    words = ""
    for step in path:
        words += f"[{step}]" if isinstance(step, int) else f".{step}" if words else step
    return words
