"""`manage.py import berka PATH`: a bank's accounts and bookings, taken over and checked."""  # noqa: N999 - the command is called so

from datetime import UTC, datetime
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.berka.importing import ImportReport, import_berka
from deploy.berka.reading import FileMissing
from deploy.sample.story import MERIDIAN_BE, MERIDIAN_NL
from sentinel.public import is_genesis_done, legal_entity

_BANKS = {bank.entity: bank for bank in (MERIDIAN_NL, MERIDIAN_BE)}
_SHOWN_MAX = 20


class Command(BaseCommand):
    help = "Import a data set: `import berka PATH`. It can be stopped and run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", choices=["berka"])
        parser.add_argument("path", type=Path)
        parser.add_argument("--entity", choices=sorted(_BANKS), default=MERIDIAN_NL.entity)

    def handle(self, *, path: Path, entity: str, **_options: object) -> None:
        if not is_genesis_done(entity=entity):
            raise CommandError(f"{entity} has no books yet: run `manage.py seed` first.")
        try:
            with legal_entity(entity=entity):
                report = import_berka(
                    folder=path,
                    bank=_BANKS[entity],
                    at=datetime.now(UTC),
                    say=lambda words: self.stdout.write(f"  {words}"),
                )
        except FileMissing as error:
            raise CommandError(f"{error.file} is not in {path}.") from error
        self._tell(report)

    def _tell(self, report: ImportReport) -> None:
        self.stdout.write(
            f"  {report.bookings} bookings on {report.accounts} accounts,"
            f" {report.posted_now} posted now"
        )
        for label, rows in (("broken", report.broken), ("refused", report.left)):
            for row in rows[:_SHOWN_MAX]:
                self.stdout.write(f"  {label}: {row.file}, line {row.line}: {row.reason}")
            if len(rows) > _SHOWN_MAX:
                self.stdout.write(f"  {label}: {len(rows) - _SHOWN_MAX} more")
        compared = report.comparison
        self.stdout.write("  the balance after each booking, against the bank's own column:")
        for reason, count in sorted(compared.bookings.items(), key=lambda each: -each[1]):
            self.stdout.write(f"  {count:>8}  {reason}")
        self.stdout.write(
            f"  {compared.accounts_explained} of {compared.accounts} accounts"
            " agree to the last row, rounding aside"
        )
