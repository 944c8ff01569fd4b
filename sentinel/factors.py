"""The second factor: time-based codes, whose secrets are sealed and whose counters only rise."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pyotp
from django.conf import settings
from django.db import connection, transaction

from sentinel.entities import current_entity
from sentinel.log.records import append
from sentinel.refusals import SentinelError
from sentinel.sealing import data_key, seal, unseal

STEP_SECONDS = 30
# One step either way: clocks differ, and typing takes time.
STEPS_TOLERATED = 1
FAILURES_MAX = 15
LOCK_MINUTES = 30
_FACTOR = """
SELECT sealed, last_counter, failures, failed_at FROM sentinel_factor WHERE principal_id = %s
"""
_FACTOR_LOCKED = _FACTOR + " FOR UPDATE"


class FactorUnknown(SentinelError):
    """This person has no second factor."""

    code = "factor_unknown"


class FactorNotShown(SentinelError):
    """Codes are shown only in a sample bank, where a simulator stands in for a phone."""

    code = "factor_not_shown"


@dataclass(frozen=True, slots=True)
class TotpEnrolment:
    """A new second factor. It is shown to its owner once and kept by nobody else in the clear."""

    uri: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Factor:
    """A second factor as it stands, locked for the transaction that asked."""

    principal_id: str
    secret: str = field(repr=False)
    last_counter: int
    failures: int
    failed_at: datetime | None

    def is_locked(self, at: datetime) -> bool:
        """Whether too many wrong codes in a row were given too recently."""
        if self.failures < FAILURES_MAX or self.failed_at is None:
            return False
        return at < self.failed_at + timedelta(minutes=LOCK_MINUTES)

    def matching_counter(self, code: str, at: datetime) -> int | None:
        """Return the counter whose code this is, if it is one of those acceptable now."""
        totp = pyotp.TOTP(self.secret)
        now = int(at.timestamp()) // STEP_SECONDS
        for counter in range(now - STEPS_TOLERATED, now + STEPS_TOLERATED + 1):
            if hmac.compare_digest(totp.generate_otp(counter).encode(), code.encode()):
                return counter
        return None


def enrol_totp(*, principal_id: str) -> TotpEnrolment:
    """Give a person a second factor, replacing the one they had, and show it this once."""
    secret = pyotp.random_base32()
    entity = current_entity()
    sealed = seal(data_key(), secret.encode(), bound_to=_bound(entity, principal_id))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_factor (principal_id, sealed) VALUES (%s, %s)"
            " ON CONFLICT (entity, principal_id) DO UPDATE SET sealed = excluded.sealed,"
            " last_counter = 0, failures = 0, failed_at = NULL, enrolled_at = clock_timestamp()",
            [principal_id, sealed],
        )
        append(cursor, kind="factor", body={"method": "totp", "principal": principal_id})
    uri = pyotp.TOTP(secret).provisioning_uri(name=principal_id, issuer_name=entity)
    return TotpEnrolment(uri, secret)


def authenticator_code(*, principal_id: str, at: datetime) -> str:
    """Return the code a person's phone shows now; only a sample bank has such a simulator.

    Raises:
        FactorNotShown: this is not a sample bank.
        FactorUnknown: the person has no second factor.
    """
    if not getattr(settings, "FRONTLINE_SAMPLE_BANK", False):
        raise FactorNotShown
    factor = factor_of(principal_id, is_locking=False)
    return str(pyotp.TOTP(factor.secret).at(at))


def has_factor(*, principal_id: str) -> bool:
    """Return whether a person has a second factor."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM sentinel_factor WHERE principal_id = %s)", [principal_id]
        )
        return bool(cursor.fetchone()[0])


def accept_code(*, principal_id: str, code: str, at: datetime) -> bool:
    """Tell whether a code is the one a person's authenticator shows now; each counts once.

    It commits by itself, so that a wrong code stays counted whatever the caller does then.

    Raises:
        RuntimeError: the caller has opened a transaction, which could take the count back.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        try:
            factor = factor_of(principal_id, is_locking=True)
        except FactorUnknown:
            return False
        counter = None if factor.is_locked(at) else factor.matching_counter(code, at)
        is_accepted = counter is not None and counter > factor.last_counter
        if counter is not None and is_accepted:
            keep_success(principal_id, counter)
        else:
            keep_failure(principal_id, at)
        body = {
            "method": "totp",
            "principal": principal_id,
            "result": "accepted" if is_accepted else "wrong",
        }
        append(cursor, kind="factor", body=body)
    return is_accepted


def is_code_shown(*, principal_id: str, code: str, at: datetime) -> bool:
    """Tell whether a code is the one a person's authenticator shows now, without using it up.

    For deciding whether somebody may try a password at all; `accept_code` lets them in.
    """
    try:
        factor = factor_of(principal_id, is_locking=False)
    except FactorUnknown:
        return False
    counter = None if factor.is_locked(at) else factor.matching_counter(code, at)
    return counter is not None and counter > factor.last_counter


def factor_of(principal_id: str, *, is_locking: bool) -> Factor:
    """Return a person's factor, and lock it until the transaction ends if asked to.

    Raises:
        FactorUnknown: the person has none.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _FACTOR_LOCKED if is_locking else _FACTOR,
            [principal_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise FactorUnknown
    secret = unseal(data_key(), bytes(row[0]), bound_to=_bound(current_entity(), principal_id))
    return Factor(principal_id, secret.decode(), row[1], row[2], row[3])


def keep_success(principal_id: str, counter: int) -> None:
    """Remember the counter of a code that was accepted, so that it is never accepted again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sentinel_factor SET last_counter = %s, failures = 0, failed_at = NULL"
            " WHERE principal_id = %s",
            [counter, principal_id],
        )


def keep_failure(principal_id: str, at: datetime) -> None:
    """Count a wrong code against the person, whichever challenge it was given to."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sentinel_factor SET failures = failures + 1, failed_at = %s"
            " WHERE principal_id = %s",
            [at, principal_id],
        )


def _bound(entity: str, principal_id: str) -> str:
    return f"totp/v1|{entity}|{principal_id}"
