"""Score a message with a shipped intent artefact: numpy only, no training library."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from intelligence.capabilities.intent.features import counts_of, normalise, tokens_of

FORMAT: Final = "linear-intent/1"
ALTERNATIVES_MAX: Final = 3
SIGNALS: Final = ("log_probability", "margin", "best_score", "energy", "known_share", "length")

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class IntentScore:
    """What a model makes of one message; `topic` is the finest label it knows for it."""

    intent: str
    confidence: float
    alternatives: tuple[tuple[str, float], ...]
    topic: str
    topic_confidence: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How raw scores become the probability that the chosen intent is right."""

    temperature: float
    weights: tuple[float, ...]
    bias: float

    def confidence_of(self, signals: Sequence[float]) -> float:
        """Return the probability, between 0 and 1, that the best intent is the meant one."""
        total = self.bias + sum(w * s for w, s in zip(self.weights, signals, strict=True))
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, total))))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The features a model knows, their positions and inverse document frequencies."""

    words: Mapping[str, int]
    letters: Mapping[str, int]
    weights: FloatArray

    def vector_of(self, text: str) -> tuple[NDArray[np.int64], FloatArray]:
        """Return positions and values of a text's known features, each block of length one."""
        word_counts, letter_counts = counts_of(text)
        words = self._block(word_counts, self.words)
        letters = self._block(letter_counts, self.letters)
        return np.concatenate((words[0], letters[0])), np.concatenate((words[1], letters[1]))

    def _block(
        self, counts: Counter[str], known: Mapping[str, int]
    ) -> tuple[NDArray[np.int64], FloatArray]:
        found = [(known[name], n) for name, n in counts.items() if name in known]
        positions = np.array([position for position, _ in found], dtype=np.int64)
        heights = np.array([1.0 + math.log(n) for _, n in found], dtype=np.float32)
        values = heights * self.weights[positions]
        norm = float(np.sqrt(np.dot(values, values)))
        return positions, values / np.float32(norm or 1.0)

    def known_share(self, text: str) -> float:
        """Return the share of words of a text that the model has seen, 0 to 1."""
        words = tokens_of(normalise(text))
        return sum(f"w {word}" in self.words for word in words) / max(1, len(words))


@dataclass(frozen=True, slots=True)
class IntentModel:
    """A linear model over fine labels whose probabilities add up to the bank's intents."""

    vocabulary: Vocabulary
    labels: tuple[str, ...]
    intents: tuple[str, ...]
    weights: NDArray[np.int8]
    scales: FloatArray
    biases: FloatArray
    calibration: Calibration
    bars: Mapping[str, float]

    @classmethod
    def from_artefact(cls, card: Mapping[str, object], arrays: Mapping[str, FloatArray]) -> Self:
        """Return the model of a checked artefact.

        Raises:
            ValueError: the artefact is of another format, or its parts do not fit together.
        """
        if card.get("format") != FORMAT:
            msg = f"not a {FORMAT} artefact: {card.get('format')!r}"
            raise ValueError(msg)
        words, letters = _strings(card, "words"), _strings(card, "letters")
        labels, intents = _strings(card, "labels"), _strings(card, "intents")
        weights = np.asarray(arrays["weights"], dtype=np.int8)
        if weights.shape != (len(words) + len(letters), len(labels)) or len(labels) != len(intents):
            msg = f"artefact parts disagree: {weights.shape}, {len(labels)} labels"
            raise ValueError(msg)
        vocabulary = Vocabulary(
            {f"w {word}": position for position, word in enumerate(words)},
            {f"c{group}": len(words) + position for position, group in enumerate(letters)},
            arrays["idf"].astype(np.float32),
        )
        return cls(
            vocabulary=vocabulary,
            labels=labels,
            intents=intents,
            weights=weights,
            scales=arrays["scales"].astype(np.float32),
            biases=arrays["biases"].astype(np.float32),
            calibration=_calibration(card),
            bars=_numbers(card, "bars"),
        )

    def raw_scores(self, text: str) -> FloatArray:
        """Return the uncalibrated score of each fine label."""
        positions, values = self.vocabulary.vector_of(text)
        scores: FloatArray = values @ self.weights[positions].astype(np.float32)
        return scores * self.scales + self.biases

    def score(self, text: str) -> IntentScore:
        """Return the likeliest intent of a message with a calibrated confidence."""
        raw = self.raw_scores(text)
        return self.read_scores(raw, self.vocabulary.known_share(text), len(text))

    def read_scores(self, raw: FloatArray, known_share: float, characters: int) -> IntentScore:
        """Return what the raw scores of a message mean."""
        probabilities = softmax(raw, self.calibration.temperature)
        by_intent = sum_by_intent(probabilities, self.intents)
        signals = signals_of(raw, by_intent, known_share, characters)
        ranked = sorted(by_intent.items(), key=lambda pair: (-pair[1], pair[0]))
        intent, best = ranked[0]
        confidence = self.calibration.confidence_of(signals)
        rest = (1.0 - confidence) / max(1e-9, 1.0 - best)
        others = tuple((name, p * rest) for name, p in ranked[1 : 1 + ALTERNATIVES_MAX])
        topic = int(np.argmax(probabilities))
        return IntentScore(
            intent, confidence, others, self.labels[topic], float(probabilities[topic])
        )


def softmax(raw: FloatArray, temperature: float) -> FloatArray:
    """Return the probabilities of raw scores at a temperature."""
    shifted = np.exp((raw - raw.max()) / np.float32(temperature))
    probabilities: FloatArray = shifted / shifted.sum()
    return probabilities


def sum_by_intent(probabilities: FloatArray, intents: Sequence[str]) -> dict[str, float]:
    """Return the probability of each intent: the sum over its fine labels."""
    totals: dict[str, float] = {}
    for intent, probability in zip(intents, probabilities.tolist(), strict=True):
        totals[intent] = totals.get(intent, 0.0) + probability
    return totals


def signals_of(
    raw: FloatArray, by_intent: Mapping[str, float], known_share: float, characters: int
) -> tuple[float, ...]:
    """Return the signals, in the order of `SIGNALS`, from which confidence is judged."""
    ranked = sorted(by_intent.values(), reverse=True)
    runner_up = ranked[1] if len(ranked) > 1 else 0.0
    highest = float(raw.max())
    energy = highest + math.log(float(np.exp(raw - highest).sum()))
    return (
        math.log(max(ranked[0], 1e-9)),
        ranked[0] - runner_up,
        highest,
        energy,
        known_share,
        math.log1p(characters),
    )


def _strings(card: Mapping[str, object], name: str) -> tuple[str, ...]:
    values = card[name]
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        msg = f"{name} must be a list of strings"
        raise ValueError(msg)
    return tuple(values)


def _numbers(card: Mapping[str, object], name: str) -> dict[str, float]:
    values = card[name]
    if not isinstance(values, dict):
        msg = f"{name} must be an object of numbers"
        raise ValueError(msg)
    return {str(key): float(value) for key, value in values.items()}


def _calibration(card: Mapping[str, object]) -> Calibration:
    values = _numbers(card, "calibration")
    weights = tuple(values[name] for name in SIGNALS)
    return Calibration(values["temperature"], weights, values["bias"])
