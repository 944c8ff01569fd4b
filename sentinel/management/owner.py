"""A session as the owner of the tables, for commands that do what the application cannot."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from django.conf import settings
from django.core.management.base import CommandError

from sentinel.entities import current_entity

OWNER_ROLE = "frontline_owner"


@dataclass(frozen=True, slots=True)
class OwnerSession:
    """Asks one question at a time, each in a transaction of its own."""

    session: psycopg.Connection

    def one(self, question: str, values: list[object]) -> object:
        """Return the one value that is asked for."""
        with self.session.transaction():
            self.session.execute(
                "SELECT set_config('frontline.entity', %s, true)", [current_entity()]
            )
            self.session.execute(f"SET LOCAL ROLE {OWNER_ROLE}")
            row = self.session.execute(question, values).fetchone()
        assert row is not None
        return row[0]


@contextmanager
def owner_session() -> Iterator[OwnerSession]:
    """Sign in as the administrator, who may act as the owner.

    Raises:
        CommandError: nobody could be signed in as.
    """
    place = settings.DATABASE_ADMINISTRATOR
    named = {
        "host": place["HOST"],
        "port": place["PORT"],
        "dbname": place["NAME"],
        "user": place["USER"],
        "password": place["PASSWORD"],
    }
    try:
        session = psycopg.connect(
            **{name: value for name, value in named.items() if value}, autocommit=True
        )
    except psycopg.OperationalError as error:
        raise CommandError(f"The database's owner could not sign in: {error}") from error
    with session:
        yield OwnerSession(session)
