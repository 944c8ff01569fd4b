"""Puts a backup back: into a new folder, or into an empty database of a server.

What was under way when the backup was taken may have gone on in what was lost. So before the bank
runs again, permits that were out are revoked, sessions end, calls under way to systems outside
are to be asked about, and effects without a permit wait for a person.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import sql

from deploy.embedded.archiving import RECOVERY_SECONDS_MAX, Recovery, forget_copies
from deploy.embedded.place import EmbeddedUnavailable, Place, place_for
from deploy.embedded.server import EmbeddedPostgres
from deploy.home import SOURCE
from deploy.safekeeping import unfinished
from deploy.safekeeping.key_box import Keys
from deploy.safekeeping.manifest import BackupRefused, Manifest
from deploy.safekeeping.programs import Say, addressed, count, program, run
from deploy.safekeeping.taking import DUMP
from deploy.safekeeping.unpacking import unpack
from deploy.settings.database import NAME, OWNER_ROLE, administrator, conninfo

_TRANSACTIONS_PER_CALL = 50_000
_OF_ANOTHER_BANK = ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_ADMIN_URL", "FRONTLINE_SOCKET")


@dataclass(frozen=True, slots=True)
class Restored:
    """How much was found under way in what was put back."""

    calls_to_ask: int
    effects_held: int
    sessions_ended: int


def require_empty_home(home: Path) -> None:
    """Refuse a folder in which anything stands.

    Raises:
        BackupRefused: it is no empty folder.
    """
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise BackupRefused(f"{home} is not empty. Name a new folder: nothing is overwritten.")


@contextmanager
def put_back_cluster(
    *,
    folder: Path,
    made: Manifest,
    home: Path,
    keys: Keys,
    say: Say,
    recovery: Recovery | None = None,
) -> Iterator[dict[str, str]]:
    """Make an installation out of a backup; its PostgreSQL runs for the time of the block.

    With a `recovery` it goes on from the backup with what was archived since. Yields the
    environment of programs that work on it.

    Raises:
        BackupRefused: the folder is not empty, an archive is not sound, or it did not start.
    """
    require_empty_home(home)
    server = EmbeddedPostgres(home, say)
    try:
        place = place_for(home)
        if any(place.data.iterdir()):
            raise BackupRefused(f"{place.data} holds a database already.")
        try:
            unfinished.mark_folder(home, data=place.data)
            keys.put_into(home)
            say("unpacking the database")
            unpack(folder, place)
            socket = _started(server, place, recovery, say)
        except (BackupRefused, EmbeddedUnavailable, OSError):
            # The folder was empty before: another attempt shall find it so.
            server.stop()
            shutil.rmtree(place.data, ignore_errors=True)
            shutil.rmtree(home, ignore_errors=True)
            raise
    except (EmbeddedUnavailable, OSError) as error:
        raise BackupRefused(str(error)) from error
    try:
        yield _environment(home, socket, made)
    finally:
        server.stop()


def _started(server: EmbeddedPostgres, place: Place, recovery: Recovery | None, say: Say) -> Path:
    """Start the server on what was unpacked, and let it go on to where it shall stop."""
    try:
        if recovery is not None:
            say("taking in what was archived since the backup")
            server.settings = recovery.settings(place)
            server.start_seconds_max = RECOVERY_SECONDS_MAX
        say("starting PostgreSQL, which takes in what changed during the copy")
        return server.start()
    finally:
        forget_copies(place)


@contextmanager
def put_back_dump(*, folder: Path, made: Manifest, say: Say) -> Iterator[dict[str, str]]:
    """Fill the empty database that the environment names; yields the environment as it is.

    Raises:
        BackupRefused: the database is not empty.
    """
    target = administrator(os.environ, "")
    _require_empty_database(target)
    say("filling the database")
    address, password = addressed(target)
    run(
        [
            program("pg_restore"),
            *("--exit-on-error", "--single-transaction", "--no-password"),
            *("--dbname", address, folder / DUMP),
        ],
        what="the restore",
        say=say,
        watched=folder,
        password=password,
    )
    with psycopg.connect(conninfo(target), autocommit=True) as session:
        _pass_transactions(session, made.transaction, say)
    yield dict(os.environ)


def settle(*, made: Manifest, environment: Mapping[str, str], say: Say) -> Restored:
    """Bring the tables to this release and end what must not go on; in one transaction.

    Until then the mark of an unfinished restore stands, and the bank does not start.

    Raises:
        BackupRefused: the tables cannot be brought to this release.
    """
    say("bringing the tables to this release")
    command(environment, "prepare_database")
    found = end_what_was(restore_id=made.id, environment=environment, say=say)
    if made.kind == "cluster":
        unfinished.clear_folder(Path(environment["FRONTLINE_HOME"]))
    return found


def end_what_was(*, restore_id: UUID, environment: Mapping[str, str], say: Say) -> Restored:
    """End what must not go on in a database that was put back, and shut the gate.

    A server's own point-in-time recovery asks for the same.
    """
    target = administrator(environment, environment.get("FRONTLINE_SOCKET", ""))
    say("revoking permits, ending sessions, holding what was under way")
    with psycopg.connect(conninfo(target)) as session:
        sessions = session.execute("DELETE FROM django_session").rowcount
        session.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER_ROLE)))
        session.execute("SELECT sentinel_after_restore(%s)", [restore_id])
        calls = count(session, "SELECT gc_after_restore()")
        held = count(session, "SELECT orch_after_restore()")
        session.execute("RESET ROLE")
        unfinished.clear_database(session)
    return Restored(calls, held, sessions)


def command(environment: Mapping[str, str], *arguments: str) -> None:
    """Run a command of ours on what was put back.

    Raises:
        BackupRefused: it failed; its own words are the reason.
    """
    ran = subprocess.run(
        [sys.executable, str(SOURCE / "manage.py"), *arguments],
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise BackupRefused(f"{arguments[0]} failed: {(ran.stderr or ran.stdout).strip()}")


def _environment(home: Path, socket: Path, made: Manifest) -> dict[str, str]:
    own = {name: word for name, word in os.environ.items() if name not in _OF_ANOTHER_BANK}
    own.pop("FRONTLINE_DATABASE", None)
    if made.database != NAME:
        own["FRONTLINE_DATABASE"] = made.database
    return {**own, "FRONTLINE_HOME": str(home), "FRONTLINE_SOCKET": str(socket)}


def _require_empty_database(target: Mapping[str, object]) -> None:
    try:
        with psycopg.connect(conninfo(target), autocommit=True) as session:
            tables = count(
                session, "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            )
            if not tables:
                unfinished.mark_database(session)
                _make_roles(session)
    except psycopg.OperationalError as error:
        reason = f"The database {target['NAME']} cannot be reached; make it, empty: {error}"
        raise BackupRefused(reason) from error
    if tables:
        raise BackupRefused(f"The database {target['NAME']} is not empty: nothing is overwritten.")


def _make_roles(session: psycopg.Connection) -> None:
    for role in (OWNER_ROLE, "frontline_app"):
        found = session.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        if found is None:
            name = sql.Identifier(role)
            session.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOSUPERUSER").format(name))


def _pass_transactions(session: psycopg.Connection, until: int, say: Say) -> None:
    """Let numbers of transactions go by until none that is stored can come again.

    Feeds are read in their order, and an effect is allowed beside a redemption of the very same
    transaction: both would go wrong if a new transaction had the number of an old one.
    """
    session.execute("SET synchronous_commit = off")
    session.execute(
        "CREATE PROCEDURE pg_temp.pass_transactions(n integer) LANGUAGE plpgsql AS $$"
        " BEGIN FOR i IN 1..n LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
    )
    while (left := until - count(session, "SELECT pg_current_xact_id()::text::bigint")) >= 0:
        say(f"passing over the numbers of {left + 1} transactions")
        number = min(left + 1, _TRANSACTIONS_PER_CALL)
        session.execute(sql.SQL("CALL pg_temp.pass_transactions({})").format(number))
