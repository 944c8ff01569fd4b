"""`manage.py seed_once`: the sample bank, in a database that has none."""

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from deploy.milestones import is_reached, reach

_SEEDED = "seeded"


class Command(BaseCommand):
    help = "Make the sample bank unless this database has it; an interrupted run is taken up again."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--customers", type=int, default=40)

    def handle(self, *, customers: int, **_options: object) -> None:
        if is_reached(_SEEDED):
            return
        self.stdout.write("  making the sample bank")
        call_command("seed", customers=customers, stdout=self.stdout, stderr=self.stderr)
        reach(_SEEDED)
