"""Decide which of the amounts in a text is meant, or which question to ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from intelligence.capabilities.slots.amounts import Candidate, candidates_of
from intelligence.capabilities.slots.pieces import Piece, pieces_of, word_at
from intelligence.capabilities.slots.refusals import refusal
from intelligence.capabilities.slots.values import AmountSlot, Refusal, Span
from sentinel.vocabulary import Provenance

# A number after one of these names a thing, not an amount.
_NAMES_A_THING: Final = frozenset(
    [
        "invoice",
        "inv",
        "nr",
        "number",
        "order",
        "ref",
        "reference",
        "ticket",
        "apartment",
        "apt",
        "room",
        "card",
        "ending",
        "ends",
        "account",
        "step",
        "version",
        "page",
        "line",
        "flat",
        "house",
        "unit",
        "code",
        "floor",
        "gate",
        "no.",
        "since",
        "year",
        "pin",
    ]
)
# A number before one of these counts something else.
_COUNTED: Final = frozenset(
    [
        "day",
        "days",
        "week",
        "weeks",
        "month",
        "months",
        "year",
        "years",
        "hour",
        "hours",
        "minute",
        "minutes",
        "time",
        "times",
        "x",
        "people",
        "persons",
        "payments",
        "payment",
        "cards",
        "card",
        "transfers",
        "am",
        "pm",
        "o'clock",
        "%",
        "percent",
        "nights",
        "kids",
        "tickets",
        "pizzas",
        "beers",
        "coffees",
        "instalments",
        "installments",
    ]
)
_RELATIVE_BEFORE: Final = frozenset({"another", "add", "plus", "extra", "additional"})
_RELATIVE_BEHIND: Final = frozenset({"more", "less", "extra", "each", "per"})
_NOT: Final = frozenset({"not", "isn't", "wasn't"})
_INSTEAD: Final = ("instead of", "rather than", "other than")
_CORRECTIONS: Final = (
    "no wait", "wait", "actually", "i mean", "i meant", "sorry", "rather", "make it", "make that",
    "correction", "oops", "scratch that", "or rather", "no",
)  # fmt: skip
# After a bare small number these words show that it is an amount and not a count of things.
_MAY_FOLLOW: Final = frozenset(
    [
        "please",
        "to",
        "pls",
        "plz",
        "on",
        "by",
        "tomorrow",
        "today",
        "now",
        "from",
        "thanks",
        "thx",
        "and",
        "in",
        "at",
        "next",
        "this",
        "with",
        "for",
        "via",
        "instead",
        "then",
        "tonight",
        "not",
        "it",
        "over",
        "into",
        "onto",
    ]
)
_PAY_VERBS: Final = frozenset({"pay", "send", "transfer", "wire", "give"})
_POINTING: Final = frozenset(
    {"this", "that", "the", "which", "last", "next", "other", "no", "some"}
)
_CHAT_TO: Final = frozenset({"2", "4"})


@dataclass(frozen=True, slots=True)
class AmountReading:
    """The amount meant, if it is beyond doubt, and otherwise why not."""

    amount: AmountSlot | None
    refusals: tuple[Refusal, ...] = ()


def read_amount(
    text: str, *, original: str, source: Provenance = Provenance.CUSTOMER_TYPED
) -> AmountReading:
    """Return the amount a text names; `text` has other slots blanked out, `original` has not."""
    pieces = pieces_of(text)
    candidates = _after_correction(pieces, _meant(pieces, candidates_of(pieces)))
    if not candidates:
        return AmountReading(None)
    candidates = _likely(pieces, candidates)
    refused = [c for c in candidates if c.reason]
    if refused:
        return AmountReading(None, tuple(_refuse(original, pieces, c, source) for c in refused[:1]))
    if len({(c.minor_units, c.currency) for c in candidates}) > 1:
        last = candidates[-1]
        span = _span(original, pieces, last, source)
        return AmountReading(None, (refusal("several_amounts", span),))
    chosen = candidates[0]
    span = _span(original, pieces, chosen, source)
    return AmountReading(AmountSlot(chosen.minor_units, chosen.currency, span))


def _span(original: str, pieces: Sequence[Piece], candidate: Candidate, source: Provenance) -> Span:
    start, end = pieces[candidate.first].start, pieces[candidate.last].end
    return Span(start, end, original[start:end], source)


def _refuse(
    original: str, pieces: Sequence[Piece], candidate: Candidate, source: Provenance
) -> Refusal:
    return refusal(candidate.reason, _span(original, pieces, candidate, source))


def _meant(pieces: Sequence[Piece], candidates: Sequence[Candidate]) -> list[Candidate]:
    kept: list[Candidate] = []
    for candidate in candidates:
        if _is_something_else(pieces, candidate, len(candidates)) or _is_denied(pieces, candidate):
            continue
        kept.append(_mark_relative(pieces, candidate))
    return kept


def _is_something_else(pieces: Sequence[Piece], candidate: Candidate, total: int) -> bool:
    before, behind = word_at(pieces, candidate.first - 1), word_at(pieces, candidate.last + 1)
    word = pieces[candidate.first].text
    if candidate.is_marked:
        return False
    if before in _NAMES_A_THING or behind in _COUNTED or word.endswith("%"):
        return True
    if word == "one" and before in _POINTING:
        return True
    if word in _CHAT_TO and total > 1 and behind.isalpha() and candidate.first > 0:
        return True
    counts_things = before in {"for", "the"} and bool(behind) and behind not in _MAY_FOLLOW
    if counts_things and behind.isalpha() and candidate.minor_units < 10_000:
        return True
    return candidate.is_small_word and bool(behind) and behind not in _MAY_FOLLOW


def _likely(pieces: Sequence[Piece], candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates with a currency, and bare ones only where they stand like an amount."""
    if not any(candidate.is_marked for candidate in candidates):
        return list(candidates)
    return [
        candidate
        for candidate in candidates
        if candidate.is_marked
        or word_at(pieces, candidate.last + 1) == "to"
        or any(word_at(pieces, candidate.first - back) in _PAY_VERBS for back in (1, 2, 3))
    ]


def _is_denied(pieces: Sequence[Piece], candidate: Candidate) -> bool:
    before = word_at(pieces, candidate.first - 1)
    two_before = f"{word_at(pieces, candidate.first - 2)} {before}"
    return before in _NOT or two_before in _INSTEAD


def _mark_relative(pieces: Sequence[Piece], candidate: Candidate) -> Candidate:
    before, behind = word_at(pieces, candidate.first - 1), word_at(pieces, candidate.last + 1)
    if candidate.reason or not (before in _RELATIVE_BEFORE or behind in _RELATIVE_BEHIND):
        return candidate
    return Candidate(
        candidate.first, candidate.last, is_marked=candidate.is_marked, reason="amount_relative"
    )


def _after_correction(pieces: Sequence[Piece], candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates behind the last correction that stands between two of them."""
    for position in range(len(candidates) - 1, 0, -1):
        between = pieces[candidates[position - 1].last + 1 : candidates[position].first]
        words = " " + " ".join(piece.text for piece in between) + " "
        if any(f" {correction} " in words for correction in _CORRECTIONS):
            return list(candidates[position:])
    return list(candidates)
