"""`manage.py train intents|fraud`: train a model, say what was measured, write its artefact."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from intelligence import artefact_files
from intelligence.capabilities.fraud.training import build_fraud
from intelligence.capabilities.intent.build import build

SEED: Final = 20_261_121


class Command(BaseCommand):
    help = "Train a model, measure it on data it did not see, and write a small safe artefact."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", choices=["intents", "fraud"])
        parser.add_argument("--data", type=Path, help="folder with banking77/ and clinc150/")
        parser.add_argument("--out", type=Path, help="folder to write to (default: models at home)")
        parser.add_argument("--model-version", default="", help="the new version, such as 2")
        parser.add_argument("--seed", type=int, default=SEED)
        parser.add_argument("--json", action="store_true", help="print the figures as JSON")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's own signature
        """Train what is asked for and report.

        Raises:
            CommandError: the data folder holds no data set, or the output is the shipped folder.
        """
        out: Path = options["out"] or Path(settings.FRONTLINE_HOME) / "models"
        if out.resolve() == artefact_files.SHIPPED.resolve() and not options["model_version"]:
            raise CommandError("Name a --model-version to write beside the shipped models.")
        say = self.stderr.write
        if options["model"] == "fraud":
            version = options["model_version"] or "local-1"
            fraud = build_fraud(out=out, version=version, seed=options["seed"], say=say)
            self._report(fraud.name, fraud.digest, fraud.metrics, options, out)
            return
        data: Path | None = options["data"]
        version = options["model_version"] or ("local-1" if data else "seeds-local-1")
        if data is None:
            say("No --data: training on our own seed sentences alone.")
        try:
            made = build(data=data, out=out, version=version, seed=options["seed"], say=say)
        except FileNotFoundError as error:
            raise CommandError(f"No banking77/ or clinc150/ found in {error}") from error
        self._report(made.name, made.digest, made.metrics, options, out)

    def _report(
        self, name: str, digest: str, metrics: dict[str, float], options: dict[str, Any], out: Path
    ) -> None:
        if options["json"]:
            self.stdout.write(json.dumps({"name": name, "digest": digest, "metrics": metrics}))
            return
        for key, value in metrics.items():
            self.stdout.write(f"{key:32} {value:.4f}")
        self.stdout.write(f"Written: {out / name}.json, sha256 {digest}")
