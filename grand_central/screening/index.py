"""Finds the listed names nearest to one name: words and trigrams block, string distance ranks."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import JaroWinkler

from grand_central.screening.normal import plain_name, sorted_words

CANDIDATES_MAX = 100
RERANKED_MAX = 12
# A word or trigram in more of the names than this tells nothing and costs the most.
COMMON_SHARE_MAX = 0.06
_TOGETHER_WEIGHT = 0.97


@dataclass(frozen=True, slots=True)
class ListedName:
    """One name of an entry of a list; an entry may have many."""

    list_name: str
    entry_id: str
    name: str
    is_alias: bool
    programme: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A listed name and how near it is, 0 to 1000."""

    listed: ListedName
    score_permille: int


class NameIndex:
    """All names of the lists in force, in memory, ready to be searched."""

    def __init__(self, listed: Sequence[ListedName]) -> None:
        pairs = [(plain_name(each.name), each) for each in listed]
        pairs = [pair for pair in pairs if pair[0]]
        self._listed = [each for _, each in pairs]
        self._plain = [plain for plain, _ in pairs]
        self._sorted = [sorted_words(plain) for plain in self._plain]
        self._postings, self._weights = _postings(self._plain)
        self._norms = np.zeros(len(pairs), dtype=np.float32)
        for gram, numbers in self._postings.items():
            self._norms[numbers] += self._weights[gram]

    def __len__(self) -> int:
        return len(self._listed)

    def nearest(self, name: str, *, limit: int = 5) -> tuple[Candidate, ...]:
        """Return the listed names nearest to a name, the nearest first."""
        plain = plain_name(name)
        if not plain or not self._listed:
            return ()
        numbers = self._candidates(plain)
        ordered = sorted_words(plain)
        ratios = process.cdist(
            [ordered], [self._sorted[number] for number in numbers], scorer=fuzz.ratio
        )[0]
        best = np.argsort(-ratios)[:RERANKED_MAX]
        # What shares most words and trigrams is looked at too, however the letters compare.
        chosen = {
            numbers[at]: float(ratios[at]) / 100 for at in (*best, *range(min(6, len(numbers))))
        }
        scored = [
            Candidate(self._listed[number], round(1000 * self._score(plain, number, ratio)))
            for number, ratio in chosen.items()
        ]
        return tuple(sorted(scored, key=lambda each: -each.score_permille)[:limit])

    def _candidates(self, plain: str) -> list[int]:
        """Return the numbers of the names that share most with this one, by weight."""
        shared = np.zeros(len(self._listed), dtype=np.float32)
        total = 0.0
        for gram in _grams(plain):
            numbers = self._postings.get(gram)
            weight = self._weights.get(gram, math.log(1 + len(self._listed)))
            total += weight
            if numbers is not None:
                shared[numbers] += weight
        likeness = shared / np.sqrt(self._norms * total + 1e-6)
        count = min(CANDIDATES_MAX, len(self._listed))
        top = np.argpartition(-likeness, count - 1)[:count]
        return [int(number) for number in top[np.argsort(-likeness[top])]]

    def _score(self, plain: str, number: int, ratio: float) -> float:
        other = self._plain[number]
        together = fuzz.ratio(plain.replace(" ", ""), other.replace(" ", "")) / 100
        return max(ratio, _aligned(plain.split(), other.split()), _TOGETHER_WEIGHT * together)


def _postings(names: Sequence[str]) -> tuple[dict[str, NDArray[np.int32]], dict[str, float]]:
    found: dict[str, list[int]] = defaultdict(list)
    for number, name in enumerate(names):
        for gram in _grams(name):
            found[gram].append(number)
    count, common = len(names), max(50, int(len(names) * COMMON_SHARE_MAX))
    postings = {
        gram: np.array(numbers, dtype=np.int32)
        for gram, numbers in found.items()
        if len(numbers) <= common
    }
    # What is left out of the postings weighs nothing on either side.
    weights = {
        gram: math.log(1 + count / len(numbers)) if gram in postings else 0.0
        for gram, numbers in found.items()
    }
    return postings, weights


def _grams(plain: str) -> set[str]:
    grams: set[str] = set()
    for word in plain.split():
        grams.add("=" + word)
        padded = f"_{word}_"
        grams.update(padded[at : at + 3] for at in range(len(padded) - 2))
    return grams


def _aligned(words: list[str], others: list[str]) -> float:
    """Return how much of both names is words that pair up, weighted by their length."""
    pairs = sorted(
        (
            (_word_likeness(one, other), at, to)
            for at, one in enumerate(words)
            for to, other in enumerate(others)
        ),
        reverse=True,
    )
    used_here: set[int] = set()
    used_there: set[int] = set()
    weight = 0.0
    for likeness, at, to in pairs:
        if likeness < 0.8:
            break
        if at in used_here or to in used_there:
            continue
        used_here.add(at)
        used_there.add(to)
        weight += (likeness - 0.6) / 0.4 * (len(words[at]) + len(others[to]))
    return weight / (sum(map(len, words)) + sum(map(len, others)))


def _word_likeness(one: str, other: str) -> float:
    # Short words are alike by accident; they count when they are the same.
    if min(len(one), len(other)) <= 3:
        return 1.0 if one == other else 0.0
    return JaroWinkler.normalized_similarity(one, other)
