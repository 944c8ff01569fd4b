"""Find what could be an amount in a text: digits or words, never anything unwritten."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from intelligence.capabilities.slots.currencies import CENTS, CURRENCIES, NEUTRAL
from intelligence.capabilities.slots.digits import AmountRefused, minor_units_of
from intelligence.capabilities.slots.number_words import (
    JOINERS,
    NUMBER_WORDS,
    SCALES,
    SMALL,
    NotOneNumber,
    number_of,
)
from intelligence.capabilities.slots.pieces import Piece, word_at
from sentinel.vocabulary import Money

_ATTACHED: Final = re.compile(
    r"(?P<sign>[-\u2212\u2013+])?(?P<before>us\$|[€$£¥₹]|eur|euro|usd|gbp)?"
    r"(?P<number>.*?)(?P<after>[€$£¥₹]|euros?|eur|usd|dollars?|gbp|pounds?|quid|chf|bucks|"
    r"cents?|ct)?"
)
_NEGATIVE_WORDS: Final = frozenset({"minus", "negative"})
_VAGUE: Final = frozenset({"couple", "few", "several", "some", "many", "half"})
_ORDINAL: Final = re.compile(r"\d{1,2}(?:st|nd|rd|th)")
_GROUP: Final = re.compile(r"\d{3}(?:[.,]\d{1,2})?")
_GROUP_HEAD: Final = re.compile(r"[1-9]\d{0,2}")
_CENT_DIGITS: Final = re.compile(r"\d{2}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something written like an amount, pieces `first` to `last`; `reason` says why not."""

    first: int
    last: int
    minor_units: int = 0
    currency: str | None = None
    is_marked: bool = False
    reason: str = ""
    is_small_word: bool = False


def candidates_of(pieces: Sequence[Piece]) -> list[Candidate]:
    """Return everything in a text that is written like an amount, in order."""
    return list(_each(pieces))


def _each(pieces: Sequence[Piece]) -> Iterator[Candidate]:
    index = free_from = 0
    while index < len(pieces):
        candidate = _at(pieces, index, free_from)
        if candidate is None:
            index += 1
            continue
        candidate = _with_sign_before(pieces, candidate)
        yield candidate
        index = free_from = candidate.last + 1


def _at(pieces: Sequence[Piece], index: int, free_from: int) -> Candidate | None:
    piece = pieces[index]
    if piece.has_digit:
        if _ORDINAL.fullmatch(piece.text) or (piece.text[0].isalpha() and not _attached(piece)[2]):
            return None
        return _with_cents(pieces, _in_digits(pieces, index, free_from))
    if piece.text in NUMBER_WORDS or (piece.text == "a" and word_at(pieces, index + 1) in SCALES):
        return _with_cents(pieces, _in_words(pieces, index, free_from))
    return None


def _attached(piece: Piece) -> tuple[str, str, str, str]:
    """Return sign, currency in front, number and currency behind of one written word."""
    match = _ATTACHED.fullmatch(piece.text)
    assert match is not None
    number = match["number"]
    before, after = match["before"] or "", match["after"] or ""
    sign = match["sign"] or ""
    if number[:1] in {"-", "\u2212"}:
        sign, number = "-", number[1:]
    starts_with_number = number[:1].isnumeric() or number[:1] in {".", ","}
    return sign, before, number if starts_with_number else "", after


def _in_digits(pieces: Sequence[Piece], index: int, free_from: int) -> Candidate:
    sign, before, number, after = _attached(pieces[index])
    last = index
    if not after and _GROUP_HEAD.fullmatch(number):
        number, last = _join_groups(pieces, index, number)
    in_front = _money_word_before(pieces, index, free_from)
    first = index - 1 if in_front else index
    marks = _marks(pieces, last, before or in_front, after or _attached(pieces[last])[3])
    candidate = Candidate(first, marks.last, currency=marks.currency, is_marked=marks.is_marked)
    if marks.reason:
        return replace(candidate, reason=marks.reason)
    if " " in number and not marks.is_marked and "," not in number and "." not in number:
        return replace(candidate, reason="amount_ambiguous")
    try:
        minor_units = _value(number, sign, marks)
    except AmountRefused as refused:
        return replace(candidate, reason=refused.reason)
    return replace(candidate, minor_units=minor_units)


def _join_groups(pieces: Sequence[Piece], index: int, number: str) -> tuple[str, int]:
    """Return "1 250,50" and its last piece when groups of three digits follow one space apart."""
    last = index
    while last + 1 < len(pieces):
        following = pieces[last + 1]
        is_next = following.start - pieces[last].end == 1 and not pieces[last].has_stop
        if not is_next or not _GROUP.fullmatch(_attached(following)[2]):
            break
        number, last = f"{number} {_attached(following)[2]}", last + 1
        if _attached(following)[3]:
            break
    return number, last


@dataclass(frozen=True, slots=True)
class _Marks:
    last: int
    currency: str | None
    is_marked: bool
    is_cents: bool
    factor: int
    reason: str = ""


