"""`manage.py bundles`: which rules are in force, and new ones put in force by two people."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy import rulebook
from deploy.management import signing_in
from deploy.rulebook import Difference, NotTheirTask
from sentinel.public import BundleRefused, ProposalUnknown, SamePerson, legal_entity
from sentinel.vocabulary import Principal


class Command(BaseCommand):
    help = (
        "Compare the rules of this release with those in force; propose them as one person and"
        " publish them as another. list ends with 1 if something differs."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listed = actions.add_parser("list", help="say what differs")
        listed.add_argument("--entity", help="only this legal entity")
        listed.add_argument("--quiet", action="store_true", help="say nothing if nothing differs")
        for name, words in (
            ("propose", "propose what differs, for somebody else to publish"),
            ("publish", "put what was proposed in force, as a second person"),
        ):
            action = actions.add_parser(name, help=words)
            signing_in.add_person(action)

    def handle(self, *, action: str, **options: Any) -> None:  # noqa: ANN401
        entities = signing_in.entities(options["entity"])
        if action == "list":
            self._list(entities, is_quiet=options["quiet"])
            return
        (entity,) = entities
        person = signing_in.person(entity, options["username"], options["code"])
        with legal_entity(entity=entity):
            self._change(action, person)

    def _list(self, entities: list[str], *, is_quiet: bool) -> None:
        changed = 0
        for entity in entities:
            with legal_entity(entity=entity):
                found = rulebook.differences()
            changed += len(found)
            for each in found:
                self.stdout.write(f"{entity}  {each.words}")
            if not found and not is_quiet:
                self.stdout.write(f"{entity}  the rules in force are those of this release")
        if changed:
            raise CommandError(
                "The rules in force are not those of this release: what it adds stays refused."
                " Two people put them in force:\n"
                "  manage.py bundles propose --entity ENTITY --as ONE\n"
                "  manage.py bundles publish --entity ENTITY --as ANOTHER",
                returncode=1,
            )

    def _change(self, action: str, person: Principal) -> None:
        at = datetime.now(UTC)
        found = rulebook.differences()
        if not found:
            self.stdout.write("Nothing differs.")
            return
        for each in found:
            if action == "propose":
                _carried(each, partial(rulebook.propose, difference=each, maker=person))
                self.stdout.write(f"proposed  {each.words}")
            else:
                _carried(
                    each,
                    partial(rulebook.publish, difference=each, checker=person, at=at),
                )
                self.stdout.write(f"in force  {each.area} {each.shipped.digest[:12]}")


def _carried(difference: Difference, work: Callable[[], object]) -> None:
    try:
        work()
    except ProposalUnknown as error:
        raise CommandError(f"{difference.area}: nobody has proposed it yet.") from error
    except SamePerson as error:
        raise CommandError(
            f"{difference.area}: you proposed it, so somebody else must publish it."
        ) from error
    except (BundleRefused, NotTheirTask) as error:
        raise CommandError(f"{difference.area}: {error}") from error
