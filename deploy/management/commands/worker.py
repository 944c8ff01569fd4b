"""`manage.py worker`: carries out tasks, alone."""

import os

from django.core.management.base import BaseCommand, CommandParser

from deploy import programs
from deploy.safekeeping.unfinished import require_settled


class Command(BaseCommand):
    help = "Carry out tasks; database and broker run elsewhere."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=4)

    def handle(self, *, concurrency: int, **_options: object) -> None:
        require_settled()
        command = programs.worker(concurrency=concurrency)
        os.execv(command[0], command)
