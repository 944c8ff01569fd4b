"""Whether a name is the one an account carries: match, close, mismatch."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz
from rapidfuzz.distance import DamerauLevenshtein

CLOSE_RATIO_MIN = 82.0
_NOT_LETTERS = re.compile(r"[^a-z0-9]+")
# What says what somebody is, not who.
_LEGAL_FORMS = ("bv", "nv", "vof", "bvba", "srl", "sa", "sarl", "gmbh", "ag", "ltd", "llc", "cv")
_TITLES = ("mr", "mrs", "ms", "dr", "drs", "ir", "ing", "prof", "mevr", "mw", "dhr", "mevrouw")
_PASSED_OVER = frozenset(_LEGAL_FORMS + _TITLES)

NameResult = Literal["match", "close", "mismatch", "unavailable"]


@dataclass(frozen=True, slots=True)
class NameCheck:
    """The result, and (only when close) the name on the account with its right initials."""

    result: NameResult
    matched_name_masked: str | None = None


UNAVAILABLE = NameCheck("unavailable")


def compare_names(*, given: str, registered: str, is_organisation: bool) -> NameCheck:
    """Return how a given name compares with the one on the account."""
    wanted, known = _words(given), _words(registered)
    if not wanted:
        return NameCheck("mismatch")
    if _is_same(wanted, known):
        return NameCheck("match")
    if _is_close(wanted, known, is_organisation=is_organisation):
        return NameCheck("close", registered if is_organisation else masked(registered))
    return NameCheck("mismatch")


def masked(name: str) -> str:
    """Return a person's name with the given names cut to initials: "A. de Vries"."""
    words = name.split()
    at = next(
        (index for index, word in enumerate(words[1:], 1) if word[:1].islower()), len(words) - 1
    )
    initials = " ".join(f"{word[0]}." for word in words[:at])
    return f"{initials} {' '.join(words[at:])}".strip()


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name.replace(".", "").replace("'", "")).casefold()
    letters = "".join(each for each in plain if not unicodedata.combining(each))
    return [word for word in _NOT_LETTERS.split(letters) if word and word not in _PASSED_OVER]


def _is_same(wanted: list[str], known: list[str]) -> bool:
    # The order of the words is not held against anybody.
    return sorted(wanted) == sorted(known)


def _is_close(wanted: list[str], known: list[str], *, is_organisation: bool) -> bool:
    if not is_organisation and _agree_by_initials(wanted, known):
        return True
    left, right = " ".join(sorted(wanted)), " ".join(sorted(known))
    if fuzz.ratio(left, right) < CLOSE_RATIO_MIN:
        return False
    # Every word must find one that is nearly it: "Anna de Vries" is not close to "Hans de Vries".
    return all(any(_nearly(word, other) for other in known) for word in wanted)


def _agree_by_initials(wanted: list[str], known: list[str]) -> bool:
    """Return whether the last names are (nearly) equal and the given names agree as initials."""
    if len(wanted) < 2 or len(known) < 2 or not _nearly(wanted[-1], known[-1]):
        return False
    given, registered = wanted[:-1], known[:-1]
    pairs = zip(given, registered, strict=False)
    return all(
        one[0] == other[0] and (len(one) == 1 or len(other) == 1 or _nearly(one, other))
        for one, other in pairs
    )


def _nearly(one: str, other: str) -> bool:
    shorter = min(len(one), len(other))
    if shorter < 3 or (shorter == 3 and one[0] != other[0]):
        return one == other
    allowed = 1 + (shorter > 8)
    return DamerauLevenshtein.distance(one, other, score_cutoff=allowed) <= allowed
