"""`manage.py export_evidence`: one file to check offline with frontline-verify."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentinel.bundle import NothingToExport, write_evidence
from sentinel.entities import legal_entity
from sentinel.log.sequencer import run_sequencer_once
from sentinel.management.log_choice import chosen_entity


class Command(BaseCommand):
    help = (
        "Export the evidence of a case, a decision, a customer, a period or the whole log as one"
        " file."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--entity", help="the legal entity (default: the first with a log)")
        parser.add_argument("--case", type=UUID, help="only this case")
        parser.add_argument("--decision", type=UUID, help="only this decision")
        parser.add_argument("--customer", help="only this customer, such as customer:4f0c...")
        parser.add_argument(
            "--period",
            nargs=2,
            type=_moment,
            metavar=("FROM", "TO"),
            help="only what was recorded from the first to before the second day or moment (UTC)",
        )
        parser.add_argument(
            "--disclose",
            action="store_true",
            help="with the clear values of exactly these decisions, which are personal data",
        )
        parser.add_argument("--out", type=Path, default=Path("evidence.zip"), help="the file")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401
        named = [name for name in ("case", "decision", "customer") if options[name]]
        since, until = options["period"] or (None, None)
        if len(named) > 1:
            raise CommandError(f"Name a {named[0]} or a {named[1]}, not both.")
        if since and named in (["case"], ["decision"]):
            raise CommandError(f"A {named[0]} is exported whole: leave --period out.")
        while run_sequencer_once():
            pass
        out: Path = options["out"]
        draft = out.with_name(out.name + ".part")
        try:
            with legal_entity(entity=chosen_entity(options["entity"])), draft.open("wb") as target:
                evidence = write_evidence(
                    target=target,
                    case_id=options["case"],
                    decision_id=options["decision"],
                    customer=options["customer"],
                    since=since,
                    until=until,
                    is_disclosed=options["disclose"],
                )
            draft.replace(out)
        except NothingToExport as error:
            draft.unlink()
            raise CommandError(f"Nothing is recorded yet for the {error.scope}.") from error
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error}") from error
        self.stdout.write(
            f"{out}: {evidence.scope}, {evidence.records} records of {evidence.size}"
            f" in {evidence.origin}\n\nCheck it with the checkpoint you copied:\n"
            f'  .venv/bin/frontline-verify {out} --checkpoint "..."'
        )


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
