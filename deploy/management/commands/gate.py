"""`manage.py gate`: after a restore, what is still missing before the bank acts again."""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.safekeeping.putting_back import end_what_was
from deploy.safekeeping.reopening import (
    GateRefused,
    GateState,
    continue_log,
    gate_state,
    open_gate,
)
from sentinel.public import legal_entities, legal_entity

_HELP = """\
After a restore the gate of each legal entity is shut: nothing is decided, spent or sent, but for
kill switches. It opens once permits from before are refused, the log says from where it goes on,
what was under way outside was asked about (manage.py tick does), and every effect was compared
with the cores' statements (manage.py reconcile).

  manage.py gate status
  manage.py gate continue --witnessed FILE-OR-FOLDER
  manage.py gate continue --reason "The disk of 3 May is lost, agreed with the board"
  manage.py gate open
  manage.py gate shut --yes    (after a server was recovered to an earlier moment by its own means)

Exit code 0: open, or done; 1: shut, and something is missing; 2: refused, and nothing moved;
3: shut, and nothing is missing any more: open it.
"""


class Command(BaseCommand):
    help = _HELP
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True)
        for name, words in (
            ("status", "say how the gate stands and what is missing"),
            ("continue", "record from where the log goes on"),
            ("open", "open the gate, if nothing is missing"),
            ("shut", "end what was under way and shut every gate, as a restore does"),
        ):
            action = actions.add_parser(name, help=words)
            action.add_argument("--entity", help="only this legal entity")
            if name == "shut":
                action.add_argument("--yes", action="store_true", help="do it")
            if name == "status":
                action.add_argument("--json", action="store_true", help="print JSON")
            if name == "continue":
                action.add_argument(
                    "--witnessed",
                    type=Path,
                    action="append",
                    default=[],
                    help="a checkpoint a witness keeps, or its folder; may be repeated",
                )
                action.add_argument("--reason", default="", help="why a loss is given up")

    def handle(self, *, action: str, **options: Any) -> None:  # noqa: ANN401
        known = sorted(each.entity for each in legal_entities())
        named = options["entity"]
        if named and named not in known:
            raise CommandError(f"There is no legal entity {named}.", returncode=2)
        entities = [named] if named else known
        if action == "shut":
            self._shut_all(named, is_sure=options["yes"])
            return
        if action == "status":
            self._status(entities, is_json=options["json"])
            return
        try:
            for entity in self._shut(entities, action):
                with legal_entity(entity=entity):
                    if action == "open":
                        open_gate()
                        self.stdout.write(f"{entity}  the gate is open")
                    else:
                        self._continue(entity, options["witnessed"], options["reason"])
        except GateRefused as refused:
            raise CommandError(f"{refused.entity}: {refused.reason}", returncode=2) from refused

    def _shut_all(self, named: str | None, *, is_sure: bool) -> None:
        if named or not is_sure:
            words = "It ends sessions and permits of every legal entity: say --yes, and name none."
            raise CommandError(words, returncode=2)
        restore_id = uuid4()
        found = end_what_was(
            restore_id=restore_id,
            environment={"FRONTLINE_SOCKET": settings.SOCKET, **os.environ},
            say=self.stdout.write,
        )
        self.stdout.write(
            f"Every gate is shut, as by restore {restore_id}: {found.sessions_ended} sessions"
            f" ended, {found.calls_to_ask} calls to ask about, {found.effects_held} effects held."
        )

    def _shut(self, entities: list[str], action: str) -> Iterator[str]:
        """Yield those the action is about; a second run goes on where the first was refused."""
        shut = []
        for entity in entities:
            with legal_entity(entity=entity):
                state = gate_state()
            if state.gate is None or state.is_open:
                continue
            if action == "open" or not state.gate.is_continued:
                shut.append(entity)
        if not shut:
            self.stdout.write("Nothing to do.")
        yield from shut

    def _continue(self, entity: str, places: list[Path], reason: str) -> None:
        seen = continue_log(witnessed=places, reason=reason)
        if seen is None:
            words = "goes on without a witness; the log says why"
        elif seen.lost is None:
            words = f"holds all {seen.size} records that were witnessed, and goes on"
        else:
            first, last = seen.lost
            words = f"goes on; records {first} to {last} are lost, and the log says so"
        self.stdout.write(f"{entity}  the log {words}")

    def _status(self, entities: list[str], *, is_json: bool) -> None:
        states = []
        for entity in entities:
            with legal_entity(entity=entity):
                states.append(gate_state())
        if is_json:
            self.stdout.write(json.dumps([_plain(each) for each in states], indent=2))
        else:
            self.stdout.write("\n".join(line for each in states for line in _lines(each)))
        shut = [each for each in states if not each.is_open]
        if shut:
            raise SystemExit(1 if any(each.missing for each in shut) else 3)


def _lines(state: GateState) -> list[str]:
    if state.gate is None:
        return [f"{state.entity}  open: nothing was ever restored"]
    restored = f"restored {state.gate.shut_at:%F %T} UTC from backup {state.gate.backup}"
    if state.is_open:
        return [f"{state.entity}  open since {state.gate.opened_at:%F %T} UTC; {restored}"]
    rows = [
        f"  {'met' if each.is_met else 'MISSING':<8}{each.name:<11}{each.words}"
        for each in state.conditions
    ]
    return [f"{state.entity}  SHUT; {restored}", *rows]


def _plain(state: GateState) -> dict[str, object]:
    return {
        "entity": state.entity,
        "is_open": state.is_open,
        "backup": str(state.gate.backup) if state.gate else None,
        "conditions": [
            {"name": each.name, "is_met": each.is_met, "words": each.words}
            for each in state.conditions
        ],
    }
