"""The keys of decision tokens as they stand now: which one signs, which still count, which is next.

A new key is told of before it signs, and an old one counts for as long as a token of its can be
out, so that a rotation refuses nobody. The folder is looked at every few seconds, and within a
second when a token names a key that is not known.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from django.conf import settings

from sentinel.signing.custody import SignerUnavailable, custody, is_apart
from sentinel.signing.keys import KeyFile, Signer, signing
from sentinel.tokens import TTL_SECONDS_MAX

# How long a checker outside may keep what it was told.
KEPT_OUTSIDE_SECONDS = 300
OVERLAP_SECONDS = KEPT_OUTSIDE_SECONDS + TTL_SECONDS_MAX
_SKEW_SECONDS = 10
_LOOK_SECONDS = 5

KeyState = Literal["next", "signs", "counts", "retired"]


@dataclass(frozen=True, slots=True)
class TokenKey:
    """One key: a token of a key that is `retired` is refused, one that `counts` is not."""

    file: KeyFile
    state: KeyState


def token_signer(entity: str) -> Signer:
    """Return the key that signs a legal entity's decision tokens now; the first call makes it.

    Raises:
        SignerUnavailable: whoever keeps the keys did not answer, neither now nor before.
    """
    return signing(_seen(entity, _LOOK_SECONDS)).signer


def pinned_keys(entity: str, *, is_asked_again: bool = False) -> Mapping[str, bytes]:
    """Return the public keys whose tokens are good now, by thumbprint.

    `is_asked_again` looks at what another process may have made a moment ago.
    """
    files = _seen(entity, 1 if is_asked_again else _LOOK_SECONDS)
    return {
        each.file.signer.kid: each.file.signer.public_bytes
        for each in states_of(files)
        if each.state != "retired"
    }


def token_keys(entity: str) -> tuple[TokenKey, ...]:
    """Return every token key of a legal entity with what it is good for, oldest first.

    Raises:
        SignerUnavailable: whoever keeps the keys did not answer, neither now nor before.
    """
    return states_of(_asked(entity))


def states_of(files: tuple[KeyFile, ...]) -> tuple[TokenKey, ...]:
    """Return keys, oldest first, with what each is good for at this moment."""
    if not files:
        return ()
    now, signs = time.time(), signing(files)
    return tuple(TokenKey(each, _state(each, files, signs, now)) for each in files)


def _state(each: KeyFile, files: tuple[KeyFile, ...], signs: KeyFile, now: float) -> KeyState:
    if each is signs:
        return "signs"
    if each.number > signs.number:
        return "next"
    follower = next(file for file in files if file.number > each.number)
    last_token = follower.signs_from + TTL_SECONDS_MAX + _SKEW_SECONDS
    return "counts" if now <= last_token else "retired"


def _seen(entity: str, seconds: int) -> tuple[KeyFile, ...]:
    return _looked_at(_place(), entity, seconds, int(time.monotonic() / seconds))


@lru_cache(maxsize=32)
def _looked_at(_place: str, entity: str, _seconds: int, _tick: int) -> tuple[KeyFile, ...]:
    return _asked(entity)


# What was told last: tokens that are out are checked by it while nobody answers.
_told: dict[tuple[str, str], tuple[KeyFile, ...]] = {}


def _asked(entity: str) -> tuple[KeyFile, ...]:
    known = (_place(), entity)
    try:
        _told[known] = custody().keys(entity)
    except SignerUnavailable:
        if known not in _told:
            raise
    return _told[known]


def _place() -> str:
    return str(settings.SENTINEL_SIGNER_SOCKET if is_apart() else settings.KEYS_DIR)
