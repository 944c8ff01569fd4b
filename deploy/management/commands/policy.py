"""`manage.py policy`: proposals of rules with what the gate found; published, rejected, undone."""

import json
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy import rulebook
from deploy.management import signing_in
from sentinel import public as sentinel
from sentinel.vocabulary import Principal

_ACTIONS = {
    "list": "list what was proposed, newest first",
    "show": "show the report of the gate on one proposal",
    "publish": "put a proposal in force as a second person, agreeing to the digest of its report",
    "reject": "end a proposal without putting it in force",
    "rollback": "propose to go back to a bundle that was in force; another person publishes it",
    "shadow": "let a proposal run in shadow beside the rules in force",
    "compare": "try every proposal in shadow on the decisions since it began",
    "simulate": "try a proposal on the decisions of some days",
}
_BY_SOMEBODY = frozenset({"publish", "reject", "rollback", "shadow"})


class Command(BaseCommand):
    help = (
        "Proposals of rules: what the gate found, and what two people make of it. Ends with 1 if"
        " something was refused, with its code."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for name, words in _ACTIONS.items():
            action = actions.add_parser(name, help=words)
            if name in _BY_SOMEBODY:
                signing_in.add_person(action)
            else:
                action.add_argument("--entity", help="the legal entity, if there are several")
            if name == "rollback":
                action.add_argument("digest", help="the digest of the bundle to go back to")
            elif name not in {"list", "compare"}:
                action.add_argument("proposal", type=UUID, help="the id of the proposal")
            if name == "publish":
                action.add_argument("--report", required=True, help="the report's digest")
            if name in {"reject", "rollback"}:
                action.add_argument("--reason", required=True, help="why, for the record")
            if name == "simulate":
                action.add_argument("--days", type=int, default=30, help="how far back (30)")
            action.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *, action: str, **options: Any) -> None:  # noqa: ANN401
        entities = signing_in.entities(options["entity"])
        if len(entities) != 1:
            raise CommandError("Say which legal entity: --entity NAME")
        (entity,) = entities
        try:
            person = (
                signing_in.person(entity, options["username"], options["code"])
                if action in _BY_SOMEBODY
                else None
            )
            with sentinel.legal_entity(entity=entity):
                said = _read(action, options) if person is None else _do(action, person, options)
        except (sentinel.SentinelError, rulebook.NotTheirTask) as error:
            raise CommandError(f"{error.code}: {error}", returncode=1) from error
        as_json = json.dumps(said, default=str, sort_keys=True)
        self.stdout.write(as_json if options["json"] else _words(said))


def _read(action: str, options: dict[str, Any]) -> object:
    if action == "list":
        return [_brief(each) for each in sentinel.bundle_proposals()]
    if action == "compare":
        return {"compared": sentinel.run_shadows_once()}
    found = sentinel.bundle_proposal(proposal_id=options["proposal"])
    if action == "show":
        return {**_brief(found), "reason": found.reason, "report": json.loads(found.report)}
    until = datetime.now(UTC)
    return sentinel.simulate_proposal(
        proposal_id=found.id, since=until - timedelta(days=options["days"]), until=until
    ).plain()


def _do(action: str, person: Principal, options: dict[str, Any]) -> object:
    if action == "rollback":
        rulebook.require_maker(person)
        made = sentinel.propose_rollback(
            digest=options["digest"], maker=person, reason=options["reason"]
        )
        return _brief(sentinel.bundle_proposal(proposal_id=made))
    proposal_id = options["proposal"]
    if action == "shadow":
        rulebook.require_maker(person)
        sentinel.start_shadow(proposal_id=proposal_id, by=person)
    elif action == "publish":
        rulebook.require_checker(person)
        sentinel.publish_proposal(
            proposal_id=proposal_id,
            report_digest=options["report"],
            checker=person,
            effective_from=datetime.now(UTC),
        )
    else:
        rulebook.require_checker(person)
        sentinel.reject_proposal(proposal_id=proposal_id, checker=person, comment=options["reason"])
    return _brief(sentinel.bundle_proposal(proposal_id=proposal_id))


def _brief(found: Any) -> dict[str, object]:  # noqa: ANN401
    plain = asdict(found)
    for long in ("report", "maker_person", "reason", "comment"):
        plain.pop(long)
    shadow = plain.pop("shadow")
    fares = (shadow["replayed"], shadow["flipped"]) if shadow else None
    return plain | {"outcome": found.outcome or "open", "shadow": fares}


def _words(said: object, depth: int = 0) -> str:
    indent = "  " * depth
    if isinstance(said, dict):
        lines = [
            f"{indent}{name}:\n{_words(value, depth + 1)}"
            if isinstance(value, (dict, list)) and value
            else f"{indent}{name}: {value}"
            for name, value in said.items()
        ]
        return "\n".join(lines)
    if isinstance(said, list):
        return "\n".join(_words(each, depth) for each in said) or f"{indent}nothing"
    return f"{indent}{said}"
