"""Screens one name against every list in force: clear, possible, or hit."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Literal

from grand_central.screening.index import Candidate, ListedName, NameIndex
from grand_central.screening.lists import listed_names
from grand_central.screening.normal import plain_name, sorted_words
from grand_central.screening.store import ScreeningList, lines_of, lists_in_force

HIT_PERMILLE = 950
POSSIBLE_PERMILLE = 850
# One word alone is shared by too many people to be more than possible.
_WORDS_FOR_HIT = 2
INDEXES_MAX = 4
_building = Lock()
_indexes: dict[tuple[tuple[str, str], ...], NameIndex] = {}

ScreeningStatus = Literal["clear", "possible", "hit"]


class NoListLoaded(Exception):
    """No sanctions list is in force, so that nobody can be screened."""

    code = "no_screening_list"
    is_retryable = False


@dataclass(frozen=True, slots=True)
class ScreeningCandidate:
    """A listed name near the one that was screened, and why it was noticed."""

    list_name: str
    entry_id: str
    name: str
    programme: str
    score_permille: int
    reason: str


@dataclass(frozen=True, slots=True)
class Screening:
    """What screening a name found; `loaded_at` is of the oldest list in force.

    `payee_hash` binds the result to the name that was screened, `reference` to the very lists.
    """

    status: ScreeningStatus
    list_name: str
    list_version: str
    loaded_at: datetime
    candidates: tuple[ScreeningCandidate, ...]
    payee_hash: str
    reference: str


def screen(*, name: str, country: str, at: datetime) -> Screening:
    """Return whether a name is near one on the lists in force.

    Raises:
        NoListLoaded: there is nothing to screen against.
    """
    lists = lists_in_force()
    if not lists:
        raise NoListLoaded
    near = tuple(
        each for each in _index(lists).nearest(name) if each.score_permille >= POSSIBLE_PERMILLE
    )
    plain = plain_name(name)
    payee_hash = hashlib.sha256(f"screened/v1|{sorted_words(plain)}|{country}".encode()).hexdigest()
    digest = hashlib.sha256("|".join(each.digest for each in lists).encode()).hexdigest()
    return Screening(
        status=_status(plain, near),
        list_name=", ".join(each.name for each in lists),
        list_version=", ".join(each.version for each in lists),
        loaded_at=min(each.loaded_at for each in lists),
        candidates=tuple(_explained(each) for each in near),
        payee_hash=payee_hash,
        reference=f"screening:{digest[:16]}:{payee_hash[:16]}:{at:%Y%m%dT%H%M%SZ}",
    )


def _status(plain: str, near: tuple[Candidate, ...]) -> ScreeningStatus:
    if not plain:
        # Nothing of the name can be compared: a person must look.
        return "possible"
    if not near:
        return "clear"
    is_hit = near[0].score_permille >= HIT_PERMILLE and len(plain.split()) >= _WORDS_FOR_HIT
    return "hit" if is_hit else "possible"


def _explained(candidate: Candidate) -> ScreeningCandidate:
    listed, score = candidate.listed, candidate.score_permille
    kind = "an alias" if listed.is_alias else "the name"
    how = "is" if score == 1000 else f"is {score / 10:.0f}% like"
    return ScreeningCandidate(
        list_name=listed.list_name,
        entry_id=listed.entry_id,
        name=listed.name,
        programme=listed.programme,
        score_permille=score,
        reason=f"The name {how} {kind} of entry {listed.entry_id} on {listed.list_name}.",
    )


def _index(lists: tuple[ScreeningList, ...]) -> NameIndex:
    """Return the index over these lists; legal entities with the same lists share it."""
    key = tuple((each.name, each.digest) for each in lists)
    with _building:
        index = _indexes.get(key)
        if index is None:
            listed: list[ListedName] = []
            for each in lists:
                listed.extend(listed_names(each.name, lines_of(each.id)))
            while len(_indexes) >= INDEXES_MAX:
                del _indexes[next(iter(_indexes))]
            index = _indexes[key] = NameIndex(listed)
    return index
