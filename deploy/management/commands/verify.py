"""`manage.py verify`: is this bank what its own history says? After a restore, and at any time."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.safekeeping import sealing
from deploy.safekeeping.manifest import BackupRefused
from deploy.safekeeping.proving import Finding, prove


class Command(BaseCommand):
    help = (
        "Recompute books, log and running work from their rows, look for permits used twice, and"
        " name what does not fit. Ends with 0 if all fits, 1 if not, 2 if it could not be checked,"
        " 3 if the backup's seal is missing or is not under the data key of this bank."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--backup", type=Path, help="with the checkpoints of this backup")
        parser.add_argument("--all", action="store_true", help="also work that has ended")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401
        checkpoints = {}
        if options["backup"] is not None:
            try:
                checkpoints = sealing.checked(
                    options["backup"], data_key=settings.DATA_ENCRYPTION_KEY
                ).checkpoints
            except BackupRefused as refusal:
                raise CommandError(refusal.reason, returncode=refusal.exit_code) from refusal
        faults, entities = 0, set()
        for finding in prove(checkpoints=checkpoints, is_ended_included=options["all"]):
            faults += len(finding.faults)
            entities.add(finding.entity)
            self.stdout.write("\n".join(_lines(finding)))
        if not entities:
            raise CommandError("There is no legal entity in this database.", returncode=2)
        if faults:
            raise CommandError(f"NOT SOUND: {faults} findings, named above.", returncode=1)
        self.stdout.write(f"SOUND: {len(entities)} legal entities, nothing out of place.")


def _lines(finding: Finding) -> list[str]:
    place = f"{finding.entity}  {finding.subject}"
    if finding.is_sound:
        return [f"  ok     {place}: {finding.words}"]
    return [f"  WRONG  {place}: {fault}" for fault in finding.faults]
