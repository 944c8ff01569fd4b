"""Files a customer hands in: sealed under their own key, opened for those who work on the case.

Files from before, and those of no customer, are sealed under a key derived from the bank's own.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import connection

import sentinel.public

ERASED = "(erased)"
SIZE_MAX_BYTES = 5 * 1024 * 1024
_NONCE_BYTES = 12
_NAME_LENGTH_MAX = 120


_DOCUMENTS = (
    "SELECT id, case_id, customer_id, sealed_name, media_type, size, sealed_reading, received_at,"
    " subject FROM orch_document"
)


class DocumentUnknown(LookupError):
    """No such document is kept for this legal entity."""

    code = "document_unknown"
    is_retryable = False

    def __init__(self, document_id: str) -> None:
        super().__init__(document_id)
        self.document_id = document_id


class DocumentErased(DocumentUnknown):
    """The person a document is about was forgotten; it cannot be read again."""

    code = "document_erased"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as it comes with a message."""

    id: UUID
    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a file came from: a conversation with a customer, or somebody of the bank.

    `about` is the customer whose case it is, where that is not who handed it in.
    """

    customer_id: UUID | None
    conversation_id: UUID | None = None
    case_id: UUID | None = None
    added_by: str | None = None
    about: UUID | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A kept file, without its content; `reading` is what was read from it."""

    id: UUID
    case_id: UUID | None
    customer_id: UUID | None
    name: str
    media_type: str
    size: int
    reading: Mapping[str, Any]
    received_at: datetime


def keep(
    attachment: Attachment,
    *,
    origin: Origin,
    reading: Mapping[str, object],
    at: datetime,
) -> None:
    """Keep a file sealed, once, with what was read from it.

    Raises:
        sentinel.public.SubjectForgotten: nothing may be kept about this customer any more.
    """
    place = str(attachment.id)
    whose = origin.customer_id or origin.about
    subject = f"customer:{whose}" if whose else None
    seal = _sealer(subject)
    name = attachment.name.strip()[:_NAME_LENGTH_MAX] or "document"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_document (id, conversation_id, case_id, customer_id, added_by,"
            " media_type, size, sealed_name, sealed_content, sealed_reading, received_at,"
            " subject) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (id) DO NOTHING",
            [
                attachment.id,
                origin.conversation_id,
                origin.case_id,
                origin.customer_id,
                origin.added_by,
                attachment.media_type[:100],
                len(attachment.content),
                seal.close(name.encode(), place=f"{place}|name"),
                seal.close(attachment.content, place=f"{place}|content"),
                seal.close(json.dumps(reading).encode(), place=f"{place}|reading"),
                at,
                subject,
            ],
        )


def file_under(document_id: UUID, case_id: UUID) -> None:
    """Put a document into a case."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_document SET case_id = %s WHERE id = %s", [case_id, document_id]
        )


def documents_of(case_id: UUID) -> tuple[Document, ...]:
    """Return the documents of a case, oldest first."""
    return _documents("case_id = %s ORDER BY received_at", case_id)


def documents_about(*, customer_id: UUID) -> tuple[Document, ...]:
    """Return the documents a customer handed in, oldest first; of the forgotten without names."""
    return _documents("customer_id = %s ORDER BY received_at", customer_id)


def document(document_id: UUID) -> Document:
    """Return one document.

    Raises:
        DocumentUnknown: there is none with this id.
    """
    found = _documents("id = %s", document_id)
    if not found:
        raise DocumentUnknown(str(document_id))
    return found[0]


def content_of(document_id: UUID) -> bytes:
    """Return the file itself.

    Raises:
        DocumentUnknown: there is none with this id.
        DocumentErased: whom it is about was forgotten.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sealed_content, subject FROM orch_document WHERE id = %s", [document_id]
        )
        row = cursor.fetchone()
    if row is None:
        raise DocumentUnknown(str(document_id))
    try:
        return _sealer(row[1]).open(bytes(row[0]), place=f"{document_id}|content")
    except sentinel.public.SubjectForgotten as error:
        raise DocumentErased(str(document_id)) from error


def _documents(condition: str, value: UUID) -> tuple[Document, ...]:
    with connection.cursor() as cursor:
        cursor.execute(f"{_DOCUMENTS} WHERE {condition}", [value])
        rows = cursor.fetchall()
    return tuple(_document(row) for row in rows)


def _document(row: tuple[Any, ...]) -> Document:
    place = str(row[0])
    try:
        seal = _sealer(row[8])
        name = seal.open(bytes(row[3]), place=f"{place}|name").decode()
        reading = json.loads(seal.open(bytes(row[6]), place=f"{place}|reading"))
    except sentinel.public.SubjectForgotten:
        name, reading = ERASED, {}
    return Document(
        id=row[0],
        case_id=row[1],
        customer_id=row[2],
        name=name,
        media_type=row[4],
        size=row[5],
        reading=reading,
        received_at=row[7],
    )


def _sealer(subject: str | None) -> "sentinel.public.SubjectSeal | _BankSeal":
    return sentinel.public.subject_seal(subject=subject) if subject else _BankSeal()


class _BankSeal:
    """Seals what is nobody's own, under a key derived from the bank's data key."""

    def close(self, content: bytes, *, place: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + AESGCM(_key()).encrypt(nonce, content, place.encode())

    def open(self, sealed: bytes, *, place: str) -> bytes:
        nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        return AESGCM(_key()).decrypt(nonce, rest, place.encode())


def _key() -> bytes:
    secret = bytes.fromhex(settings.DATA_ENCRYPTION_KEY)
    return HKDF(SHA256(), 32, salt=None, info=b"frontline/orch_document/v1").derive(secret)
