"""The seal of a backup: whoever lacks the bank's data key can write no manifest that passes.

Hashes alone prove nothing to somebody who can write both the files and the manifest.
"""

from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from deploy.safekeeping import manifest
from deploy.safekeeping.manifest import BackupRefused, Manifest

FILE = "manifest.seal"
_INFO = b"frontline/backup-manifest/v1"
_KEY_BYTES = 32
_SEAL_BYTES = 2 * 32 + 1


class SealRefused(BackupRefused):
    """The backup has no seal, or not that of this bank over this manifest."""

    code = "backup_seal_refused"
    exit_code = 3


def write(folder: Path, *, data_key: str) -> None:
    """Seal the manifest that stands in the folder of a backup.

    Raises:
        SealRefused: the data key is no key.
    """
    stated = _code(data_key, (folder / manifest.FILE).read_bytes()).finalize()
    (folder / FILE).write_text(f"{stated.hex()}\n", encoding="ascii")


def checked(folder: Path, *, data_key: str) -> Manifest:
    """Return the manifest of a backup that this bank sealed and nobody altered.

    The seal is compared before anything is parsed, and every file before anything is unpacked.

    Raises:
        SealRefused: the seal is missing, or is not this bank's over this manifest.
        BackupRefused: it is no backup, or a file was altered, is missing, or is not of it.
    """
    said = manifest.raw(folder)
    _require_seal(folder, said, data_key)
    found = manifest.parsed(folder, said)
    manifest.require_whole(folder, found, beside={manifest.FILE, FILE})
    return found


def _require_seal(folder: Path, said: bytes, data_key: str) -> None:
    path = folder / FILE
    if path.is_symlink() or not path.is_file():
        raise SealRefused(f"{folder} holds no {FILE}: who wrote it is unknown. Nothing is read.")
    given = path.read_bytes() if path.stat().st_size == _SEAL_BYTES else b""
    try:
        stated = bytes.fromhex(given.decode("ascii"))
        # It compares in constant time.
        _code(data_key, said).verify(stated)
    except (InvalidSignature, ValueError):
        raise SealRefused(
            f"The seal of {folder} does not fit: the backup was altered, or it is another bank's"
            " and needs that bank's data key. Nothing is read."
        ) from None


def key_bytes(data_key: str) -> bytes:
    """Return the bank's data key as bytes; anybody could seal with an empty one.

    Raises:
        SealRefused: it is not 32 bytes in hexadecimal.
    """
    try:
        secret = bytes.fromhex(data_key)
    except ValueError:
        secret = b""
    if len(secret) != _KEY_BYTES:
        raise SealRefused("The data key is no key: 32 bytes in hexadecimal are.")
    return secret


def _code(data_key: str, said: bytes) -> HMAC:
    secret = key_bytes(data_key)
    key = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=_INFO).derive(secret)
    code = HMAC(key, SHA256())
    code.update(said)
    return code