def _money_word_before(pieces: Sequence[Piece], index: int, free_from: int) -> str:
    """Return the money word just before an index unless another amount has used it."""
    is_next = index - 1 >= free_from and index > 0 and not pieces[index - 1].has_stop
    word = word_at(pieces, index - 1) if is_next else ""
    return word if _is_money_word(word) else ""


def _marks(pieces: Sequence[Piece], last: int, before: str, behind: str) -> _Marks:
    """Return what stands around a number: scale words, currencies, cents."""
    factor = 1
    if not behind and not pieces[last].has_stop and word_at(pieces, last + 1) in SCALES:
        factor, last = SCALES[word_at(pieces, last + 1)], last + 1
    if not behind and not pieces[last].has_stop and _is_money_word(word_at(pieces, last + 1)):
        behind, last = word_at(pieces, last + 1), last + 1
    return _judge(last, [word for word in (before, behind) if word], factor)


def _is_money_word(word: str) -> bool:
    return word in CURRENCIES or word in CENTS or word in NEUTRAL


def _judge(last: int, words: Sequence[str], factor: int) -> _Marks:
    is_cents = any(word in CENTS for word in words)
    named = {CURRENCIES[word] for word in words if word in CURRENCIES}
    currency = next(iter(named), None)
    reason = "currency_ambiguous" if len(named) > 1 else ""
    if None in named:
        reason = "currency_not_supported"
    return _Marks(last, currency, bool(words), is_cents, factor, reason)


def _value(number: str, sign: str, marks: _Marks) -> int:
    exponent = 0 if marks.is_cents else Money(0, marks.currency or "EUR").exponent
    if sign in {"-", "\u2212", "\u2013"}:
        raise AmountRefused("amount_negative")
    minor_units = minor_units_of(number, exponent=exponent) * marks.factor
    if marks.factor > 1 and minor_units_of(str(minor_units), exponent=0) != minor_units:
        raise AmountRefused("amount_too_large")
    return minor_units


def _in_words(pieces: Sequence[Piece], index: int, free_from: int) -> Candidate:
    last = index
    while word_at(pieces, last + 1) in NUMBER_WORDS | JOINERS and not pieces[last].has_stop:
        last += 1
    while pieces[last].text in JOINERS and last > index:
        last -= 1
    words = [piece.text for piece in pieces[index : last + 1]]
    in_front = _money_word_before(pieces, index, free_from)
    marks = _marks(pieces, last, in_front, "")
    is_small = len(words) == 1 and words[0] in SMALL
    candidate = Candidate(
        index - 1 if in_front else index,
        marks.last,
        currency=marks.currency,
        is_marked=marks.is_marked,
        is_small_word=is_small,
    )
    if marks.reason:
        return replace(candidate, reason=marks.reason)
    if word_at(pieces, index - 1) in _VAGUE or word_at(pieces, index - 2) in _VAGUE:
        return replace(candidate, reason="amount_vague")
    try:
        return replace(candidate, minor_units=_value(str(number_of(words)), "", marks))
    except NotOneNumber:
        return replace(candidate, reason="amount_ambiguous")
    except AmountRefused as refused:
        return replace(candidate, reason=refused.reason)


def _with_sign_before(pieces: Sequence[Piece], candidate: Candidate) -> Candidate:
    before = {word_at(pieces, candidate.first - 1)}
    if candidate.is_marked:
        before.add(word_at(pieces, candidate.first - 2))
    is_negative = bool(before & _NEGATIVE_WORDS)
    return replace(candidate, reason="amount_negative") if is_negative else candidate


def _with_cents(pieces: Sequence[Piece], candidate: Candidate) -> Candidate:
    """Return the candidate with the cents that follow it: "20 euro and 50 cents", "20 euro 50"."""
    is_whole = candidate.minor_units % 100 == 0 and not candidate.reason
    if candidate.currency not in {"EUR", "USD", "GBP"} or not is_whole:
        return candidate
    start = candidate.last + 1
    if word_at(pieces, start) == "and":
        start += 1
    following = _cents_at(pieces, start)
    if following is None:
        return candidate
    return replace(
        candidate, last=following.last, minor_units=candidate.minor_units + following.minor_units
    )


def _cents_at(pieces: Sequence[Piece], index: int) -> Candidate | None:
    if index >= len(pieces) or pieces[index - 1].has_stop:
        return None
    word = pieces[index]
    if word.has_digit:
        cents = _in_digits(pieces, index, index)
    elif word.text in NUMBER_WORDS:
        cents = _in_words(pieces, index, index)
    else:
        return None
    says_cents = pieces[cents.last].text in CENTS or _attached(pieces[cents.last])[3] in CENTS
    if says_cents and not cents.reason and cents.minor_units < 100:
        return cents
    is_bare = _CENT_DIGITS.fullmatch(word.text) and word_at(pieces, index - 1) in CURRENCIES
    if is_bare and cents.last == index:
        return replace(cents, minor_units=int(word.text))
    return None
