"""`manage.py screenshots`: the pictures of the README, taken of a bank that is running."""

import json
import shutil
from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.home import SOURCE
from deploy.pictures_of import take_pictures


class Command(BaseCommand):
    help = (
        "Walk the story in Chromium on the running bank and keep pictures of it. Payments are"
        " asked for in the sample bank; start it with `make run` first."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, default=SOURCE / "deploy" / "pictures")
        parser.add_argument("--chromium", default=shutil.which("chromium") or "")

    def handle(self, *_args: object, **options: str) -> None:
        if not options["chromium"]:
            raise CommandError("No Chromium was found; name one with --chromium.")
        note = Path(settings.FRONTLINE_HOME) / "up.json"
        if not note.exists():
            raise CommandError("No bank is running here; start one with `make run`.")
        take_pictures(
            url=json.loads(note.read_text(encoding="utf-8"))["url"],
            sign_in_file=Path(settings.SIGN_IN_FILE),
            folder=Path(options["out"]),
            chromium=options["chromium"],
            say=self.stdout.write,
        )
