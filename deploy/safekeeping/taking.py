"""Takes a backup while the bank runs: the copy is consistent, and appears whole or not at all."""

import shutil
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psycopg
from django.conf import settings

from deploy.safekeeping import key_box, manifest, sealing
from deploy.safekeeping.manifest import BackupRefused, Manifest
from deploy.safekeeping.programs import Say, addressed, count, program, run
from deploy.settings.database import conninfo
from sentinel import public as sentinel

DUMP = "database.dump"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What kind of backup: of the embedded PostgreSQL or of a server, with keys or without."""

    is_embedded: bool
    passphrase: str | None


def take(*, folder: Path, wanted: Wanted, backup_id: UUID, at: datetime, say: Say) -> Manifest:
    """Copy the whole bank into a new folder and return what its manifest says.

    Raises:
        BackupRefused: the folder is there already, or a program of PostgreSQL failed.
    """
    if folder.exists():
        raise BackupRefused(f"{folder} is there already; a backup overwrites nothing.")
    draft = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700, parents=True)
    try:
        made = _taken(draft, wanted, backup_id, at, say)
        draft.rename(folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return made


def _taken(draft: Path, wanted: Wanted, backup_id: UUID, at: datetime, say: Say) -> Manifest:
    checkpoints = _checkpoints()
    with psycopg.connect(conninfo(settings.DATABASE_ADMINISTRATOR), autocommit=True) as session:
        migrations = _migrations(session)
        if wanted.is_embedded:
            _copy_cluster(draft, say)
        else:
            _dump(draft, session, say)
        transaction = count(session, "SELECT pg_current_xact_id()::text::bigint")
        version = session.info.server_version
    if wanted.passphrase is not None:
        say("sealing the keys")
        _seal_keys(draft, wanted.passphrase)
    say("hashing what was copied")
    made = Manifest(
        format=2,
        id=backup_id,
        kind="cluster" if wanted.is_embedded else "dump",
        made_at=at,
        postgres=version,
        database=str(settings.DATABASE_ADMINISTRATOR["NAME"]),
        transaction=transaction,
        files={path.name: manifest.kept(path) for path in sorted(draft.iterdir())},
        migrations=migrations,
        checkpoints=checkpoints,
        are_keys_included=wanted.passphrase is not None,
    )
    manifest.write(draft, made)
    sealing.write(draft, data_key=settings.DATA_ENCRYPTION_KEY)
    return made


def _checkpoints() -> dict[str, str]:
    """Return the newest signed checkpoint of every log: the copy holds at least as much."""
    while sentinel.run_sequencer_once():
        pass
    found = {}
    for registered in sentinel.legal_entities():
        with sentinel.legal_entity(entity=registered.entity):
            latest = sentinel.latest_checkpoint()
        if latest is not None:
            found[registered.entity] = latest.note
    return found


def _migrations(session: psycopg.Connection) -> dict[str, list[str]]:
    found = dict[str, list[str]]()
    for app, name in session.execute("SELECT app, name FROM django_migrations ORDER BY id"):
        found.setdefault(app, []).append(name)
    return found


def _copy_cluster(draft: Path, say: Say) -> None:
    """Copy all of the embedded PostgreSQL with the changes made meanwhile, and nothing stops."""
    place = settings.DATABASE_ADMINISTRATOR
    say("copying the database, with what changes meanwhile")
    options = ["--format=tar", "--gzip", "--compress=1", "--wal-method=stream"]
    options += ["--checkpoint=fast", "--manifest-checksums=SHA256", "--no-password"]
    run(
        [
            program("pg_basebackup"),
            *("-D", draft, "-h", str(place["HOST"]), "-U", str(place["USER"])),
            *options,
        ],
        what="the copy",
        say=say,
        watched=draft,
    )


def _dump(draft: Path, session: psycopg.Connection, say: Say) -> None:
    row = session.execute(
        "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    ).fetchone()
    if row != (True,):
        raise BackupRefused(
            "This login sees the rows of no legal entity, so its copy would be empty. Name one in"
            " DATABASE_ADMIN_URL that is a superuser or has BYPASSRLS."
        )
    say("dumping the database as of one moment")
    address, password = addressed(settings.DATABASE_ADMINISTRATOR)
    run(
        [
            program("pg_dump"),
            *("--format=custom", "--compress=1", "--no-password", "--file", draft / DUMP),
            *("--dbname", address),
        ],
        what="the dump",
        say=say,
        watched=draft,
        password=password,
    )


def _seal_keys(draft: Path, passphrase: str) -> None:
    key_box.seal(
        folder=Path(settings.KEYS_DIR),
        extras=(Path(settings.SIGN_IN_FILE),),
        to=draft / key_box.FILE,
        passphrase=passphrase,
    )
