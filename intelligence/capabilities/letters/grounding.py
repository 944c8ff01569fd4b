"""Whether an answer says only what was given: judged from its words, whoever wrote them.

This knows nothing of how a draft was made, so that it holds for any generator.
"""

import re
from collections.abc import Iterable
from typing import Final

# What a reader could act upon: numbers of any kind, addresses, links.
_CLAIMS: Final = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+|\S*\d\S*")
_EDGES: Final = ".,;:!?()[]\"'\u201c\u201d\u2018\u2019"
_CURRENCIES: Final = re.compile(r"\b(?:EUR|USD|GBP|CHF)\b|[€$£]")


def ungrounded(text: str, *, facts: Iterable[str]) -> tuple[str, ...]:
    """Return the claims of a text that no fact holds: amounts, dates, numbers, links, addresses."""
    known: set[str] = set()
    for fact in facts:
        known |= _claims(fact)
    return tuple(sorted(_claims(text) - known))


def _claims(text: str) -> set[str]:
    """Return what a text claims; an amount is one claim with its currency."""
    found = set()
    words = [word.strip(_EDGES) for word in text.split()]
    for before, word in zip(["", *words], words, strict=False):
        if _CLAIMS.fullmatch(word):
            is_amount = bool(_CURRENCIES.fullmatch(before))
            found.add(f"{before} {word}" if is_amount else word)
    return found
