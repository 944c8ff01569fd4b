"""`manage.py flows`: which flows are in force beside this release, and asking for its own."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.management import signing_in
from orchestration import public as orchestration
from sentinel.public import legal_entity
from sentinel.vocabulary import Principal


class Command(BaseCommand):
    help = (
        "Compare the flows of this release with those in force, and propose one; another person"
        " agrees in the workspace. list ends with 1 if the release brings something."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listed = actions.add_parser("list", help="say what is in force and what the release brings")
        listed.add_argument("--entity", help="only this legal entity")
        listed.add_argument("--quiet", action="store_true", help="only what the release brings")
        asked = actions.add_parser("propose", help="ask for a flow of the release to be in force")
        asked.add_argument("name", help="the flow, as `list` calls it")
        asked.add_argument("--reason", required=True, help="why, for who agrees")
        asked.add_argument(
            "--given-up",
            nargs=2,
            action="append",
            default=[],
            metavar=("SCENARIO", "WHY"),
            help="a scenario in force that no longer holds",
        )
        signing_in.add_person(asked)

    def handle(self, *, action: str, **options: Any) -> None:  # noqa: ANN401
        entities = signing_in.entities(options["entity"])
        if action == "list":
            self._list(entities, is_quiet=options["quiet"])
            return
        (entity,) = entities
        person = signing_in.person(entity, options["username"], options["code"])
        with legal_entity(entity=entity):
            proposed = _propose(
                options["name"], options["reason"], dict(options["given_up"]), person
            )
        self.stdout.write(
            f"proposed  {options['name']}; a compliance officer other than you agrees to it in the"
            " workspace"
        )
        for each in proposed.doubts:
            self.stdout.write(f"warning   {_doubt(each)}")

    def _list(self, entities: list[str], *, is_quiet: bool) -> None:
        differing = 0
        for entity in entities:
            with legal_entity(entity=entity):
                found = orchestration.released_flows()
            differing += sum(each.differs for each in found)
            for each in found:
                if each.differs or not is_quiet:
                    self.stdout.write(f"{entity}  {_words(each)}")
        if differing:
            raise CommandError(
                "This release brings flows that are not in force. One person proposes each, and"
                " another agrees to it in the workspace:\n"
                "  manage.py flows propose NAME --entity ENTITY --as ONE --reason WHY",
                returncode=1,
            )


def _words(flow: orchestration.ReleasedFlow) -> str:
    here = flow.digest[:12]
    if not flow.in_force:
        return f"{flow.process}: new in this release ({here})"
    in_force = f"version {flow.version} ({flow.in_force[:12]}) is in force"
    if flow.standing == "rolled_back":
        return (
            f"{flow.process}: rolled back to version {flow.version} ({flow.in_force[:12]}), {here}"
            f" of this release was version {flow.released_as}"
        )
    if flow.standing == "newer":
        return f"{flow.process}: this release has newer ({here}), {in_force}"
    if flow.standing == "same":
        return f"{flow.process}: same, {in_force}"
    return f"{flow.process}: {in_force}, {here} of this release is {flow.standing}"


def _doubt(doubt: orchestration.Doubt) -> str:
    """Return what deserves a look, as `flow check` says it."""
    place = f"{doubt.file or 'the drawing'}:{doubt.line}: " if doubt.line else ""
    element = f"{doubt.element}: " if doubt.element else ""
    return f"{place}{element}{doubt.words} ({doubt.code})"


def _propose(
    name: str, why: str, given_up: Mapping[str, str], person: Principal
) -> orchestration.Proposal:
    proposal_id = uuid4()
    try:
        orchestration.propose_release(
            proposal_id=proposal_id,
            process=name,
            given_up=given_up,
            why=why,
            principal=person,
            at=datetime.now(UTC),
        )
    except orchestration.FlowUnknown as error:
        raise CommandError(f"{name}: there is no published flow {error.name}.") from error
    except orchestration.ChangeNotProposed as refused:
        raise CommandError(f"{name}: {refused.words}") from refused
    except ValueError as refused:
        # A drawing, rule, form, schema, trigger or scenario that cannot be used says so itself.
        raise CommandError(f"{name}: {refused}") from refused
    found = orchestration.proposals_of(process=name)
    return next(each for each in found if each.id == proposal_id)
