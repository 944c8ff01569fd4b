"""Find which card a text speaks of."""

import re
from collections.abc import Iterator
from typing import Final

from intelligence.capabilities.slots.values import CardSlot, Span

_LAST_FOUR: Final = re.compile(
    r"\b(?:card\s+)?(?:ending|ends|last\s+(?:four|4)|number|card|nr|visa|mastercard|maestro)\b"
    r"(?:\s+(?:in|with|on|digits?|is|are|number|"
    r"nr))*\s*[:#.*x]*\s*(?P<digits>\d{4})\b(?!\s*(?:euro|eur|€|\d))",
    re.IGNORECASE,
)
_WHOLE_NUMBER: Final = re.compile(
    r"(?<![\dA-Za-z])(?:\d{4}[ -]){3}(?P<digits>\d{4})\b|(?<![\dA-Za-z])\d{12}(?P<end>\d{4})\b"
)
_ALL: Final = re.compile(r"\b(?:all|both|every|each)\s+(?:of\s+)?(?:my\s+)?cards?\b", re.IGNORECASE)
_KINDS: Final = (
    (
        "debit",
        re.compile(
            r"\b(?:debit|bank|maestro|giro)(?:\s*card)?\b(?!\s+(?:account|transfer))", re.IGNORECASE
        ),
    ),
    ("credit", re.compile(r"\b(?:credit(?:\s*card)?|visa|master\s*card|amex)\b", re.IGNORECASE)),
)  # fmt: skip


def find_card_numbers(text: str) -> Iterator[Span]:
    """Yield the places of card numbers and last four digits, which are no amounts."""
    for pattern in (_WHOLE_NUMBER, _LAST_FOUR):
        for match in pattern.finditer(text):
            yield Span(match.start(), match.end(), match[0])


def find_card(text: str) -> CardSlot | None:
    """Return the card a text speaks of, or nothing when it says no more than "card"."""
    found: list[Span] = []
    last_four = None
    for pattern in (_WHOLE_NUMBER, _LAST_FOUR):
        match = pattern.search(text)
        if match and last_four is None:
            last_four = (
                match["digits"] or match["end"] if pattern is _WHOLE_NUMBER else match["digits"]
            )
            found.append(Span(match.start(), match.end(), match[0]))
    everything = _ALL.search(text)
    kinds = [(kind, match) for kind, pattern in _KINDS if (match := pattern.search(text))]
    found += [Span(match.start(), match.end(), match[0]) for _, match in kinds]
    if everything:
        found.append(Span(everything.start(), everything.end(), everything[0]))
    if not found:
        return None
    kind = kinds[0][0] if len(kinds) == 1 else None
    return CardSlot(last_four, kind, everything is not None, found[0])
