"""`manage.py access_report SUBJECT`: everything held about a person, as JSON (GDPR 15)."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from interaction.public import access_report, as_json
from sentinel.public import legal_entities, legal_entity
from sentinel.vocabulary import Principal

_SUBJECT = re.compile(r"(?:customer:)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


class Command(BaseCommand):
    help = (
        "Print everything held about a customer as JSON: data by category, purposes, recipients,"
        " decisions with their logic. That it was asked for is recorded in the evidence log."
        " Exit status: 0; 1 nobody is known under this id; 2 it is no id."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("subject", help="customer:<id>, or the id alone")
        parser.add_argument("--entity", help="only in this legal entity")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401
        found = _SUBJECT.fullmatch(options["subject"])
        if found is None:
            raise CommandError("A subject is customer:<id>.", returncode=2)
        for each in legal_entities():
            if options["entity"] not in {None, each.entity}:
                continue
            asked_by = Principal("system:command", "system", "", each.entity)
            with legal_entity(entity=each.entity):
                report = access_report(
                    customer_id=UUID(found[1]), asked_by=asked_by, at=datetime.now(UTC)
                )
            if report is not None:
                self.stdout.write(as_json(report=report))
                return
        raise CommandError("Nobody is known under this id.")
