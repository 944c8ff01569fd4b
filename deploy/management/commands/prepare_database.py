"""`manage.py prepare_database`: roles, database, queue, migrations, grants."""

from django.core.management.base import BaseCommand

from deploy.preparation import prepare


class Command(BaseCommand):
    help = "Make the database ready for this release; running it again changes nothing."
    requires_system_checks = ()

    def handle(self, **_options: object) -> None:
        prepare(lambda words: self.stdout.write(f"  {words}"))
