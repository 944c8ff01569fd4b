"""`manage.py backup`: the whole bank in one folder, taken while it runs."""

import getpass
import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.safekeeping import key_box, manifest
from deploy.safekeeping.manifest import BackupRefused, Manifest
from deploy.safekeeping.taking import Wanted, take

PASSPHRASE = "FRONTLINE_BACKUP_PASSPHRASE"  # noqa: S105 - the name of a variable


class Command(BaseCommand):
    help = (
        "Copy the whole bank into a new folder while it runs: database, log checkpoints, and a"
        " manifest with the hash of each file, sealed under the bank's data key. Keys stay out of"
        " it unless --with-keys seals them; without the data key nothing of it is ever put back:"
        " it is keys/data-encryption in the installation's folder, or FRONTLINE_DATA_KEY."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="where to put it; must not exist yet")
        parser.add_argument(
            "--with-keys",
            action="store_true",
            help=f"also the keys, sealed with a passphrase (asked for, or in {PASSPHRASE})",
        )

    def handle(self, *_args: object, **options: Any) -> None:  # noqa: ANN401
        folder: Path = options["folder"].absolute()
        wanted = Wanted(
            is_embedded=not os.environ.get("DATABASE_URL"),
            passphrase=_new_passphrase() if options["with_keys"] else None,
        )
        try:
            made = take(
                folder=folder, wanted=wanted, backup_id=uuid4(), at=datetime.now(UTC), say=self._say
            )
        except BackupRefused as refusal:
            raise CommandError(refusal.reason, returncode=refusal.exit_code) from refusal
        self.stdout.write("\n".join(_words(folder, made)))

    def _say(self, words: str) -> None:
        self.stdout.write(f"  {words}")
        self.stdout.flush()


def _words(folder: Path, made: Manifest) -> list[str]:
    size = sum(each.size for each in made.files.values())
    name = hashlib.sha256((folder / manifest.FILE).read_bytes()).hexdigest()
    keys = (
        "The keys are in it, sealed with your passphrase."
        if made.are_keys_included
        else "The keys are NOT in it. Keep the folder `keys` somewhere else: without it this backup"
        " cannot be put back, and what is sealed for customers stays unreadable."
    )
    return [
        f"{folder}: {len(made.files)} files, {size / 1e6:.1f} MB, backup {made.id}",
        keys,
        "Write this down and keep it elsewhere; it names this backup and no other:",
        f"  {name}",
    ]


def _new_passphrase() -> str:
    given = os.environ.get(PASSPHRASE)
    if given is None:
        given = getpass.getpass("Passphrase for the keys: ")
        if getpass.getpass("The same again: ") != given:
            raise CommandError("The two differ; nothing was done.", returncode=2)
    if len(given) < key_box.PASSPHRASE_LENGTH_MIN:
        raise CommandError(
            f"A passphrase has {key_box.PASSPHRASE_LENGTH_MIN} characters or more.", returncode=2
        )
    return given
