"""`manage.py reconcile`: tokens, executions and the cores' statements compared both ways, now."""

import json
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.reconciliation import Reconciled, reconcile
from grand_central.public import OriginsRefused, ask_outside_once, reconcile_once
from sentinel.public import legal_entities, legal_entity

ASKED_BY = "system:command"


class Command(BaseCommand):
    help = (
        "Compare tokens, executions and the cores' own statements both ways, and open a case for"
        " whatever has no partner. Exit status: 0 all have theirs; 1 something has none."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--entity", help="only this legal entity")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401
        known = [each.entity for each in legal_entities()]
        named = options["entity"]
        if named and named not in known:
            raise CommandError(f"There is no legal entity {named}.", returncode=2)
        # First what can end by itself: ask the systems whose answer was lost, settle the rest.
        ask_outside_once()
        reconcile_once()
        found = dict[str, Reconciled]()
        for entity in [named] if named else known:
            with legal_entity(entity=entity):
                try:
                    found[entity] = reconcile(asked_by=ASKED_BY, at=datetime.now(UTC))
                except OriginsRefused as refused:
                    raise CommandError(refused.reason, returncode=2) from refused
        self._say(found, is_json=options["json"])
        if any(each.differences for each in found.values()):
            raise SystemExit(1)

    def _say(self, found: dict[str, Reconciled], *, is_json: bool) -> None:
        if is_json:
            told = {entity: _plain(each) for entity, each in found.items()}
            self.stdout.write(json.dumps(told, indent=2))
            return
        for entity, each in found.items():
            run = each.run
            expected = ", ".join(f"{name} {count}" for name, count in run.expected.items())
            self.stdout.write(
                f"{entity}  {run.permits} permits, {run.executions} executions,"
                f" {run.transfers} postings; waiting {run.waiting};"
                f" of other origins: {expected or 'none'}"
            )
            if run.unanswered:
                self.stdout.write(f"  no statement of {', '.join(run.unanswered)}")
            for one in each.differences:
                self.stdout.write(f"  {one.kind}  {one.subject}  {one.words}  case {one.case_id}")


def _plain(each: Reconciled) -> dict[str, object]:
    run = each.run
    return {
        "run": str(run.id),
        "compared_at": run.compared_at.isoformat(),
        "permits": run.permits,
        "executions": run.executions,
        "transfers": run.transfers,
        "waiting": run.waiting,
        "expected": dict(run.expected),
        "unanswered": list(run.unanswered),
        "cases_opened": each.cases_opened,
        "differences": [
            {
                "kind": one.kind,
                "token": str(one.subject),
                "words": one.words,
                "case": str(one.case_id) if one.case_id else None,
            }
            for one in each.differences
        ],
    }
