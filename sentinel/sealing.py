"""Encryption at rest: one key per subject, wrapped by the bank's data key.

Destroying a subject's key makes everything sealed under it unreadable for ever, while every hash
in the evidence log still verifies.
"""

import json
import os
from dataclasses import dataclass, field
from functools import cache, lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import connection

from sentinel.entities import current_entity
from sentinel.refusals import SentinelError

KEY_BYTES = 32
NONCE_BYTES = 12
_WRAPPED = "SELECT wrapped FROM sentinel_subject_key WHERE subject = %s"


class SealBroken(SentinelError):
    """What was sealed was altered, or belongs to another key, row or legal entity."""

    code = "seal_broken"


class SubjectForgotten(SentinelError):
    """The key of this subject was destroyed on request; what it sealed cannot be read again."""

    code = "subject_forgotten"

    def __init__(self, subject: str) -> None:
        super().__init__(subject)
        self.subject = subject


def seal(key: bytes, plain: bytes, *, bound_to: str) -> bytes:
    """Return `plain` encrypted, readable only together with the same `bound_to`."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(key).encrypt(nonce, plain, bound_to.encode())


def unseal(key: bytes, sealed: bytes, *, bound_to: str) -> bytes:
    """Return what was sealed.

    Raises:
        SealBroken: the bytes, the key or what they are bound to is another.
    """
    try:
        return _cipher(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound_to.encode())
    except InvalidTag as error:
        raise SealBroken from error


def unseal_values(key: bytes, sealed: bytes, *, bound_to: str) -> dict[str, object]:
    """Return JSON values that were sealed.

    Raises:
        SealBroken: the bytes, the key or what they are bound to is another.
    """
    values: dict[str, object] = json.loads(unseal(key, sealed, bound_to=bound_to))
    return values


@cache
def data_key() -> bytes:
    """Return the bank's data key, which wraps all others."""
    return bytes.fromhex(settings.DATA_ENCRYPTION_KEY)


def new_wrapped_key(entity: str, subject: str) -> bytes:
    """Return a new subject key, wrapped."""
    return seal(data_key(), os.urandom(KEY_BYTES), bound_to=f"subject-key/v1|{entity}|{subject}")


@lru_cache(maxsize=4096)
def unwrap_key(entity: str, subject: str, wrapped: bytes) -> bytes:
    """Return the key of a subject from the wrapped form that its row holds now.

    Raises:
        SealBroken: the wrapped key was altered or belongs to somebody else.
    """
    return unseal(data_key(), wrapped, bound_to=f"subject-key/v1|{entity}|{subject}")


def subject_key(subject: str) -> bytes:
    """Return the key of a subject of the current legal entity, making it first if there is none.

    Raises:
        SubjectForgotten: the key was destroyed.
    """
    entity = current_entity()
    with connection.cursor() as cursor:
        cursor.execute(_WRAPPED, [subject])
        row = cursor.fetchone()
        if row is None:
            cursor.execute(
                "INSERT INTO sentinel_subject_key (subject, wrapped) VALUES (%s, %s)"
                " ON CONFLICT DO NOTHING",
                [subject, new_wrapped_key(entity, subject)],
            )
            cursor.execute(_WRAPPED, [subject])
            row = cursor.fetchone()
    if row[0] is None:
        raise SubjectForgotten(subject)
    return unwrap_key(entity, subject, bytes(row[0]))


@dataclass(frozen=True, slots=True)
class SubjectSeal:
    """Seals and opens what is kept about one subject, for as long as it is at hand."""

    subject: str
    _key: bytes = field(repr=False)

    def close(self, content: bytes, *, place: str) -> bytes:
        """Return content sealed, readable at this place only."""
        return seal(self._key, content, bound_to=f"words/v1|{place}")

    def open(self, sealed: bytes, *, place: str) -> bytes:
        """Return what was sealed.

        Raises:
            SealBroken: it was altered, or sealed for somebody or something else.
        """
        return unseal(self._key, sealed, bound_to=f"words/v1|{place}")


def subject_seal(*, subject: str) -> SubjectSeal:
    """Return the seal of whom something is kept about.

    Raises:
        SubjectForgotten: the key was destroyed; nothing may be kept about them any more.
        EntityNotSet: no legal entity is being worked for.
    """
    return SubjectSeal(subject, subject_key(subject))


def seal_for(*, subject: str, words: str, place: str) -> bytes:
    """Return words sealed under the key of whom they are about, readable at this place only.

    Raises:
        SubjectForgotten: the key was destroyed; nothing may be kept about them any more.
        EntityNotSet: no legal entity is being worked for.
    """
    return subject_seal(subject=subject).close(words.encode(), place=place)


def unseal_for(*, subject: str, sealed: bytes, place: str) -> str:
    """Return words that were sealed for a subject at a place.

    Raises:
        SubjectForgotten: the key was destroyed; the words cannot be read again.
        SealBroken: they were altered, or sealed for somebody or something else.
    """
    return subject_seal(subject=subject).open(sealed, place=place).decode()


@lru_cache(maxsize=4096)
def _cipher(key: bytes) -> AESGCM:
    return AESGCM(key)
