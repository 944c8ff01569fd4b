"""What a backup says of itself: its files with their hashes, and how far the bank had come."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE = "manifest.json"
BYTES_MAX = 4 * 1024 * 1024
_CHUNK = 1024 * 1024
Kind = Literal["cluster", "dump"]


class BackupRefused(Exception):
    """The backup cannot be taken, or not be put back; the reason says why and what to do."""

    code = "backup_refused"
    is_retryable = False
    exit_code = 2

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class KeptFile(_Stored):
    """One file of a backup: its size in bytes and its SHA-256 in hexadecimal."""

    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


# A file of a backup stands in its folder: no name leads elsewhere.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]


class Manifest(_Stored):
    """One backup. `cluster` is the whole embedded PostgreSQL, `dump` one database of a server.

    `checkpoints` are the signed notes of each legal entity's log before the copy began,
    `transaction` a number no transaction in the copy exceeds.
    """

    format: Literal[2]
    id: UUID
    kind: Kind
    made_at: datetime
    postgres: int
    database: str
    transaction: int
    files: dict[Name, KeptFile]
    migrations: dict[str, list[str]]
    checkpoints: dict[str, str]
    are_keys_included: bool


def kept(path: Path) -> KeptFile:
    """Return the size and hash of a file as it is now."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return KeptFile(size=path.stat().st_size, sha256=digest.hexdigest())


def write(folder: Path, manifest: Manifest) -> None:
    """Put the manifest into the folder of its backup."""
    (folder / FILE).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def raw(folder: Path) -> bytes:
    """Return the bytes of a manifest, unread.

    Raises:
        BackupRefused: there is none, or it is larger than any.
    """
    path = folder / FILE
    if path.is_symlink() or not path.is_file():
        raise BackupRefused(f"{folder} holds no {FILE}: it is no backup.")
    with path.open("rb") as file:
        said = file.read(BYTES_MAX + 1)
    if len(said) > BYTES_MAX:
        raise BackupRefused(f"The {FILE} of {folder} is larger than any: it was altered.")
    return said


def parsed(folder: Path, said: bytes) -> Manifest:
    """Return the manifest that these bytes are.

    Raises:
        BackupRefused: it is not of a form this release knows.
    """
    try:
        return Manifest.model_validate_json(said)
    except ValidationError as error:
        reason = f"The {FILE} of {folder} is of no form this release knows."
        raise BackupRefused(reason) from error


def require_whole(folder: Path, manifest: Manifest, *, beside: set[str]) -> None:
    """Compare every file with the manifest; `beside` are those it cannot name.

    Raises:
        BackupRefused: a file was altered, is missing, or is not of this backup.
    """
    there = {path.name for path in folder.iterdir()} - beside
    for name in sorted(there - manifest.files.keys()):
        raise BackupRefused(f"{name} is not of this backup.")
    for name, said in sorted(manifest.files.items()):
        path = folder / name
        if name not in there or path.is_symlink() or not path.is_file():
            raise BackupRefused(f"{name} is missing.")
        # What has another size is not read to its end.
        if path.stat().st_size != said.size or kept(path) != said:
            raise BackupRefused(f"{name} was altered: its SHA-256 is not the manifest's.")
