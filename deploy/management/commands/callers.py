"""`manage.py callers`: keys of programs that start flows, ask, or act; and of webhooks."""

from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from orchestration.public import (
    AudienceRefused,
    make_caller,
    make_webhook_key,
    revoke_caller,
    revoke_webhook_key,
)
from sentinel.public import legal_entities, legal_entity

MADE_BY = "system:installation"


class Command(BaseCommand):
    help = "Make and revoke the keys with which programs start flows, ask and act over HTTP."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("entity", help="the legal entity, as it stands in addresses")
        actions = parser.add_subparsers(dest="action", required=True)
        add = actions.add_parser("add", help="let a program start flows; its key is shown once")
        add.add_argument("name")
        add.add_argument("triggers", nargs="*", help="flow/trigger, message:name, or log:read")
        add.add_argument("--asks", nargs="*", default=[], help="kinds of action it may ask about")
        add.add_argument(
            "--about", nargs="*", default=[], help="whom: customer, employee, or one as customer:ID"
        )
        add.add_argument("--audience", default="", help="the connector that the program is")
        revoke = actions.add_parser("revoke", help="let a program start nothing any more")
        revoke.add_argument("caller")
        sign = actions.add_parser("webhook", help="make a key for the webhooks of a source")
        sign.add_argument("source")
        unsign = actions.add_parser("revoke-webhook", help="accept nothing signed with a key")
        unsign.add_argument("key", type=UUID)

    def handle(self, *, entity: str, action: str, **options: object) -> None:
        if entity not in {each.entity for each in legal_entities()}:
            raise CommandError(f"There is no legal entity {entity}.")
        with legal_entity(entity=entity), transaction.atomic():
            self.stdout.write(_done(action, options))


def _texts(given: object) -> tuple[str, ...]:
    assert isinstance(given, list)
    return tuple(map(str, given))


def _done(action: str, options: dict[str, object]) -> str:
    """Do it, and return what to say: a secret is shown here and never again."""
    match action:
        case "add":
            try:
                return make_caller(
                    name=str(options["name"]),
                    triggers=_texts(options["triggers"]),
                    made_by=MADE_BY,
                    asks=_texts(options["asks"]),
                    subjects=_texts(options["about"]),
                    audience=str(options["audience"]),
                )
            except AudienceRefused as refused:
                words = f"No program outside carries out actions as {refused.audience}."
                raise CommandError(words) from refused
        case "revoke":
            revoke_caller(caller_id=str(options["caller"]))
        case "webhook":
            key, secret = make_webhook_key(source=str(options["source"]), made_by=MADE_BY)
            return f"{key} {secret}"
        case _:
            assert isinstance(options["key"], UUID)
            revoke_webhook_key(key_id=options["key"])
    return "Revoked."
