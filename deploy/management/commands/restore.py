"""`manage.py restore`: a backup as a running bank, in a new place, proved before it is used."""

import getpass
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.embedded.archiving import VARIABLE, Recovery
from deploy.home import SOURCE
from deploy.management.commands.backup import PASSPHRASE
from deploy.safekeeping import key_box, manifest, sealing
from deploy.safekeeping.key_box import Keys
from deploy.safekeeping.manifest import BackupRefused, Manifest
from deploy.safekeeping.putting_back import (
    Restored,
    put_back_cluster,
    put_back_dump,
    require_empty_home,
    settle,
)

DATABASE = "database"


class Command(BaseCommand):
    help = (
        "Put a backup back: --into a new folder, or --into database, the empty one that"
        " DATABASE_URL names. Seal and hashes are checked first, which needs the bank's data key:"
        " out of the backup (--with-keys) or of --keys for a folder, FRONTLINE_DATA_KEY for a"
        " database. Permits from before are revoked; then everything is verified. Nothing is"
        " overwritten. Ends with 2 if it was refused, 3 if the seal is missing or wrong, 1 if what"
        " was put back is not sound."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="the backup")
        parser.add_argument("--into", required=True, help=f"a new folder, or the word {DATABASE}")
        parser.add_argument("--keys", type=Path, help="the folder of keys, kept elsewhere")
        parser.add_argument(
            "--wal",
            type=Path,
            help=f"go on from the backup with what {VARIABLE} kept; its files are not sealed",
        )
        parser.add_argument(
            "--until", type=_moment, help="with --wal: the moment to stop at, as ISO 8601 (UTC)"
        )

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401
        folder: Path = options["folder"].absolute()
        try:
            self._say("checking the seal and the hashes of the backup")
            keys = _keys(folder, options["into"], options["keys"])
            made = sealing.checked(folder, data_key=keys.data_key)
            recovery = _recovery(made, options["wal"], options["until"])
            with self._put_back(folder, made, options["into"], keys, recovery) as environment:
                found = settle(made=made, environment=environment, say=self._say)
                self._tell(found)
                self._say("verifying")
                code = _verify(environment, folder)
        except BackupRefused as refusal:
            raise CommandError(refusal.reason, returncode=refusal.exit_code) from refusal
        if code:
            raise CommandError("What was put back is not sound: see above.", returncode=code)
        self.stdout.write(_words(options["into"]))

    def _put_back(
        self, folder: Path, made: Manifest, into: str, keys: Keys, recovery: Recovery | None
    ) -> AbstractContextManager[dict[str, str]]:
        if (into == DATABASE) != (made.kind == "dump"):
            other = DATABASE if made.kind == "dump" else "a new folder"
            raise BackupRefused(f"This backup goes --into {other}.")
        if made.kind == "dump":
            if not os.environ.get("DATABASE_URL"):
                raise BackupRefused("Set DATABASE_URL to the empty database to fill.")
            return put_back_dump(folder=folder, made=made, say=self._say)
        home = Path(into).absolute()
        require_empty_home(home)
        return put_back_cluster(
            folder=folder, made=made, home=home, keys=keys, say=self._say, recovery=recovery
        )

    def _tell(self, found: Restored) -> None:
        self._say(
            f"{found.sessions_ended} sessions ended; {found.calls_to_ask} calls to systems outside"
            f" will be asked about; {found.effects_held} effects held for a person"
        )

    def _say(self, words: str) -> None:
        self.stdout.write(f"  {words}")
        self.stdout.flush()


def _recovery(made: Manifest, archive: Path | None, until: datetime | None) -> Recovery | None:
    """Return what to go on with after the backup; refuse what cannot lead to that moment."""
    if archive is None:
        if until is not None:
            raise BackupRefused("--until goes with --wal: a backup alone is of one moment.")
        return None
    if made.kind == "dump":
        raise BackupRefused(
            "A dump is of one moment. Recover the server with its own archive to a moment of"
            " yours, then say so: manage.py gate shut --yes"
        )
    if until is not None and until < made.made_at:
        raise BackupRefused(f"This backup was taken at {made.made_at:%F %T} UTC, after that.")
    recovery = Recovery(archive.absolute(), until)
    if problem := recovery.problem():
        raise BackupRefused(problem)
    return recovery


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _keys(folder: Path, into: str, named: Path | None) -> Keys:
    """Return the bank's keys; those of a server's bank are set, not put anywhere."""
    manifest.raw(folder)
    if into == DATABASE:
        if named is not None:
            raise BackupRefused("--keys goes with a new folder; set FRONTLINE_DATA_KEY instead.")
        return Keys(settings.DATA_ENCRYPTION_KEY)
    if named is not None:
        return key_box.kept_in(named.absolute())
    if not (folder / key_box.FILE).is_file():
        raise BackupRefused("This backup holds no keys: name their folder with --keys.")
    given = os.environ.get(PASSPHRASE)
    passphrase = getpass.getpass("Passphrase of the keys: ") if given is None else given
    return key_box.opened(file=folder / key_box.FILE, passphrase=passphrase)


def _verify(environment: Mapping[str, str], folder: Path) -> int:
    """Verify in a process of its own: this one's settings are those of another place."""
    return subprocess.run(
        [sys.executable, str(SOURCE / "manage.py"), "verify", "--backup", str(folder)],
        env=dict(environment),
        check=False,
    ).returncode


def _words(into: str) -> str:
    shut = "Its gate is shut: nothing is decided, spent or sent before it is opened again. What is"
    shut += " missing for that: manage.py gate status"
    if into == DATABASE:
        return f"The database is filled. Start web, worker and tick on it.\n{shut}"
    return f"The bank stands in {into}. Start it: FRONTLINE_HOME={into} make run\n{shut}"
