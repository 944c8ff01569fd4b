"""`manage.py checkpoint`: the newest checkpoint of each log, short enough to copy by hand."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sentinel.entities import legal_entity
from sentinel.log.proofs import latest_checkpoint
from sentinel.log.sequencer import run_sequencer_once
from sentinel.management.log_choice import chosen_entity, entities_with_logs


class Command(BaseCommand):
    help = "Seal what was recorded so far and print the checkpoint to copy and keep outside."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--entity", help="only this legal entity")
        parser.add_argument("--note", action="store_true", help="print the whole signed note too")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401
        while run_sequencer_once():
            pass
        named = options["entity"]
        for entity in [chosen_entity(named)] if named else entities_with_logs():
            with legal_entity(entity=entity):
                latest = latest_checkpoint()
            self.stdout.write(f"{entity}  {latest.short if latest else 'nothing recorded yet'}")
            if latest and options["note"]:
                self.stdout.write(latest.note)
