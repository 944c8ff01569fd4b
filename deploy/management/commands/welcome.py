"""`manage.py welcome URL`: where to sign in, and the newest checkpoint."""

from django.core.management.base import BaseCommand, CommandParser

from deploy.welcome import welcome_lines


class Command(BaseCommand):
    help = "Say where to sign in and what the newest checkpoint is."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url")
        parser.add_argument("--process", type=int, help="the process that runs the bank")

    def handle(self, *, url: str, process: int | None, **_options: object) -> None:
        for line in welcome_lines(url=url, process=process):
            self.stdout.write(line)
