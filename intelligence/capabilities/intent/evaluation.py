"""Measure an intent model: accuracy, calibration error, coverage at a precision."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BINS: Final = 15


@dataclass(frozen=True, slots=True)
class Judged:
    """One prediction beside the truth."""

    expected: str
    predicted: str
    confidence: float

    @property
    def is_right(self) -> bool:
        """Say whether the prediction is the truth."""
        return self.expected == self.predicted


def accuracy(judged: Sequence[Judged]) -> float:
    """Return the share of right predictions, 0 to 1."""
    return sum(one.is_right for one in judged) / max(1, len(judged))


def calibration_error(judged: Sequence[Judged]) -> float:
    """Return the expected calibration error over equal-width bins, 0 to 1."""
    bins: list[list[Judged]] = [[] for _ in range(BINS)]
    for one in judged:
        bins[min(BINS - 1, int(one.confidence * BINS))].append(one)
    total = 0.0
    for inside in filter(None, bins):
        confidence = sum(one.confidence for one in inside) / len(inside)
        total += len(inside) * abs(accuracy(inside) - confidence)
    return total / max(1, len(judged))


def bar_for_precision(judged: Sequence[Judged], precision: float) -> tuple[float, float]:
    """Return the lowest confidence above which predictions reach a precision, and their share."""
    ranked = sorted(judged, key=lambda one: -one.confidence)
    bar, coverage, right = 1.0, 0.0, 0
    for count, one in enumerate(ranked, start=1):
        right += one.is_right
        if right / count >= precision:
            bar, coverage = one.confidence, count / len(ranked)
    return bar, coverage


def recall_and_precision(judged: Sequence[Judged], intent: str) -> tuple[float, float]:
    """Return how many messages of an intent are found, and how many found ones are right."""
    right = sum(one.is_right for one in judged if one.expected == intent)
    expected = sum(one.expected == intent for one in judged)
    predicted = sum(one.predicted == intent for one in judged)
    return right / max(1, expected), right / max(1, predicted)
