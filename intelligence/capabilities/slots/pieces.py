"""Cut a text into words that remember where they stand."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from intelligence.capabilities.slots.values import Span

# Stands for characters that another slot has taken, so that positions stay as they are.
TAKEN: Final = "\ufffc"
_CHUNK: Final = re.compile(r"[^\s\ufffc]+")
_CUT: Final = re.compile(
    r"(?<=[A-Za-z])-(?=[A-Za-z])|[\u2014\u2026;:!?()\[\]{}\"\u201c\u201d\u00ab\u00bb|]+"
    r"|(?<!\d)/|/(?!\d)|(?<=[^\W\d]),(?=\S)|,(?=[^\W\d])"
)
_EDGE: Final = ".,'*_~<>=#"
_LEADING_DECIMAL: Final = re.compile(r"[.,]\d")


@dataclass(frozen=True, slots=True)
class Piece:
    """A word in lower case and its place; `has_stop`: a comma, full stop or other slot follows."""

    text: str
    start: int
    end: int
    has_stop: bool = False

    @property
    def has_digit(self) -> bool:
        """Say whether any character is a number in any script."""
        return any(character.isnumeric() for character in self.text)


def _is_edge(character: str) -> bool:
    return character in _EDGE or unicodedata.category(character) in {"So", "Cf"}


def _trim(text: str, start: int, end: int) -> Piece | None:
    while start < end and _is_edge(text[start]) and not _LEADING_DECIMAL.match(text, start):
        start += 1
    last = end
    while last > start and _is_edge(text[last - 1]):
        last -= 1
    if start >= last:
        return None
    return Piece(text[start:last].lower(), start, last, text[last:end][:1] in {".", ","})


def pieces_of(text: str) -> list[Piece]:
    """Return the words of a text in order, punctuation at their edges left out."""
    found: list[Piece] = []
    for chunk in _CHUNK.finditer(text):
        position = chunk.start()
        for cut in (*_CUT.finditer(text, chunk.start(), chunk.end()), None):
            stop = cut.start() if cut else chunk.end()
            piece = _trim(text, position, stop)
            if piece:
                found.append(piece)
            position = cut.end() if cut else stop
    ends = [piece.start for piece in found[1:]] + [len(text)]
    return [
        replace(piece, has_stop=True) if TAKEN in text[piece.end : end] else piece
        for piece, end in zip(found, ends, strict=False)
    ]


def without(text: str, spans: Iterable[Span]) -> str:
    """Return the text with the places of spans blanked out, every other position unchanged."""
    characters = list(text)
    for span in spans:
        characters[span.start : span.end] = TAKEN * (span.end - span.start)
    return "".join(characters)


def word_at(pieces: Sequence[Piece], index: int) -> str:
    """Return the word at an index, or nothing when there is none."""
    return pieces[index].text if 0 <= index < len(pieces) else ""
