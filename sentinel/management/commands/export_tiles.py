"""`manage.py export_tiles`: the log as a folder of static files (C2SP tlog-tiles)."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentinel.entities import legal_entity
from sentinel.log.sequencer import run_sequencer_once
from sentinel.log.tile_export import ExportRefused, export_tiles
from sentinel.management.log_choice import chosen_entity


class Command(BaseCommand):
    help = (
        "Write the log's checkpoint, tiles and entries to a folder that any web server can serve."
        " A second run adds what is new and rewrites nothing but the checkpoint."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--entity", help="the legal entity (default: the first with a log)")
        parser.add_argument("--out", type=Path, required=True, help="the folder")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401
        while run_sequencer_once():
            pass
        out: Path = options["out"]
        try:
            with legal_entity(entity=chosen_entity(options["entity"])):
                exported = export_tiles(folder=out)
        except ExportRefused as error:
            raise CommandError(f"Nothing was written: {error.reason}.") from error
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error}") from error
        self.stdout.write(f"{out}: {exported.written} new tiles, {exported.size} entries")
