"""Train, measure and write the intent model: the work behind `manage.py train intents`."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from intelligence import artefact_files
from intelligence.capabilities.intent.evaluation import (
    Judged,
    accuracy,
    bar_for_precision,
    calibration_error,
    recall_and_precision,
)
from intelligence.capabilities.intent.labels import LEARNED, Intent, LabelMapping, load_mapping
from intelligence.capabilities.intent.model import FORMAT, SIGNALS, IntentModel
from intelligence.capabilities.intent.sources import (
    OUT_OF_SCOPE,
    Sentence,
    own_sentences,
    public_sentences,
)
from intelligence.capabilities.intent.training import (
    Say,
    calibrate,
    fit,
    fold_of,
    judge_unseen,
    out_of_fold,
)

CAPABILITY: Final = "intent.understand"
HOLD_OUT_FOLDS: Final = 5
PROCEED_PRECISION: Final = 0.97
ASK_BAR: Final = 0.5
BANKING77: Final = "banking77."


@dataclass(frozen=True, slots=True)
class Trained:
    """What training made and measured."""

    name: str
    digest: str
    metrics: dict[str, float]


def _fine_accuracy(model: IntentModel, sentences: Sequence[Sentence], prefix: str) -> float:
    allowed = np.array([label.startswith(prefix) for label in model.labels])
    asked = [one for one in sentences if one.label.startswith(prefix)]
    right = 0
    for one in asked:
        scores = np.where(allowed, model.raw_scores(one.text), -np.inf)
        right += model.labels[int(np.argmax(scores))] == one.label
    return right / max(1, len(asked))


def measure(
    model: IntentModel, sentences: Sequence[Sentence], mapping: LabelMapping
) -> dict[str, float]:
    """Return the figures of a model on sentences it did not see."""
    judged: list[Judged] = []
    for one in sentences:
        score = model.score(one.text)
        judged.append(Judged(mapping.intent_of(one.label), score.intent, score.confidence))
    outside = [
        answer
        for one, answer in zip(sentences, judged, strict=True)
        if one.label == OUT_OF_SCOPE or answer.expected == Intent.OTHER
    ]
    bar = model.bars["proceed"]
    handled = [one for one in judged if one.predicted != Intent.OTHER]
    sure = [one for one in handled if one.confidence >= bar]
    metrics = {
        "sentences": float(len(judged)),
        "accuracy": accuracy(judged),
        "ece": calibration_error(judged),
        "coverage_at_97": bar_for_precision(judged, PROCEED_PRECISION)[1],
        "sure_precision": accuracy(sure),
        "sure_share_of_handled": len(sure) / max(1, len(handled)),
        "outside_not_acted_on": sum(
            one.predicted == Intent.OTHER or one.confidence < bar for one in outside
        )
        / max(1, len(outside)),
    }
    for intent in LEARNED:
        recall, precision = recall_and_precision(judged, intent)
        metrics[f"recall_{intent}"], metrics[f"precision_{intent}"] = recall, precision
    if any(one.label.startswith(BANKING77) for one in sentences):
        metrics["banking77_accuracy"] = _fine_accuracy(model, sentences, BANKING77)
        metrics["clinc150_accuracy"] = _fine_accuracy(model, sentences, "clinc150.")
    return metrics


def _bars(unseen: Sequence[Judged]) -> dict[str, float]:
    handled = [one for one in unseen if one.predicted != Intent.OTHER]
    bar, _ = bar_for_precision(handled, PROCEED_PRECISION)
    return {"proceed": max(ASK_BAR, bar), "ask": min(ASK_BAR, bar), "other": ASK_BAR}


def _card(model: IntentModel, version: str, facts: dict[str, object]) -> dict[str, object]:
    calibration = dict(zip(SIGNALS, model.calibration.weights, strict=True))
    calibration["temperature"] = model.calibration.temperature
    calibration["bias"] = model.calibration.bias
    by_position = sorted(model.vocabulary.words.items(), key=lambda pair: pair[1])
    letters = sorted(model.vocabulary.letters.items(), key=lambda pair: pair[1])
    return {
        "format": FORMAT,
        "capability": CAPABILITY,
        "version": version,
        "labels": list(model.labels),
        "intents": list(model.intents),
        "words": [name.removeprefix("w ") for name, _ in by_position],
        "letters": [name[1:] for name, _ in letters],
        "calibration": calibration,
        "bars": dict(model.bars),
        **facts,
    }


def _fingerprint(sentences: Sequence[Sentence]) -> str:
    lines = sorted(f"{one.label}\t{one.text}" for one in sentences)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _sentences(data: Path | None, mapping: LabelMapping, seed: int) -> list[Sentence]:
    own = own_sentences(seed=seed)
    return own if data is None else own + public_sentences(data=data, mapping=mapping)


def build(*, data: Path | None, out: Path, version: str, seed: int, say: Say) -> Trained:
    """Train on our seeds and public data, measure on a held-out fifth, write the artefact.

    The figures come from a model that saw four fifths; what is written saw everything, with the
    calibration of the measured one.

    Raises:
        FileNotFoundError: a path was given and holds no known data set.
    """
    mapping = load_mapping()
    sentences = _sentences(data, mapping, seed)
    held = [s for s in sentences if fold_of(s, seed=seed, folds=HOLD_OUT_FOLDS) == 0]
    rest = [s for s in sentences if fold_of(s, seed=seed, folds=HOLD_OUT_FOLDS) != 0]
    say(f"{len(sentences)} sentences, {len(held)} held out")
    unseen = out_of_fold(rest, mapping, seed=seed + 1, say=say)
    say("calibrate")
    calibration = calibrate(unseen)
    say("fit on four fifths and measure")
    bars = _bars(judge_unseen(unseen, calibration))
    measured = fit(rest, seed=seed).with_calibration(calibration, mapping, bars)
    metrics = measure(measured, held, mapping)
    say("fit on everything")
    final = fit(sentences, seed=seed).with_calibration(calibration, mapping, bars)
    facts: dict[str, object] = {
        "metrics": metrics,
        "seed": seed,
        "training_sentences": len(sentences),
        "training_sha256": _fingerprint(sentences),
        "sources": sorted({one.label.partition(".")[0] for one in sentences}),
    }
    name = f"{CAPABILITY}-{version}"
    arrays: artefact_files.Arrays = {
        "weights": final.weights,
        "scales": final.scales,
        "biases": final.biases,
        "idf": final.vocabulary.weights.astype(np.float16),
    }
    digest = artefact_files.save(
        name=name, card=_card(final, version, facts), arrays=arrays, folder=out
    )
    return Trained(name, digest, metrics)
