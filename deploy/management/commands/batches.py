"""`manage.py batches`: how files of items stand, and steering them, at a terminal."""

import argparse
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.management import signing_in
from orchestration.public import (
    BatchUnknown,
    BatchView,
    MoveRefused,
    OperationsOnly,
    ReasonRefused,
    batch_figures,
    steer_batch,
)
from sentinel.public import legal_entity

NOT_ALL_DONE, UNDER_WAY = 3, 4
_HELP = """\
Files of items: how far each is and how its items ended. What is steered takes a person of
operations and a reason, both kept; restart begins anew what failed, and nothing else.

  manage.py batches list --json
  manage.py batches show BATCH --entity ENTITY
  manage.py batches restart BATCH --entity ENTITY --as ONE --reason "The core is back"
  manage.py batches pause|resume|stop BATCH --entity ENTITY --as ONE --reason "..."

list and show end with 0 when all items of all files are done, with 3 when files are over of which
some items failed, were refused or stopped, and with 4 while any is under way. Otherwise 0: done;
1: refused, and nothing has moved; 2: not understood.
"""
_MOVES = {
    "restart": "begin the items anew that failed",
    "pause": "begin nothing more of it for now",
    "resume": "let it go on",
    "stop": "never begin what still waits",
}
_FIGURES = ("items", "waiting", "running", "stuck", "done", "failed", "refused", "stopped")


class Command(BaseCommand):
    help = _HELP
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True)
        listed = actions.add_parser("list", help="say how the newest files stand")
        listed.add_argument("--entity", help="only this legal entity")
        shown = actions.add_parser("show", help="say how one file stands")
        shown.add_argument("batch", type=UUID, metavar="BATCH")
        shown.add_argument("--entity", required=True, help="the legal entity")
        for each in (listed, shown):
            each.add_argument("--json", action="store_true", help="print one JSON object a file")
        for name, words in _MOVES.items():
            action = actions.add_parser(name, help=words)
            action.add_argument("batch", type=UUID, metavar="BATCH")
            action.add_argument("--reason", required=True, help="why, for who reads it later")
            signing_in.add_person(action)

    def handle(self, *, action: str, **options: Any) -> None:  # noqa: ANN401
        entities = signing_in.entities(options["entity"])
        if action in _MOVES:
            self._steer(action, entities[0], options)
            return
        found: list[BatchView] = []
        for entity in entities:
            with legal_entity(entity=entity):
                views = batch_figures(batch_id=options.get("batch"))
            self._say(entity, views, is_json=options["json"])
            found += views
        if action == "show" and not found:
            raise CommandError(f"There is no run over a file {options['batch']} in {entities[0]}.")
        code = _code(found)
        if code:
            raise SystemExit(code)

    def _steer(self, action: str, entity: str, options: dict[str, Any]) -> None:
        person = signing_in.person(entity, options["username"], options["code"])
        try:
            with legal_entity(entity=entity):
                moved = steer_batch(
                    batch_id=options["batch"],
                    move=action,  # type: ignore[arg-type]
                    principal=person,
                    reason=options["reason"],
                )
        except OperationsOnly as error:
            raise CommandError("Refused: files are steered by operations.") from error
        except BatchUnknown as error:
            raise CommandError(f"Refused: there is no run {error.batch_id} in {entity}.") from error
        except ReasonRefused as error:
            raise CommandError("Refused: say why in 5 to 500 characters.") from error
        except MoveRefused as error:
            raise CommandError(f"Refused: {error.why}") from error
        self.stdout.write(f"done  {action}: {moved} items")

    def _say(self, entity: str, views: Sequence[BatchView], *, is_json: bool) -> None:
        for view in views:
            self.stdout.write(_as_json(entity, view) if is_json else _as_words(entity, view))
        if not views and not is_json:
            self.stdout.write(f"{entity}  no files")


def _code(views: Sequence[BatchView]) -> int:
    if any(view.ended_at is None for view in views):
        return UNDER_WAY
    return NOT_ALL_DONE if any(view.done != view.items for view in views) else 0


def _as_json(entity: str, view: BatchView) -> str:
    ended_at = view.ended_at.isoformat() if view.ended_at else None
    return json.dumps(
        {
            "id": str(view.id),
            "entity": entity,
            "flow": view.process,
            "batch": view.name,
            "file": view.file_name,
            "state": view.stands,
            **{name: getattr(view, name) for name in _FIGURES},
            "made_by": view.made_by,
            "made_at": view.made_at.isoformat(),
            "ended_at": ended_at,
        }
    )


def _as_words(entity: str, view: BatchView) -> str:
    figures = ", ".join(
        f"{getattr(view, name)} {name}" for name in _FIGURES[1:] if getattr(view, name)
    )
    return (
        f"{entity}  {view.id}  {view.process}/{view.name}  {view.file_name}"
        f"  {view.stands}, {view.percent} %: {view.items} items; {figures or 'none begun'}"
    )
