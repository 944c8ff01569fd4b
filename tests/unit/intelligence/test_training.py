"""Training: from our own sentences alone, and with public data where it is at hand."""

import json
import os
import statistics
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from intelligence.artefact_files import SHIPPED, load
from intelligence.capabilities.intent.build import build, measure
from intelligence.capabilities.intent.evaluation import (
    Judged,
    accuracy,
    bar_for_precision,
    calibration_error,
)
from intelligence.capabilities.intent.labels import LEARNED, load_mapping
from intelligence.capabilities.intent.model import IntentModel
from intelligence.capabilities.intent.sources import own_sentences, public_sentences
from tests.unit.intelligence.shipped import meaning_of, model

DATA = Path(os.environ.get("FRONTLINE_DATA", Path(__file__).parents[4] / "shared" / "data"))
needs_data = pytest.mark.skipif(
    not (DATA / "banking77" / "train.csv").exists(), reason=f"no banking77 under {DATA}"
)


def test_our_own_sentences_cover_every_intent_in_dozens_and_repeat_for_a_seed():
    made = own_sentences(seed=3)

    groups = {intent: {s.group for s in made if s.label == f"own.{intent}"} for intent in LEARNED}
    assert (
        min(len(groups[intent]) for intent in LEARNED if intent not in {"confirm", "cancel"}) > 50
    )
    assert min(len(found) for found in groups.values()) >= 20
    assert made == own_sentences(seed=3)
    assert made != own_sentences(seed=4)


def test_the_fallback_trains_from_our_own_sentences_and_serves_what_it_measured(tmp_path):
    said = []

    made = build(data=None, out=tmp_path, version="t1", seed=5, say=said.append)

    assert made.metrics["accuracy"] >= 0.85
    assert made.metrics["ece"] <= 0.08
    artefact = load(name=made.name, digest=made.digest, folder=tmp_path)
    served = IntentModel.from_artefact(artefact.card, artefact.arrays)
    assert served.score("please block my card").intent == "card_block"
    assert said[0].startswith(f"{len(own_sentences(seed=5))} sentences")


def test_the_command_reports_and_refuses(tmp_path, capsys):
    call_command("train", "intents", out=tmp_path, json=True)

    report = json.loads(capsys.readouterr().out)
    assert (tmp_path / f"{report['name']}.json").is_file()
    with pytest.raises(CommandError, match="banking77"):
        call_command("train", "intents", out=tmp_path, data=tmp_path / "none")
    with pytest.raises(CommandError, match="model-version"):
        call_command("train", "intents", out=SHIPPED)


@needs_data
def test_the_shipped_model_knows_public_sentences():
    mapping = load_mapping()
    sentences = public_sentences(data=DATA, mapping=mapping)[::40]

    figures = measure(model(), sentences, mapping)

    assert figures["accuracy"] >= 0.97
    assert figures["outside_not_acted_on"] >= 0.98


def test_the_shipped_card_says_what_was_measured_on_unseen_sentences():
    card = json.loads((SHIPPED / "intent.understand-1.json").read_text())

    assert card["metrics"]["accuracy"] >= 0.97
    assert card["metrics"]["ece"] <= 0.02
    assert card["metrics"]["banking77_accuracy"] >= 0.89
    assert sum(label.startswith("banking77.") for label in card["labels"]) == 77


def test_figures_are_what_they_say():
    judged = [Judged("a", "a", 0.9), Judged("a", "b", 0.6), Judged("b", "b", 0.8)]

    assert accuracy(judged) == pytest.approx(2 / 3)
    assert bar_for_precision(judged, 1.0) == (0.8, pytest.approx(2 / 3))
    assert calibration_error(judged) == pytest.approx((0.1 + 0.6 + 0.2) / 3)


def test_a_message_is_understood_within_a_few_milliseconds():
    meaning_of("pay Anna 250 euro for the rent")
    seconds = []
    for _ in range(60):
        started = time.perf_counter()
        meaning_of("pay Anna 250 euro for the rent")
        seconds.append(time.perf_counter() - started)

    assert statistics.median(seconds) < 0.01
