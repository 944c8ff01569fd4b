"""The keys of a bank: a folder kept elsewhere, or one file sealed with a passphrase.

The file is sealed by scrypt, then AES-256-GCM.
"""

import io
import os
import shutil
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from deploy.safekeeping.manifest import BackupRefused
from deploy.safekeeping.sealing import key_bytes

FILE = "keys.sealed"
PASSPHRASE_LENGTH_MIN = 12
_MAGIC = b"frontline-keys-v1\n"
_SALT_BYTES, _NONCE_BYTES = 16, 12
# 128 MiB and about half a second for each guess.
_COST, _BLOCK, _LANES = 2**17, 8, 1
_BYTES_MAX = 16 * 1024 * 1024
_FOLDER, _DATA_KEY = "keys", "data-encryption"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a bank, not yet put anywhere: in a folder, or opened and packed."""

    data_key: str = field(repr=False)
    folder: Path | None = None
    packed: bytes = field(default=b"", repr=False)

    def put_into(self, home: Path) -> None:
        """Put them, and what was sealed with them, into an installation's folder."""
        if self.folder is not None:
            shutil.copytree(self.folder, home / _FOLDER)
        else:
            with tarfile.open(fileobj=io.BytesIO(self.packed)) as archive:
                archive.extractall(home, filter="data")
        (home / _FOLDER).chmod(0o700)


def seal(*, folder: Path, extras: tuple[Path, ...], to: Path, passphrase: str) -> None:
    """Write the folder of keys, and the extra files that exist, sealed into one file.

    Raises:
        BackupRefused: the passphrase is too short.
    """
    if len(passphrase) < PASSPHRASE_LENGTH_MIN:
        raise BackupRefused(f"A passphrase has {PASSPHRASE_LENGTH_MIN} characters or more.")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.add(folder, arcname=_FOLDER)
        for extra in extras:
            if extra.exists():
                archive.add(extra, arcname=extra.name)
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    sealed = AESGCM(_key(passphrase, salt)).encrypt(nonce, packed.getvalue(), _MAGIC)
    to.touch(mode=0o600)
    to.write_bytes(_MAGIC + salt + nonce + sealed)


def kept_in(folder: Path) -> Keys:
    """Return the keys that stand in a folder.

    Raises:
        BackupRefused: the bank's data key is not among them.
        SealRefused: what stands there is no key.
    """
    if not (folder / _DATA_KEY).is_file():
        raise BackupRefused(f"{folder} holds no key {_DATA_KEY}.")
    return Keys(_data_key((folder / _DATA_KEY).read_bytes()), folder=folder)


def opened(*, file: Path, passphrase: str) -> Keys:
    """Return the keys in a sealed file.

    Raises:
        BackupRefused: the passphrase is wrong, or the file was altered.
        SealRefused: the bank's data key in it is no key.
    """
    with file.open("rb") as sealed:
        raw = sealed.read(_BYTES_MAX + 1)
    start = len(_MAGIC) + _SALT_BYTES + _NONCE_BYTES
    salt = raw[len(_MAGIC) : len(_MAGIC) + _SALT_BYTES]
    nonce = raw[len(_MAGIC) + _SALT_BYTES : start]
    try:
        if not raw.startswith(_MAGIC) or not start < len(raw) <= _BYTES_MAX:
            raise InvalidTag
        packed = AESGCM(_key(passphrase, salt)).decrypt(nonce, raw[start:], _MAGIC)
    except InvalidTag:
        raise BackupRefused(
            f"{file.name} cannot be opened: the passphrase is wrong, or the file was altered."
        ) from None
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        try:
            found = archive.extractfile(f"{_FOLDER}/{_DATA_KEY}")
        except KeyError:
            found = None
        if found is None:
            raise BackupRefused(f"{file.name} holds no key {_DATA_KEY}.")
        return Keys(_data_key(found.read()), packed=packed)


def _data_key(raw: bytes) -> str:
    data_key = raw.decode("ascii", "replace").strip()
    key_bytes(data_key)
    return data_key


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_COST, r=_BLOCK, p=_LANES).derive(passphrase.encode())
