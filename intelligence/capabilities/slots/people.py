"""Match the people a text names with the customer's own payees, spelling mistakes included."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz.distance import OSA

from intelligence.capabilities.language import is_english_word, is_near_english
from intelligence.capabilities.slots.currencies import CURRENCIES
from intelligence.capabilities.slots.pieces import Piece, pieces_of, word_at
from intelligence.capabilities.slots.values import (
    KnownPayee,
    PayeeCandidate,
    PayeeSlot,
    Span,
)

LIKENESS_MIN: Final = 0.74
_TIE: Final = 0.2
_FUZZY_LETTERS_MIN: Final = 4
_SILENT: Final = frozenset(
    [
        "de",
        "van",
        "der",
        "den",
        "het",
        "ter",
        "ten",
        "von",
        "zu",
        "la",
        "le",
        "el",
        "al",
        "di",
        "da",
        "du",
        "of",
        "the",
        "and",
        "bv",
        "b.v",
        "nv",
        "n.v",
        "vof",
        "gmbh",
        "ltd",
        "inc",
        "llc",
        "plc",
        "co",
        "sa",
        "ag",
        "mr",
        "mrs",
        "ms",
        "dr",
        "my",
    ]
)
_BEFORE_A_NAME: Final = frozenset(
    {"to", "pay", "send", "give", "owe", "meant", "mean", "for", "wire"}
)
_CORRECTION: Final = re.compile(
    r"\b(?:no wait|wait|actually|i mean(?:t)?|sorry|rather|correction|oops)\b", re.IGNORECASE
)
_VERBS: Final = r"pay|send|give|wire|reimburse|refund|owe|transfer"
_NAME: Final = r"(?P<name>[^\W\d_][\w'\u2019.&-]*(?:[ ]+[^\W\d_][\w'\u2019.&-]*){0,4})"
_AFTER_TO: Final = re.compile(rf"\b(?:to|i meant?|make it)[ ]+{_NAME}", re.IGNORECASE)
_AFTER_VERB: Final = re.compile(rf"\b(?:{_VERBS})[ ]+(?:back[ ]+)?{_NAME}", re.IGNORECASE)
_NOT_A_NAME: Final = frozenset(
    [
        "a",
        "an",
        "it",
        "this",
        "that",
        "these",
        "those",
        "me",
        "him",
        "her",
        "them",
        "us",
        "you",
        "some",
        "money",
        "everything",
        "all",
        "back",
        "pay",
        "make",
        "send",
        "do",
        "see",
        "know",
        "speak",
        "talk",
        "be",
        "have",
        "get",
        "check",
        "transfer",
        "give",
        "show",
        "tell",
        "ask",
        "block",
        "freeze",
        "use",
        "cancel",
        "stop",
        "my",
        "the",
        "account",
        "savings",
        "card",
        "bill",
        "invoice",
        "attached",
        "document",
        "pdf",
        "rent",
        "payment",
        "someone",
        "somebody",
        "human",
        "person",
        "agent",
        "today",
        "tomorrow",
        "now",
        "the",
    ]
)
_ENDS_A_NAME: Final = frozenset(
    [
        "for",
        "on",
        "at",
        "from",
        "by",
        "via",
        "with",
        "please",
        "pls",
        "plz",
        "thanks",
        "thx",
        "tomorrow",
        "today",
        "now",
        "tonight",
        "next",
        "this",
        "in",
        "asap",
        "and",
        "instead",
        "again",
        "to",
        "his",
        "her",
        "their",
        "out",
        "into",
        "using",
        "as",
        "about",
    ]
)
_ARTICLES: Final = frozenset({"my", "the"})


@dataclass(frozen=True, slots=True)
class _Name:
    payee: KnownPayee
    words: tuple[str, ...]
    is_alias: bool


@dataclass(frozen=True, slots=True)
class Mention:
    """A run of words that names a payee; `weight` counts the words that fit."""

    payee: KnownPayee
    first: int
    last: int
    weight: float
    likeness: float


def plain(word: str) -> str:
    """Return a word in lower case without accents, final possessive and full stops."""
    decomposed = unicodedata.normalize("NFKD", word.lower())
    bare = "".join(c for c in decomposed if not unicodedata.combining(c))
    return re.sub(r"['\u2019]s$", "", bare).strip(".'\u2019")


def _names_of(payees: Sequence[KnownPayee]) -> list[_Name]:
    names: list[_Name] = []
    for payee in payees:
        for number, written in enumerate((payee.name, *payee.aliases)):
            words = tuple(plain(piece.text) for piece in pieces_of(written))
            kept = tuple(word for word in words if word not in _SILENT and len(word) > 1)
            if kept or words:
                names.append(_Name(payee, kept or words, number > 0))
    return names


def likeness_of(written: str, name: str) -> float:
    """Return how alike two plain words are, 0 to 1; swapped neighbours count as one mistake."""
    if written == name:
        return 1.0
    if is_english_word(written) or min(len(written), len(name)) < _FUZZY_LETTERS_MIN - 1:
        return 0.0
    if min(len(written), len(name)) < _FUZZY_LETTERS_MIN:
        return _short_likeness(written, name)
    likeness = OSA.normalized_similarity(written, name)
    return likeness if likeness >= LIKENESS_MIN else 0.0


def _short_likeness(written: str, name: str) -> float:
    """Return how alike short words are: one slip behind the same first letter, "Ana" or "Bbo"."""
    is_swap = sorted(written) == sorted(name)
    is_slip = len(written) != len(name) and OSA.distance(written, name) == 1
    return LIKENESS_MIN + 0.01 if written[0] == name[0] and (is_swap or is_slip) else 0.0


def _is_plausible(pieces: Sequence[Piece], index: int, text: str, name: _Name) -> bool:
    """Say whether a word that is also plain English stands where a name would stand."""
    word = pieces[index]
    if name.is_alias and word_at(pieces, index - 1) in _ARTICLES:
        return True
    if not is_english_word(plain(word.text)):
        return True
    is_capital = text[word.start].isupper() and index > 0
    before = word_at(pieces, index - 1)
    return is_capital or (before in _BEFORE_A_NAME and before != "for")


def _mentions(text: str, pieces: Sequence[Piece], name: _Name) -> list[Mention]:
    found: list[Mention] = []
    index = 0
    while index < len(pieces):
        weights: list[float] = []
        last = index
        while last < len(pieces):
            word = plain(pieces[last].text)
            best = max((likeness_of(word, part) for part in name.words), default=0.0)
            if best and (weights or _is_plausible(pieces, last, text, name)):
                weights.append(best)
            elif not (weights and word in _SILENT and last + 1 < len(pieces)):
                break
            last += 1
        if weights and not _goes_on(text, pieces, last):
            complete = 1.0 if len(weights) >= len(name.words) else 0.97
            likeness = complete * sum(weights) / len(weights)
            found.append(Mention(name.payee, index, last - 1, sum(weights), likeness))
        index = max(last, index + 1)
    return found


def _goes_on(text: str, pieces: Sequence[Piece], index: int) -> bool:
    """Say whether a name goes on with a word that does not fit, as in "Anna Smith"."""
    if index >= len(pieces) or pieces[index - 1].has_stop:
        return False
    word = pieces[index]
    if word.start - pieces[index - 1].end != 1 or not word.text.isalpha() or len(word.text) < 2:
        return False
    if is_english_word(word.text) or word.text in _SILENT or word.text in CURRENCIES:
        return False
    return text[word.start].isupper() or not is_near_english(word.text)


def find_people(
    text: str, payees: Sequence[KnownPayee]
) -> list[tuple[Span, tuple[PayeeCandidate, ...]]]:
    """Return each place in a text that names payees, with those who may be meant there."""
    pieces = pieces_of(text)
    mentions = [m for name in _names_of(payees) for m in _mentions(text, pieces, name)]
    kept = [m for m in mentions if word_at(pieces, m.first - 1) not in {"not", "isn't"}]
    places: list[tuple[Span, tuple[PayeeCandidate, ...]]] = []
    while kept:
        best = max(kept, key=lambda m: (m.weight, m.likeness, -m.first))
        here = [m for m in kept if m.first <= best.last and best.first <= m.last]
        span = _span(text, pieces, best)
        places.append((span, _candidates([m for m in here if m.weight >= best.weight - _TIE])))
        kept = [m for m in kept if m not in here]
    return sorted(places, key=lambda place: place[0].start)


def _span(text: str, pieces: Sequence[Piece], mention: Mention) -> Span:
    last = mention.last
    while last > mention.first and pieces[last].text in _SILENT:
        last -= 1
    start, end = pieces[mention.first].start, pieces[last].end
    return Span(start, end, text[start:end])


def _candidates(mentions: Sequence[Mention]) -> tuple[PayeeCandidate, ...]:
    best: dict[object, PayeeCandidate] = {}
    for mention in sorted(mentions, key=lambda m: -m.likeness):
        payee = mention.payee
        best.setdefault(
            payee.payee_id, PayeeCandidate(payee.payee_id, payee.name, round(mention.likeness, 3))
        )
    return tuple(best.values())


def choose_people(
    text: str, places: Sequence[tuple[Span, tuple[PayeeCandidate, ...]]]
) -> PayeeSlot | None:
    """Return whom a text means: those after a correction, or else all it names."""
    if not places:
        return None
    corrections = list(_CORRECTION.finditer(text))
    after = [place for place in places if corrections and place[0].start > corrections[-1].start()]
    meant = after or list(places)
    merged: dict[object, PayeeCandidate] = {}
    for _, candidates in meant:
        for candidate in candidates:
            merged.setdefault(candidate.payee_id, candidate)
    return PayeeSlot(tuple(merged.values()), meant[0][0])


def find_unknown_name(text: str) -> PayeeSlot | None:
    """Return the words that stand where a payee is named, when no payee of the customer fits."""
    for pattern in (_AFTER_TO, _AFTER_VERB):
        for match in pattern.finditer(text):
            end = _end_of_name(match["name"])
            if end:
                start = match.start("name")
                return PayeeSlot((), Span(start, start + end, text[start : start + end]))
    return None


def _end_of_name(words: str) -> int:
    """Return how many characters of the words are a name; 0 when they are none."""
    end = 0
    is_first = True
    for match in re.finditer(r"\S+", words):
        word = match[0].lower().strip(".'\u2019")
        if word in _ENDS_A_NAME or (word in _NOT_A_NAME and not (is_first and word in _ARTICLES)):
            break
        is_first = False
        if word not in _ARTICLES:
            end = match.end()
    return len(words[:end].rstrip("."))
