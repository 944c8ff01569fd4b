"""Fit the intent model: features, one linear score per fine label, calibration on unseen folds."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from intelligence.capabilities.intent.evaluation import Judged
from intelligence.capabilities.intent.features import counts_of
from intelligence.capabilities.intent.labels import LabelMapping
from intelligence.capabilities.intent.model import (
    SIGNALS,
    Calibration,
    IntentModel,
    Vocabulary,
    signals_of,
    softmax,
    sum_by_intent,
)
from intelligence.capabilities.intent.sources import Sentence, texts_and_labels

WORD_DOCUMENTS_MIN: Final = 3
LETTER_DOCUMENTS_MIN: Final = 5
WORDS_MAX: Final = 8_000
LETTERS_MAX: Final = 16_000
SOFTNESS: Final = 0.5
FOLDS: Final = 3
LEVELS: Final = 127

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A linear model before calibration."""

    vocabulary: Vocabulary
    labels: tuple[str, ...]
    weights: NDArray[np.int8]
    scales: NDArray[np.float32]
    biases: NDArray[np.float32]

    def with_calibration(
        self, calibration: Calibration, mapping: LabelMapping, bars: dict[str, float]
    ) -> IntentModel:
        """Return the model that serves."""
        return IntentModel(
            vocabulary=self.vocabulary,
            labels=self.labels,
            intents=tuple(mapping.intents_of(self.labels)),
            weights=self.weights,
            scales=self.scales,
            biases=self.biases,
            calibration=calibration,
            bars=bars,
        )


@dataclass(frozen=True, slots=True)
class Unseen:
    """What a model that did not see a sentence made of it."""

    raw: NDArray[np.float32]
    known_share: float
    characters: int
    intents: tuple[str, ...]
    expected: str


