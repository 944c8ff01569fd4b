"""The mark of a restore that was not finished: while it stands, the bank does not start.

An embedded PostgreSQL has it as a file in the installation's folder, a server as an empty schema
in the database. Until it is gone, permits from before count and nothing under way is held.
"""

import os
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management.base import CommandError
from psycopg import sql

from deploy.home import home
from deploy.settings.database import conninfo

FILE = "RESTORING"
SCHEMA = "frontline_restoring"
_NAME = sql.Identifier(SCHEMA)
_SECONDS_MAX = 10


class RestoreUnfinished(CommandError):
    """What was put back was not settled: it must not run."""

    code = "restore_unfinished"
    is_retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason, returncode=2)
        self.reason = reason


def mark_folder(folder: Path, *, data: Path) -> None:
    """Say in a folder that a restore into it has begun; on disk before anything else is."""
    with (folder / FILE).open("w", encoding="utf-8") as file:
        file.write(f"{data}\n")
        file.flush()
        os.fsync(file.fileno())


def clear_folder(folder: Path) -> None:
    """Say that the restore into a folder is settled."""
    (folder / FILE).unlink(missing_ok=True)


def mark_database(session: psycopg.Connection) -> None:
    """Say in a database that a restore into it has begun."""
    session.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(_NAME))


def clear_database(session: psycopg.Connection) -> None:
    """Say that the restore into a database is settled, in the transaction that settles it."""
    session.execute(sql.SQL("DROP SCHEMA IF EXISTS {}").format(_NAME))


def require_settled() -> None:
    """Refuse to start the bank on what a restore did not finish.

    A server that does not answer is not asked: whatever starts finds that out for itself.

    Raises:
        RestoreUnfinished: the mark stands; the words say what to do.
    """
    if os.environ.get("DATABASE_URL"):
        _require_settled_database()
    elif (home() / FILE).exists():
        data = (home() / FILE).read_text(encoding="utf-8").strip()
        folders = " and ".join(dict.fromkeys([str(home()), data] if data else [str(home())]))
        raise RestoreUnfinished(
            f"The restore into {home()} was not finished: permits from before would still count."
            f" Remove {folders}, and restore again."
        )


def _require_settled_database() -> None:
    place = settings.DATABASES["default"]
    try:
        with psycopg.connect(conninfo(place), connect_timeout=_SECONDS_MAX) as session:
            found = session.execute("SELECT to_regnamespace(%s) IS NULL", [SCHEMA]).fetchone()
    except psycopg.OperationalError:
        return
    if found != (True,):
        raise RestoreUnfinished(
            f"The restore into the database {place['NAME']} was not finished: permits from before"
            " would still count. Drop this database, make it anew, and restore again."
        )
