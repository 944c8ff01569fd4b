"""Ed25519 keys: one per legal entity and purpose, made on first use, readable by their owner only.

A key is a numbered file, `<entity>/<purpose>/<number>.pem`. The highest number whose time has come
signs: the time of the file says from when, and may lie ahead, so that whoever checks can learn of
a key before it signs. Older files stay for as long as what they signed must be checked.
"""

import base64
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

PUBLIC_KEY_BYTES = 32
_FIELD_PRIME = 2**255 - 19
# The y coordinates of the eight points whose order divides eight.
_LOW_ORDER_Y = frozenset(
    {
        0,
        1,
        _FIELD_PRIME - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    }
)
_ENTITY = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class KeyRefused(ValueError):
    """The key must not be used: it is absent, not canonical, or of low order."""

    code = "key_refused"
    is_retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Purpose(StrEnum):
    """What a key may sign. No key serves two purposes."""

    TOKEN = "token"  # noqa: S105 - the name of a purpose, not a secret
    LOG = "log"
    POLICY = "policy"
    WITNESS = "witness"


class Signer(Protocol):
    """Something that signs without showing its private key: a file here, a module elsewhere."""

    @property
    def kid(self) -> str:
        """The RFC 7638 thumbprint of the public key."""

    @property
    def public_bytes(self) -> bytes:
        """The public key, 32 bytes."""

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature of a message, 64 bytes."""


@dataclass(frozen=True)
class FileSigner:
    """A private key held in this process, read from a file."""

    private_key: Ed25519PrivateKey

    @cached_property
    def public_bytes(self) -> bytes:
        """The public key, 32 bytes."""
        return self.private_key.public_key().public_bytes_raw()

    @cached_property
    def kid(self) -> str:
        """The RFC 7638 thumbprint of the public key."""
        return thumbprint(self.public_bytes)

    def sign(self, message: bytes) -> bytes:
        """Return the Ed25519 signature of a message, 64 bytes."""
        return self.private_key.sign(message)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One key of a legal entity and purpose; `signs_from` is in seconds since 1970."""

    number: int
    signer: Signer
    signs_from: float


def signer_for(*, folder: Path, entity: str, purpose: Purpose) -> FileSigner:
    """Return the key that signs now for a legal entity and purpose; the first call makes it.

    Raises:
        KeyRefused: the entity is no name, or the file is no Ed25519 key.
    """
    place = _place(folder, entity, purpose)
    if not _numbers(place):
        _make(place, 1, time.time())
    found = signing(key_files(folder=folder, entity=entity, purpose=purpose)).signer
    assert isinstance(found, FileSigner), "a key in a file is read by this process"
    return found


def rotate(
    *, folder: Path, entity: str, purpose: Purpose, overlap_seconds: float = 0.0
) -> FileSigner:
    """Make the next key and return it; the older ones stay readable for verification.

    It signs after the overlap; until then whoever checks learns of it, and the one before signs.

    Raises:
        KeyRefused: the entity is no name, another process rotated at the same moment, or the key
            made before this one does not sign yet and this one would not at once.
    """
    found = key_files(folder=folder, entity=entity, purpose=purpose)
    now = time.time()
    if overlap_seconds and any(each.signs_from > now for each in found[1:]):
        raise KeyRefused("the key made before this one does not sign yet")
    following = found[-1].number + 1 if found else 1
    place = _place(folder, entity, purpose)
    if not _make(place, following, now + overlap_seconds):
        raise KeyRefused("another process made this key at the same moment")
    return _read(place / f"{following}.pem")


def key_files(*, folder: Path, entity: str, purpose: Purpose) -> tuple[KeyFile, ...]:
    """Return every key of a legal entity and purpose, oldest first.

    Raises:
        KeyRefused: the entity is no name, or a file is no Ed25519 key.
    """
    place = _place(folder, entity, purpose)
    paths = [(number, place / f"{number}.pem") for number in _numbers(place)]
    return tuple(KeyFile(number, _read(path), path.stat().st_mtime) for number, path in paths)


def signing(files: Sequence[KeyFile]) -> KeyFile:
    """Return the key that signs now: the newest whose time has come, or else the oldest."""
    now = time.time()
    return next((each for each in reversed(files) if each.signs_from <= now), files[0])


def public_keys(*, folder: Path, entity: str, purpose: Purpose) -> dict[str, bytes]:
    """Return every public key of this entity and purpose by its thumbprint, oldest first."""
    found = key_files(folder=folder, entity=entity, purpose=purpose)
    return {each.signer.kid: each.signer.public_bytes for each in found}


def thumbprint(public_bytes: bytes) -> str:
    """Return the RFC 7638 thumbprint of an Ed25519 public key, 43 characters."""
    key = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(public_bytes)}
    text = json.dumps(key, separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(text.encode()).digest())


def require_sound_public_key(public_bytes: bytes) -> Ed25519PublicKey:
    """Return the key of an encoding that names one point of full order, and in one way only.

    Raises:
        KeyRefused: the encoding is not 32 bytes, not canonical, or of low order; OpenSSL accepts
            signatures under such keys that nobody made.
    """
    if len(public_bytes) != PUBLIC_KEY_BYTES:
        raise KeyRefused("public key is not 32 bytes long")
    y = int.from_bytes(public_bytes, "little") & (2**255 - 1)
    if y >= _FIELD_PRIME:
        raise KeyRefused("public key is not in canonical form")
    if y in _LOW_ORDER_Y:
        raise KeyRefused("public key has low order")
    return Ed25519PublicKey.from_public_bytes(public_bytes)


def is_signature_valid(*, public_bytes: bytes, signature: bytes, message: bytes) -> bool:
    """Return whether a sound key signed this message."""
    try:
        require_sound_public_key(public_bytes).verify(signature, message)
    except (InvalidSignature, KeyRefused):
        return False
    return True


def _place(folder: Path, entity: str, purpose: Purpose) -> Path:
    # The entity becomes a folder name, so nothing else may pass.
    if not _ENTITY.fullmatch(entity):
        raise KeyRefused("legal entity is not a plain name")
    return folder / entity / purpose.value


def _numbers(place: Path) -> list[int]:
    return sorted(int(path.stem) for path in place.glob("*.pem") if path.stem.isdigit())


def _make(place: Path, number: int, signs_from: float) -> bool:
    """Write a new key; return False if another process was first."""
    private = Ed25519PrivateKey.generate()
    text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=place)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.utime(draft, (signs_from, signs_from))
    try:
        # A link appears whole or not at all, and never replaces a key that is there.
        os.link(draft, place / f"{number}.pem")
    except FileExistsError:
        return False
    finally:
        os.unlink(draft)
    return True


def _read(path: Path) -> FileSigner:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise KeyRefused(f"{path.name} is not a private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefused(f"{path.name} is not an Ed25519 key")
    return FileSigner(key)


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
