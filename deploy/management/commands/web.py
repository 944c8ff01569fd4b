"""`manage.py web`: pages and WebSockets, alone."""

import os

from django.core.management.base import BaseCommand, CommandParser

from deploy import programs
from deploy.ports import PORT
from deploy.safekeeping.unfinished import require_settled


class Command(BaseCommand):
    help = "Serve pages and WebSockets; database and broker run elsewhere."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=programs.HOST)
        parser.add_argument("--port", type=int, default=PORT)
        parser.add_argument("--workers", type=int, default=1)

    def handle(self, *, host: str, port: int, workers: int, **_options: object) -> None:
        require_settled()
        command = programs.web(host=host, port=port, workers=workers)
        os.execv(command[0], command)
