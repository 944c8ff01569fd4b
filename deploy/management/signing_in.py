"""Who gives a command that takes a named person, and for which legal entity."""

import getpass
import os
from datetime import UTC, datetime

from django.core.management.base import CommandError, CommandParser

from interaction.public import Credentials, SignInRefused, TooManyAttempts, recognise
from sentinel.public import legal_entities
from sentinel.vocabulary import Principal

PASSWORD = "FRONTLINE_PASSWORD"  # noqa: S105 - the name of a variable
_ADDRESS = "this machine"


def add_person(parser: CommandParser) -> None:
    """Let a command ask for a legal entity and a person in it."""
    parser.add_argument("--entity", required=True, help="the legal entity")
    parser.add_argument(
        "--as",
        dest="username",
        required=True,
        help=f"who you are; the password is asked for, or in {PASSWORD}",
    )
    parser.add_argument("--code", default="", help="from your authenticator")


def entities(named: str | None) -> list[str]:
    """Return the legal entity that was named, or all of them.

    Raises:
        CommandError: there is none of this name.
    """
    found = [each.entity for each in legal_entities()]
    if named is None:
        return found
    if named not in found:
        raise CommandError(f"There is no legal entity {named}; there are: {', '.join(found)}")
    return [named]


def person(entity: str, username: str, code: str) -> Principal:
    """Return who signs in with this name and their password.

    Raises:
        CommandError: they may not.
    """
    password = os.environ.get(PASSWORD)
    if password is None:
        password = getpass.getpass(f"Password of {username}: ")
    credentials = Credentials(entity, username, password, _ADDRESS, code)
    try:
        return recognise(credentials=credentials, at=datetime.now(UTC))
    except (SignInRefused, TooManyAttempts) as refusal:
        raise CommandError(refusal.words) from refusal
