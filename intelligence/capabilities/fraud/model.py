"""Score a payment with an additive model: the score is the sum of its terms, nothing else."""

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from intelligence.capabilities.fraud.features import PaymentFeatures, numbers_of
from intelligence.capabilities.fraud.wording import words_for

FORMAT: Final = "additive-scorecard/1"
REASON_CONTRIBUTION_MIN: Final = 0.1
REASONS_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Term:
    """What one feature adds, in log-odds, for each interval between its edges."""

    feature: str
    edges: tuple[float, ...]
    scores: tuple[float, ...]

    def contribution_of(self, value: float) -> float:
        """Return what a value adds to the log-odds."""
        return self.scores[bisect_right(self.edges, value)]


@dataclass(frozen=True, slots=True)
class FraudReason:
    """Why a score is what it is: a stable code, what it adds in log-odds, and the words for it."""

    code: str
    contribution: float
    staff: str
    customer: str


@dataclass(frozen=True, slots=True)
class Scored:
    """A probability of fraud, its band, its reasons (strongest first) and every contribution."""

    value: float
    band: str
    reasons: tuple[FraudReason, ...]
    contributions: tuple[tuple[str, float], ...]
    baseline: float


@dataclass(frozen=True, slots=True)
class AdditiveModel:
    """An intercept and one term per feature."""

    intercept: float
    terms: tuple[Term, ...]
    medium_from: float
    high_from: float

    @classmethod
    def from_artefact(cls, card: Mapping[str, object], _arrays: Mapping[str, object]) -> Self:
        """Return the model of a checked artefact.

        Raises:
            ValueError: the artefact is of another format, or a term has a wrong number of scores.
        """
        terms, bands = card.get("terms"), card.get("bands")
        if (
            card.get("format") != FORMAT
            or not isinstance(terms, list)
            or not isinstance(bands, dict)
        ):
            msg = f"not a {FORMAT} artefact: {card.get('format')!r}"
            raise ValueError(msg)
        read = tuple(
            Term(str(t["feature"]), tuple(map(float, t["edges"])), tuple(map(float, t["scores"])))
            for t in terms
        )
        for term in read:
            if len(term.scores) != len(term.edges) + 1 or list(term.edges) != sorted(term.edges):
                msg = f"term {term.feature} does not fit together"
                raise ValueError(msg)
        intercept = float(str(card["intercept"]))
        return cls(intercept, read, float(bands["medium"]), float(bands["high"]))

    def score(self, features: PaymentFeatures) -> Scored:
        """Return the probability of fraud with exact contributions."""
        numbers = numbers_of(features)
        parts = tuple((t.feature, t.contribution_of(numbers[t.feature])) for t in self.terms)
        total = self.intercept + math.fsum(part for _, part in parts)
        value = 1.0 / (1.0 + math.exp(-total))
        raised = sorted(
            (pair for pair in parts if pair[1] >= REASON_CONTRIBUTION_MIN), key=lambda p: -p[1]
        )
        reasons = tuple(
            FraudReason(name, part, *words_for(name, numbers[name])) for name, part in raised
        )
        return Scored(value, self._band(value), reasons[:REASONS_MAX], parts, self.intercept)

    def _band(self, value: float) -> str:
        if value >= self.high_from:
            return "high"
        return "medium" if value >= self.medium_from else "low"
