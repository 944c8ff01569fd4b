"""Find which kind of spending, and which of the customer's accounts, a text speaks of."""

import re
from typing import Final

from rapidfuzz.distance import OSA

from intelligence.capabilities.slots.pieces import pieces_of
from intelligence.capabilities.slots.values import Span, TextSlot

_LISTED: Final = {
    "groceries": "groceries grocery supermarket supermarkets food albert lidl aldi jumbo",
    "restaurants": "restaurants restaurant dining eating takeaway takeout cafe cafes bars pub "
    "lunch dinner",
    "housing": "rent housing mortgage home",
    "utilities": "utilities utility electricity energy water gas heating internet phone bills",
    "transport": "transport trains train bus taxi taxis uber fuel petrol parking car public",
    "travel": "travel holiday holidays vacation flights flight hotels hotel trips",
    "shopping": "shopping clothes clothing shoes fashion amazon bol electronics furniture",
    "entertainment": "entertainment cinema movies concerts games fun going",
    "subscriptions": "subscriptions subscription netflix spotify streaming",
    "insurance": "insurance insurances",
    "health": "health pharmacy doctor dentist gym medicine",
    "cash": "cash withdrawals atm",
    "savings": "savings saving",
    "salary": "salary income wages",
}
_BY_WORD: Final = {word: name for name, words in _LISTED.items() for word in words.split()}
# Words too common to stand for a category on their own.
_ONLY_IN_PHRASE: Final = {"public": "transport", "going": "out", "eating": "out", "home": ""}
_AT: Final = re.compile(
    r"\b(?:at|with|on)\s+(?P<name>[^\W\d_][\w'&.-]*(?:\s+[A-Z][\w'&.-]*)*)", re.UNICODE
)
_ACCOUNT: Final = re.compile(
    r"\b(?:(?P<way>from|to|into|in|on|of|onto|between)\s+)?(?:my\s+|the\s+|our\s+)?"
    r"(?P<kind>savings?|current|checking|main|everyday|spaar)(?:\s+(?:account|pot|balance))?\b",
    re.IGNORECASE,
)
_LETTERS_FOR_TYPO_MIN: Final = 6


def find_category(text: str) -> TextSlot | None:
    """Return the spending category a text names, one spelling mistake forgiven in longer words."""
    pieces = pieces_of(text)
    for index, piece in enumerate(pieces):
        name = _category_of(piece.text)
        follows = _ONLY_IN_PHRASE.get(piece.text)
        if follows is not None and not (
            index + 1 < len(pieces) and _fits(pieces[index + 1].text, follows)
        ):
            continue
        if name:
            return TextSlot(name, Span(piece.start, piece.end, text[piece.start : piece.end]))
    return None


def _fits(word: str, follows: str) -> bool:
    return bool(follows) and word == follows


def _category_of(word: str) -> str | None:
    exact = _BY_WORD.get(word)
    if exact or len(word) < _LETTERS_FOR_TYPO_MIN:
        return exact
    return next(
        (
            name
            for known, name in _BY_WORD.items()
            if len(known) >= _LETTERS_FOR_TYPO_MIN and OSA.distance(word, known) == 1
        ),
        None,
    )


def find_merchant(text: str) -> TextSlot | None:
    """Return the shop or person behind "at", when the text names one with a capital letter."""
    for match in _AT.finditer(text):
        if match["name"][0].isupper():
            return TextSlot(match["name"], Span(*match.span("name"), match["name"]))
    return None


def find_accounts(text: str) -> tuple[TextSlot | None, TextSlot | None]:
    """Return the account a text speaks of and the one money goes to, `savings` or `current`."""
    about: TextSlot | None = None
    target: TextSlot | None = None
    for match in _ACCOUNT.finditer(text):
        kind = "savings" if match["kind"].lower().startswith(("sav", "spaar")) else "current"
        slot = TextSlot(kind, Span(match.start(), match.end(), match[0]))
        if (match["way"] or "").lower() in {"to", "into", "onto"}:
            target = target or slot
        else:
            about = about or slot
    return about, target
