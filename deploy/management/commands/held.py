"""`manage.py held`: effects that a restore held back, and two people letting them go on."""

import argparse
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.management import signing_in
from orchestration.public import (
    AnswerRefused,
    InstanceUnknown,
    InterventionRefused,
    NotYourTask,
    OperationsOnly,
    TaskGone,
    TaskTaken,
    agree_to_release,
    held_effects,
    release_held,
)
from sentinel.public import ApprovalRefused, legal_entity
from sentinel.vocabulary import Principal

_HELP = """\
Effects in other systems that wait since a restore: they may have been carried out in what was lost.
Look at the other system's books; then one person of operations asks to let those of a run go on,
and another agrees, here or in the workspace. Sentinel decides, and both stand in its log.

  manage.py held list
  manage.py held release INSTANCE --entity ENTITY --as ONE --reason "Not in their books of today"
  manage.py held agree INSTANCE --entity ENTITY --as ANOTHER --comment "Looked as well"

Exit code 0: done, or asked for; 1: refused, and nothing has moved; 2: not understood.
"""
_WHY = {
    "nothing_held": "it has nothing held back",
    "reason_length": "say why in 10 to 500 characters",
    "not_asked_for": "nobody has asked to let it go on",
}


class Command(BaseCommand):
    help = _HELP
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.formatter_class = argparse.RawDescriptionHelpFormatter
        actions = parser.add_subparsers(dest="action", required=True)
        listed = actions.add_parser("list", help="say what is held, and who asked to let it go on")
        listed.add_argument("--entity", help="only this legal entity")
        for name, words in (
            ("release", "ask to let what is held of a run go on"),
            ("agree", "agree to it as a second person; it goes on at once"),
        ):
            action = actions.add_parser(name, help=words)
            action.add_argument("instance", type=UUID, metavar="INSTANCE")
            signing_in.add_person(action)
            if name == "release":
                action.add_argument("--reason", required=True, help="what you found over there")
            else:
                action.add_argument("--comment", default="", help="what you found over there")

    def handle(self, *, action: str, **options: Any) -> None:  # noqa: ANN401
        entities = signing_in.entities(options["entity"])
        if action == "list":
            for entity in entities:
                with legal_entity(entity=entity):
                    self._list(entity)
            return
        (entity,) = entities
        person = signing_in.person(entity, options["username"], options["code"])
        self._say(f"signed in as {options['username']}")
        with legal_entity(entity=entity):
            try:
                if action == "release":
                    self._release(options["instance"], person, options["reason"])
                else:
                    self._agree(options["instance"], person, options["comment"])
            except (NotYourTask, ApprovalRefused, OperationsOnly) as error:
                words = "It takes two people of operations: one who asks, and another who agrees."
                raise CommandError(f"Refused ({error.code}). {words}") from error
            except (InstanceUnknown, TaskGone, TaskTaken) as error:
                raise CommandError(f"Refused ({error.code}): {error}") from error
            except InterventionRefused as error:
                why = _WHY.get(error.reason, error.reason)
                raise CommandError(f"Refused: instance {error.instance_id}: {why}.") from error
            except AnswerRefused as error:
                raise CommandError(f"Refused: {error}") from error

    def _list(self, entity: str) -> None:
        found = held_effects()
        for held in found:
            asked = f"; {held.asked_by} asked to let it go on" if held.asked_by else ""
            self.stdout.write(
                f"{entity}  {held.action_kind}  instance {held.instance_id}"
                f" at {held.node}, held since {held.held_at:%Y-%m-%d %H:%M}{asked}"
            )
        if not found:
            self.stdout.write(f"{entity}  nothing is held")

    def _release(self, instance_id: UUID, person: Principal, reason: str) -> None:
        self._say("asking Sentinel")
        asked = release_held(
            instance_id=instance_id, principal=person, reason=reason, at=datetime.now(UTC)
        )
        if asked.state != "waiting":
            raise CommandError(f"Refused ({asked.state}). Nothing has moved.")
        self.stdout.write(
            "Asked for. Another person of operations agrees in the workspace, or with:\n"
            f"  manage.py held agree {instance_id} --entity ENTITY --as ANOTHER"
        )

    def _agree(self, instance_id: UUID, person: Principal, comment: str) -> None:
        self._say("telling Sentinel, and letting it go on")
        made = agree_to_release(
            instance_id=instance_id, principal=person, comment=comment, at=datetime.now(UTC)
        )
        if made.state != "done":
            raise CommandError(f"Not released ({made.state}). Nothing has moved.")
        self.stdout.write("Agreed: it goes on.")

    def _say(self, words: str) -> None:
        self.stdout.write(f"  {words}")
        self.stdout.flush()
