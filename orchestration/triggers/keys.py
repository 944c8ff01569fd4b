"""Who may start flows from outside: programs with a secret of their own, and signed webhooks."""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import connection

import sentinel.public

TOLERANCE = timedelta(minutes=5)
SECRET_PREFIX = "whsec_"  # noqa: S105 - the mark of a secret, not one
KEY_PREFIX = "flk"
_NONCE_BYTES = 12
_SECRET_BYTES = 32
_SIGNATURES_MAX = 20


class CallerRefused(PermissionError):
    """No program with this key may do this."""

    code = "caller_refused"
    is_retryable = False


class AudienceRefused(ValueError):
    """No kind of action is carried out by a program outside under this name."""

    code = "audience_refused"
    is_retryable = False

    def __init__(self, audience: str) -> None:
        super().__init__(audience)
        self.audience = audience


class SignatureRefused(PermissionError):
    """A webhook is not signed with a key of its source, or not within five minutes."""

    code = "signature_refused"
    is_retryable = False

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(source, reason)
        self.source, self.reason = source, reason


@dataclass(frozen=True, slots=True)
class Caller:
    """A program outside: the flows it may start, what it may ask about whom, which connector it is.

    `subjects` are kinds of people ("customer") or one of them ("customer:<id>").
    """

    id: str
    name: str
    triggers: tuple[str, ...]
    asks: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    audience: str = ""

    def may_ask(self, *, kind: str, subject_type: str, subject_id: str) -> bool:
        """Tell whether it may ask if this subject may do this."""
        named = {subject_type, f"{subject_type}:{subject_id}"}
        return kind in self.asks and not named.isdisjoint(self.subjects)


def make_caller(
    *,
    name: str,
    triggers: tuple[str, ...],
    made_by: str,
    asks: tuple[str, ...] = (),
    subjects: tuple[str, ...] = (),
    audience: str = "",
) -> str:
    """Let a program start flows, ask, or be a connector; return its key, shown this once only.

    Raises:
        AudienceRefused: no action is carried out by a program outside under this name.
    """
    if audience and audience not in sentinel.public.outside_audiences():
        raise AudienceRefused(audience)
    caller_id, secret = secrets.token_hex(8), secrets.token_urlsafe(_SECRET_BYTES)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_caller (id, name, digest, triggers, made_by, asks, subjects,"
            " audience) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                caller_id,
                name,
                _digest(secret),
                list(triggers),
                made_by,
                list(asks),
                list(subjects),
                audience,
            ],
        )
    return f"{KEY_PREFIX}_{caller_id}_{secret}"


def revoke_caller(*, caller_id: str) -> None:
    """Let a program start nothing any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_caller SET revoked_at = clock_timestamp()"
            " WHERE entity = frontline_entity() AND id = %s AND revoked_at IS NULL",
            [caller_id],
        )


def caller_of(*, key: str) -> Caller:
    """Return the program that holds a key.

    Raises:
        CallerRefused: there is none, or its key was revoked.
    """
    prefix, _, rest = key.partition("_")
    caller_id, _, secret = rest.partition("_")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, name, triggers, digest, asks, subjects, audience FROM orch_caller"
            " WHERE entity = frontline_entity() AND id = %s AND revoked_at IS NULL",
            [caller_id.replace("\0", "")],
        )
        row = cursor.fetchone()
    kept = bytes(row[3]) if row else bytes(32)
    is_right = hmac.compare_digest(kept, _digest(secret))
    if not (row and is_right and prefix == KEY_PREFIX):
        raise CallerRefused
    return Caller(row[0], row[1], tuple(row[2]), tuple(row[4]), tuple(row[5]), row[6])


def make_webhook_key(*, source: str, made_by: str) -> tuple[UUID, str]:
    """Make another key for the webhooks of a source; return its id, and the secret once only."""
    key_id, secret = uuid4(), os.urandom(_SECRET_BYTES)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_webhook_key (id, source, sealed, made_by) VALUES (%s, %s, %s, %s)",
            [key_id, source, _sealed(secret, key_id), made_by],
        )
    return key_id, SECRET_PREFIX + base64.b64encode(secret).decode()


def revoke_webhook_key(*, key_id: UUID) -> None:
    """Accept nothing any more that is signed with this key alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_webhook_key SET revoked_at = clock_timestamp()"
            " WHERE entity = frontline_entity() AND id = %s AND revoked_at IS NULL",
            [key_id],
        )


def require_signed(*, source: str, headers: Mapping[str, str], body: bytes, at: datetime) -> str:
    """Return the id of a webhook that is signed as Standard Webhooks say, and fresh.

    Raises:
        SignatureRefused: `reason` is one of headers_missing, stale, signature_refused.
    """
    message_id, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    given = headers.get("webhook-signature", "")
    if not (message_id and stamp.isascii() and stamp.isdigit() and given):
        raise SignatureRefused(source, "headers_missing")
    # More digits than a time of this age has are no time.
    if len(stamp) > 12 or abs(at.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise SignatureRefused(source, "stale")
    signed = f"{message_id}.{stamp}.".encode() + body
    signatures = [_decoded(each) for each in given.split(" ")[:_SIGNATURES_MAX]]
    wanted = [hmac.digest(secret, signed, "sha256") for secret in _secrets(source)]
    if not any(hmac.compare_digest(a, b) for a in wanted for b in signatures):
        raise SignatureRefused(source, "signature_refused")
    return message_id


def _decoded(text: str) -> bytes:
    version, _, value = text.partition(",")
    try:
        return base64.b64decode(value, validate=True) if version == "v1" else b""
    except (binascii.Error, ValueError):
        return b""


def _secrets(source: str) -> list[bytes]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, sealed FROM orch_webhook_key"
            " WHERE entity = frontline_entity() AND source = %s AND revoked_at IS NULL",
            [source],
        )
        return [_opened(bytes(sealed), key_id) for key_id, sealed in cursor.fetchall()]


def _digest(secret: str) -> bytes:
    return hashlib.sha256(b"frontline/caller/v1\0" + secret.encode("utf-8", "replace")).digest()


def _sealed(secret: bytes, key_id: UUID) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(_key()).encrypt(nonce, secret, str(key_id).encode())


def _opened(sealed: bytes, key_id: UUID) -> bytes:
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    return AESGCM(_key()).decrypt(nonce, rest, str(key_id).encode())


def _key() -> bytes:
    entity = sentinel.public.current_entity().encode()
    derived = HKDF(SHA256(), 32, salt=None, info=b"frontline/webhooks/v1|" + entity)
    return derived.derive(settings.DATA_ENCRYPTION_KEY.encode())
