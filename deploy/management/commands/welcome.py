"""`manage.py welcome URL`: where to sign in, and the newest checkpoint."""

from django.core.management.base import BaseCommand, CommandParser

from deploy.welcome import welcome_lines


class Command(BaseCommand):
    help = "Say where to sign in and what the newest checkpoint is."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("url")

    def handle(self, *, url: str, **_options: object) -> None:
        for line in welcome_lines(url=url):
            self.stdout.write(line)
