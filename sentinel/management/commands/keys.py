"""`manage.py keys`: which keys sign, which still count, and the next one made."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from sentinel.compromise.drill import Signed, drill, signed_since
from sentinel.entities import legal_entities, legal_entity
from sentinel.key_rotation import ROTATED, rotate_key
from sentinel.key_views import public_keys
from sentinel.management.owner import owner_session
from sentinel.signing.custody import SignerUnavailable
from sentinel.signing.keys import KeyRefused, Purpose

_WORDS = {
    "next": "signs next",
    "signs": "signs now",
    "counts": "signs no more, still counts",
    "retired": "its tokens are refused",
}

_THEN = {
    Purpose.TOKEN: "Tell whoever checks tokens elsewhere to fetch the key set (jwks.json) anew.",
    Purpose.LOG: "Start each witness outside with the new --log key only (manage.py keys list).",
    Purpose.POLICY: "Compare each publication above with its proposal and its two people.",
    Purpose.WITNESS: "Compare each checkpoint above with what the witnesses outside remember.",
}


class Command(BaseCommand):
    help = "List the public keys of each legal entity, or make the next key of one."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listed = actions.add_parser("list", help="say which key signs what")
        listed.add_argument("--entity", help="only this legal entity")
        listed.add_argument("--json", action="store_true", help="print JSON")
        turn = actions.add_parser("rotate", help="make the next key and record it in the log")
        turn.add_argument("entity")
        turn.add_argument("purpose", choices=[each.value for each in ROTATED])
        turn.add_argument(
            "--at-once",
            action="store_true",
            help="sign with it now: for a key that may have been stolen",
        )

        drilled = actions.add_parser(
            "drill",
            help="for a key that may have been stolen: another signs at once, and what this one"
            " signs from now on counts for nothing; says what was signed since",
        )
        drilled.add_argument("entity")
        drilled.add_argument("purpose", choices=[each.value for each in ROTATED])
        drilled.add_argument(
            "--since", type=_moment, required=True, help="from when it may have been stolen (UTC)"
        )
        drilled.add_argument("--yes", action="store_true", help="do it; without, only say what")
        drilled.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401
        if options["action"] == "list":
            self._list(options["entity"], is_json=options["json"])
            return
        if options["action"] == "drill":
            self._drill(options)
            return
        with legal_entity(entity=_known(options["entity"])):
            try:
                made = rotate_key(
                    purpose=Purpose(options["purpose"]), is_at_once=options["at_once"]
                )
            except KeyRefused as refused:
                raise CommandError(f"Not rotated: {refused.reason}.") from refused
        self.stdout.write(f"{made.purpose}  {made.kid}  signs from {made.signs_from:%F %T} UTC")

    def _drill(self, options: dict[str, Any]) -> None:
        purpose, since = Purpose(options["purpose"]), options["since"]
        with legal_entity(entity=_known(options["entity"])):
            if not options["yes"]:
                self._say_signed(signed_since(purpose=purpose, since=since))
                words = "Nothing was done. Say --yes to revoke the key that signs these."
                raise CommandError(words, returncode=2)
            try:
                with owner_session() as owner:
                    done = drill(purpose=purpose, since=since, owner=owner)
            except (KeyRefused, SignerUnavailable) as refused:
                raise CommandError(f"Not revoked: {refused.reason}.") from refused
        if options["json"]:
            self.stdout.write(json.dumps(asdict(done), indent=2, default=str))
            return
        self.stdout.write(
            f"{done.entity}  {done.purpose}\n  revoked   {done.revoked}, beyond {done.mark}\n"
            f"  signs     {done.signs_now}\n"
        )
        self._say_signed(done.signed)
        self.stdout.write(_THEN[purpose])

    def _say_signed(self, signed: tuple[Signed, ...]) -> None:
        self.stdout.write(f"Signed since, to be looked at: {len(signed)}")
        for each in signed:
            self.stdout.write(f"  {each.at:%F %T}  {each.what}  {each.words}")

    def _list(self, named: str | None, *, is_json: bool) -> None:
        found = []
        for entity in [_known(named)] if named else _entities():
            with legal_entity(entity=entity):
                found += [(entity, each) for each in public_keys()]
        if is_json:
            rows = [{"entity": entity, **_plain(asdict(each))} for entity, each in found]
            self.stdout.write(json.dumps(rows, indent=2))
            return
        for entity, each in found:
            self.stdout.write(f"{entity}  {each.purpose:<7}  {each.kid}  {_WORDS[each.state]}")


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _entities() -> list[str]:
    return sorted(each.entity for each in legal_entities())


def _known(named: str) -> str:
    if named not in _entities():
        raise CommandError(f"There is no legal entity {named}.")
    return named


def _plain(values: dict[str, Any]) -> dict[str, str]:
    moment = values["signs_from"].isoformat()
    return {**values, "public_bytes": values["public_bytes"].hex(), "signs_from": moment}
