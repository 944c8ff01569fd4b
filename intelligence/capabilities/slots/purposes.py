"""Find what a payment is for, in the customer's own words."""

import re
from typing import Final

from intelligence.capabilities.slots.pieces import TAKEN
from intelligence.capabilities.slots.values import Span, TextSlot

PURPOSE_CHARACTERS_MAX: Final = 140
_LABEL: Final = (
    r"(?:with\s+(?:the\s+)?)?(?:message|reference|ref|note|description|remark|memo|subject|purpose|"
    r"remittance|saying|comment)"
)
_QUOTED: Final = re.compile(
    rf"\b(?:{_LABEL}|for)\s*(?::|=|is|of)?\s*"
    "(?:\"([^\"]+)\"|\u201c([^\u201d]+)\u201d|(?<![^\\W\\d_])'([^']+)'(?![^\\W\\d_]))",
    re.IGNORECASE,
)
_LABELLED: Final = re.compile(rf"\b{_LABEL}\s*(?::|=)\s*(.+)", re.IGNORECASE | re.DOTALL)
_UNQUOTED: Final = re.compile(
    r"\bwith\s+(?:the\s+)?(?:message|reference|note)\s+(.+)", re.IGNORECASE
)
_FOR: Final = re.compile(r"\b(?:for|4)\s+(.+)", re.IGNORECASE | re.DOTALL)
_STOP: Final = re.compile(
    rf"[{TAKEN};!?\n]|[.,](?=\s|$)|\s(?:to|from my|from the|into|by|please|pls|plz|thanks|thx|"
    rf"thank you|"
    r"tomorrow|today|on|using|via|with|next|and pay|and send|at the end)\b",
    re.IGNORECASE,
)
_NOTHING: Final = frozenset(
    [
        "me",
        "him",
        "her",
        "us",
        "them",
        "you",
        "now",
        "it",
        "that",
        "this",
        "free",
        "sure",
        "real",
        "my",
        "the",
        "a",
        "an",
        "me,",
        "please",
        "everything",
    ]
)
_NOUNS: Final = re.compile(
    r"\b(rent|groceries|dinner|lunch|breakfast|drinks|taxi|petrol|gas|tickets|deposit|repair|"
    r"holiday|"
    r"electricity|internet|insurance|school fees|birthday|gift|coffee)\b",
    re.IGNORECASE,
)
_EDGES: Final = " \t\r\n.,:;-\"'"


def _slot(text: str, start: int, end: int) -> TextSlot | None:
    while start < end and text[start] in _EDGES:
        start += 1
    while end > start and text[end - 1] in _EDGES:
        end -= 1
    words = text[start:end]
    if not words or words.lower() in _NOTHING or not any(c.isalnum() for c in words):
        return None
    kept = words[:PURPOSE_CHARACTERS_MAX].rstrip()
    return TextSlot(" ".join(kept.split()), Span(start, start + len(kept), kept))


def find_quoted_purpose(text: str) -> TextSlot | None:
    """Return a purpose that is quoted or labelled; nothing inside it is read as anything else."""
    for match in _QUOTED.finditer(text):
        group = next(index for index in (1, 2, 3) if match[index] is not None)
        slot = _slot(text, match.start(group), match.end(group))
        if slot:
            return slot
    match_labelled = _LABELLED.search(text)
    return _slot(text, *match_labelled.span(1)) if match_labelled else None


def _until_stop(text: str, start: int, original: str) -> TextSlot | None:
    stop = _STOP.search(text, start)
    return _slot(original, start, stop.start() if stop else len(text))


def find_purpose(text: str, *, original: str) -> TextSlot | None:
    """Return what stands behind "for"; `text` has amounts, dates and the like blanked out."""
    for pattern in (_UNQUOTED, _FOR):
        position = 0
        while match := pattern.search(text, position):
            slot = _until_stop(text, match.start(1), original)
            if slot and TAKEN not in text[match.start(1) : match.start(1) + 1]:
                return slot
            position = match.start() + 1
    return None


def find_purpose_noun(text: str) -> TextSlot | None:
    """Return a word that says what a payment is for without "for", as in "Anna 250 rent"."""
    match = _NOUNS.search(text)
    return _slot(text, *match.span(1)) if match else None
