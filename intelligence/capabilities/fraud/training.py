"""Fit the additive fraud model on invented payments: the work behind `manage.py train fraud`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from intelligence import artefact_files
from intelligence.capabilities.fraud.model import FORMAT
from intelligence.capabilities.fraud.simulation import Simulated, simulate

CAPABILITY: Final = "fraud.payments"
# Intervals are declared, not learnt, so that a reader can check them; -0.5 parts off "unknown".
EDGES: Final[dict[str, tuple[float, ...]]] = {
    "amount": (100.0, 500.0, 1_000.0, 2_500.0, 5_000.0),
    "amount_over_median": (-0.5, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0),
    "amount_over_p95": (-0.5, 0.25, 0.5, 1.0, 1.5, 2.5),
    "payee_age_days": (-0.5, 1.0, 7.0, 30.0, 180.0),
    "is_new_payee": (0.5,),
    "is_payee_iban_changed": (0.5,),
    "is_new_country": (0.5,),
    "is_iban_from_document": (0.5,),
    "hour": (6.0, 9.0, 18.0, 22.0),
    "payments_last_day": (4.0, 7.0),
    "sum_last_day_over_median": (-0.5, 1.0, 5.0, 15.0),
    "is_round_amount": (0.5,),
    "account_age_days": (-0.5, 30.0, 180.0, 720.0),
}
PAYMENTS: Final = 200_000
BANDS: Final = {"medium": 0.03, "high": 0.3}
_QUANTILES: Final = 20

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TrainedFraud:
    """What training made and measured."""

    name: str
    digest: str
    metrics: dict[str, float]


def _bins(names: tuple[str, ...], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one column per interval of each feature, one where the value falls into it."""
    columns = []
    for position, name in enumerate(names):
        edges = EDGES[name]
        index = np.searchsorted(edges, rows[:, position], side="right")
        columns.append(np.eye(len(edges) + 1)[index])
    return np.hstack(columns)


def _terms(
    names: tuple[str, ...], weights: NDArray[np.float64], shares: NDArray[np.float64]
) -> tuple[list[dict[str, object]], float]:
    """Return the terms centred on the average payment, and what centring moved to the intercept."""
    terms: list[dict[str, object]] = []
    position, moved = 0, 0.0
    for name in names:
        size = len(EDGES[name]) + 1
        part, share = weights[position : position + size], shares[position : position + size]
        centre = float(part @ share)
        scores = [round(float(score - centre), 6) for score in part]
        terms.append({"feature": name, "edges": list(EDGES[name]), "scores": scores})
        position, moved = position + size, moved + centre
    return terms, moved


def _calibration_error(truth: NDArray[np.bool_], value: NDArray[np.float64]) -> float:
    order = np.argsort(value)
    parts = np.array_split(order, _QUANTILES)
    return float(sum(len(p) * abs(truth[p].mean() - value[p].mean()) for p in parts) / len(order))


def _measure(data: Simulated, value: NDArray[np.float64]) -> dict[str, float]:
    honest, fraud = value[~data.is_fraud], value[data.is_fraud]
    return {
        "auc": float(roc_auc_score(data.is_fraud, value)),
        "ece_20_quantiles": _calibration_error(data.is_fraud, value),
        "recall_medium_or_high": float((fraud >= BANDS["medium"]).mean()),
        "recall_high": float((fraud >= BANDS["high"]).mean()),
        "honest_medium_or_high": float((honest >= BANDS["medium"]).mean()),
        "honest_high": float((honest >= BANDS["high"]).mean()),
    }


def build_fraud(*, out: Path, version: str, seed: int, say: Say) -> TrainedFraud:
    """Simulate, fit, measure on another simulation and write the artefact."""
    say(f"simulate {PAYMENTS} payments")
    data = simulate(payments=PAYMENTS, seed=seed)
    columns = _bins(data.names, data.rows)
    say("fit")
    classifier = LogisticRegression(C=0.5, max_iter=1_000).fit(columns, data.is_fraud)
    terms, moved = _terms(data.names, classifier.coef_[0], columns.mean(axis=0))
    say("measure on payments of another seed")
    fresh = simulate(payments=PAYMENTS // 2, seed=seed + 1)
    value = classifier.predict_proba(_bins(fresh.names, fresh.rows))[:, 1]
    metrics = _measure(fresh, value)
    card = {
        "format": FORMAT,
        "capability": CAPABILITY,
        "version": version,
        "intercept": round(float(classifier.intercept_[0]) + moved, 6),
        "terms": terms,
        "bands": BANDS,
        "metrics": metrics,
        "seed": seed,
        "is_synthetic": True,
        "sources": ["simulation"],
    }
    name = f"{CAPABILITY}-{version}"
    digest = artefact_files.save(name=name, card=card, arrays={}, folder=out)
    return TrainedFraud(name, digest, metrics)