def fold_of(sentence: Sentence, *, seed: int, folds: int) -> int:
    """Return the fold of a sentence; sentences made from one seed always share theirs."""
    digest = hashlib.sha256(f"{seed}|{sentence.group}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % folds


def _documents(counted: Sequence[Counter[str]], at_least: int, at_most: int) -> dict[str, int]:
    frequencies: Counter[str] = Counter()
    for counts in counted:
        frequencies.update(counts.keys())
    kept = [(name, n) for name, n in frequencies.items() if n >= at_least]
    return dict(sorted(kept, key=lambda pair: (-pair[1], pair[0]))[:at_most])


def _vocabulary(texts: Sequence[str]) -> Vocabulary:
    counted = [counts_of(text) for text in texts]
    words = _documents([w for w, _ in counted], WORD_DOCUMENTS_MIN, WORDS_MAX)
    letters = _documents([c for _, c in counted], LETTER_DOCUMENTS_MIN, LETTERS_MAX)
    frequencies = np.array([*words.values(), *letters.values()], dtype=np.float64)
    idf = (np.log((1 + len(texts)) / (1 + frequencies)) + 1).astype(np.float32)
    return Vocabulary(
        {name: position for position, name in enumerate(words)},
        {name: len(words) + position for position, name in enumerate(letters)},
        idf,
    )


def _matrix(vocabulary: Vocabulary, texts: Sequence[str]) -> sparse.csr_matrix:
    vectors = [vocabulary.vector_of(text) for text in texts]
    ends = np.cumsum([0, *(len(positions) for positions, _ in vectors)])
    columns = np.concatenate([positions for positions, _ in vectors])
    values = np.concatenate([heights for _, heights in vectors])
    return sparse.csr_matrix((values, columns, ends), shape=(len(texts), len(vocabulary.weights)))


def fit(sentences: Sequence[Sentence], *, seed: int) -> Fitted:
    """Return a linear model over the fine labels with weights of eight bits."""
    texts, labels = texts_and_labels(sentences)
    vocabulary = _vocabulary(texts)
    classifier = LinearSVC(C=SOFTNESS, random_state=seed, max_iter=3_000)
    classifier.fit(_matrix(vocabulary, texts), np.array(labels))
    steps = np.abs(classifier.coef_).max(axis=1, keepdims=True) / LEVELS
    quantised = np.round(classifier.coef_ / np.maximum(steps, 1e-12)).astype(np.int8)
    return Fitted(
        vocabulary=vocabulary,
        labels=tuple(str(label) for label in classifier.classes_),
        weights=np.ascontiguousarray(quantised.T),
        scales=steps[:, 0].astype(np.float32),
        biases=classifier.intercept_.astype(np.float32),
    )


def look_at(fitted: Fitted, sentences: Sequence[Sentence], mapping: LabelMapping) -> list[Unseen]:
    """Return the raw scores of a fitted model for sentences it did not see."""
    texts, labels = texts_and_labels(sentences)
    scores = _matrix(fitted.vocabulary, texts) @ fitted.weights.astype(np.float32)
    scores = (scores * fitted.scales + fitted.biases).astype(np.float32)
    intents = tuple(mapping.intents_of(fitted.labels))
    return [
        Unseen(
            row, fitted.vocabulary.known_share(text), len(text), intents, mapping.intent_of(label)
        )
        for row, text, label in zip(scores, texts, labels, strict=True)
    ]


def out_of_fold(
    sentences: Sequence[Sentence], mapping: LabelMapping, *, seed: int, say: Say
) -> list[Unseen]:
    """Return the scores each sentence got from a model that saw none of its fold."""
    seen: list[Unseen] = []
    for fold in range(FOLDS):
        inside = [s for s in sentences if fold_of(s, seed=seed, folds=FOLDS) == fold]
        outside = [s for s in sentences if fold_of(s, seed=seed, folds=FOLDS) != fold]
        say(f"fold {fold + 1} of {FOLDS}: fit on {len(outside)}, look at {len(inside)} sentences")
        seen += look_at(fit(outside, seed=seed), inside, mapping)
    return seen


def _temperature(unseen: Sequence[Unseen]) -> float:
    def loss(log_temperature: float) -> float:
        temperature = float(np.exp(log_temperature))
        total = 0.0
        for one in unseen:
            by_intent = sum_by_intent(softmax(one.raw, temperature), one.intents)
            total -= float(np.log(max(by_intent.get(one.expected, 0.0), 1e-9)))
        return total

    found = minimize_scalar(loss, bounds=(-4.0, 1.0), method="bounded", options={"xatol": 0.02})
    return float(np.exp(found.x))


def _look(one: Unseen, temperature: float) -> tuple[str, tuple[float, ...]]:
    by_intent = sum_by_intent(softmax(one.raw, temperature), one.intents)
    best = min(by_intent, key=lambda name: (-by_intent[name], name))
    return best, signals_of(one.raw, by_intent, one.known_share, one.characters)


def judge_unseen(unseen: Sequence[Unseen], calibration: Calibration) -> list[Judged]:
    """Return the calibrated prediction for each unseen sentence beside the truth."""
    judged = []
    for one in unseen:
        best, signals = _look(one, calibration.temperature)
        judged.append(Judged(one.expected, best, calibration.confidence_of(signals)))
    return judged


def calibrate(unseen: Sequence[Unseen]) -> Calibration:
    """Return the temperature and the judge of confidence fitted on scores of unseen sentences."""
    temperature = _temperature(unseen[:: max(1, len(unseen) // 4_000)])
    looked = [_look(one, temperature) for one in unseen]
    signals = [one_signals for _, one_signals in looked]
    right = [best == one.expected for (best, _), one in zip(looked, unseen, strict=True)]
    judge = LogisticRegression(C=10.0, max_iter=2_000).fit(np.array(signals), np.array(right))
    weights = tuple(float(weight) for weight in judge.coef_[0])
    assert len(weights) == len(SIGNALS)
    return Calibration(temperature, weights, float(judge.intercept_[0]))
