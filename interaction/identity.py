"""Who is there: signing in, and the Principal a session stands for."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from math import ceil
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.http import HttpRequest

import sentinel.public
from interaction.models import CUSTOMER, EMPLOYEE, SignInAttempt, User
from sentinel.public import current_entity, legal_entities, legal_entity
from sentinel.vocabulary import Principal

BACKEND = "interaction.identity.EntityBackend"
COMPLIANCE = "compliance_officer"
ENTITY_KEY, SINCE_KEY, METHODS_KEY = "entity", "authenticated_at", "methods"
WINDOW = timedelta(minutes=15)
# How often one address may fail for one name before it has to wait, each time twice as long.
FAILURES_FREE = 5
WAIT_SECONDS_MAX = 900
# From here on a name asks for a second factor, except where its owner signed in of late.
FAILURES_MAX_PER_NAME = 20
FAILURES_MAX_PER_ADDRESS = 40
KNOWN_DAYS = 30
_MINUTE_SECONDS = 60


class SignInRefused(PermissionError):
    """Name, password and bank do not belong together; which of them is wrong is not said."""

    code = "sign_in_refused"
    is_retryable = True
    words = "That name and password do not belong together at this bank."


class TooManyAttempts(RuntimeError):
    """Somebody tried too often; known and unknown names are treated alike.

    A code from the person's authenticator, given with the password, opens the door at once where
    `is_code_helpful`: whoever guesses passwords has none, so nobody is locked out by them.
    """

    code = "too_many_attempts"
    is_retryable = True

    def __init__(self, wait_seconds: int, is_code_helpful: bool) -> None:  # noqa: FBT001 - pickled by place
        super().__init__(wait_seconds, is_code_helpful)
        self.wait_seconds, self.is_code_helpful = wait_seconds, is_code_helpful

    @property
    def words(self) -> str:
        """Return what to do now, for people."""
        wait = _wait_words(self.wait_seconds)
        if not self.is_code_helpful:
            return f"Too many attempts from this place. Wait {wait}, then try again."
        if not self.wait_seconds:
            return (
                "Somebody has tried this name too often, so your password is not enough just now."
                " Give the code from your authenticator as well."
            )
        return f"Too many attempts. Wait {wait}, or give the code from your authenticator as well."


def _wait_words(seconds: int) -> str:
    if seconds < _MINUTE_SECONDS:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    minutes = -(-seconds // _MINUTE_SECONDS)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed in, as screens name them."""

    principal: Principal
    display_name: str
    customer_id: UUID | None


class EntityBackend(BaseBackend):
    """Finds people inside the legal entity whose work is being done, and nowhere else."""

    def get_user(self, user_id: UUID) -> User | None:
        """Return the active person of this id in this entity, else nobody."""
        return User.objects.filter(pk=user_id, is_active=True).first()


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person hands over at the door."""

    entity: str
    username: str
    password: str = field(repr=False)
    address: str
    code: str = field(default="", repr=False)


def sign_in(*, request: HttpRequest, credentials: Credentials, at: datetime) -> Principal:
    """Sign a person in on this request's session, which gets a new key.

    Raises:
        SignInRefused: they are not who they say, or the bank does not exist.
        TooManyAttempts: this name or this address failed too often of late, and no code came along.
    """
    if credentials.entity not in {each.entity for each in legal_entities()}:
        make_password(credentials.password)
        raise SignInRefused
    with legal_entity(entity=credentials.entity):
        user = _recognised(credentials, at)
        methods = ("pwd", "otp") if credentials.code else ("pwd",)
        login(request, user, backend=BACKEND)
        request.session[ENTITY_KEY] = credentials.entity
        request.session[SINCE_KEY] = at.isoformat()
        request.session[METHODS_KEY] = list(methods)
        return _principal(user, at, methods)


def recognise(*, credentials: Credentials, at: datetime) -> Principal:
    """Return who hands these over, without a session: for a command at the machine itself.

    Raises:
        SignInRefused: they are not who they say, or the bank does not exist.
        TooManyAttempts: this name or this address failed too often of late, and no code came along.
    """
    if credentials.entity not in {each.entity for each in legal_entities()}:
        raise SignInRefused
    with legal_entity(entity=credentials.entity):
        user = _recognised(credentials, at)
        return _principal(user, at, ("pwd", "otp") if credentials.code else ("pwd",))


def _recognised(credentials: Credentials, at: datetime) -> User:
    username = credentials.username.strip().casefold()
    # The attempt is a row before the password is looked at: many at once are counted as many.
    _record(username, credentials.address, is_success=False, at=at)
    user = User.objects.filter(username=username, is_active=True).first()
    _require_patience(_tried(username, credentials.address, at), user, credentials.code, at)
    if user is None:
        # As slow as a real check, so that the time taken names nobody.
        make_password(credentials.password)
        raise SignInRefused
    # The code comes second: who does not know the password cannot wear out the authenticator.
    if not user.check_password(credentials.password) or not _has_shown(user, credentials.code, at):
        raise SignInRefused
    _record(username, credentials.address, is_success=True, at=at)
    return user


def _has_shown(user: User, code: str, at: datetime) -> bool:
    """Return whether the code is the person's own, or none was given."""
    if not code:
        return True
    return sentinel.public.accept_code(principal_id=_principal_id(user), code=code, at=at)


def _record(username: str, address: str, *, is_success: bool, at: datetime) -> None:
    SignInAttempt.objects.create(
        name_digest=_digest(username),
        address_digest=_digest(address),
        is_success=is_success,
        attempted_at=at,
    )


@dataclass(frozen=True, slots=True)
class _Tried:
    """What was tried of late, this attempt included: it is a row already."""

    here: int
    before_at: datetime | None
    by_name: int
    by_address: int
    is_known_here: bool

    def wait_seconds(self, at: datetime) -> int:
        """Return how long this address has to wait before it tries this name again."""
        over = self.here - 1 - FAILURES_FREE
        if over < 0 or self.before_at is None:
            return 0
        until = self.before_at + timedelta(seconds=min(2 ** (over + 1), WAIT_SECONDS_MAX))
        return max(0, ceil((until - at).total_seconds()))


def _require_patience(tried: _Tried, user: User | None, code: str, at: datetime) -> None:
    if tried.by_address > FAILURES_MAX_PER_ADDRESS:
        raise TooManyAttempts(int(WINDOW.total_seconds()), False)  # noqa: FBT003 - pickled by place
    wait = tried.wait_seconds(at)
    is_guarded = tried.by_name > FAILURES_MAX_PER_NAME and not tried.is_known_here
    if not (wait or is_guarded):
        return
    # Only the right code lifts the wait, and it is looked at before the password: a made-up one
    # must not buy another guess. It is not counted either, so it wears out nobody's authenticator.
    holder = "" if user is None else _principal_id(user)
    if not sentinel.public.is_code_shown(principal_id=holder, code=code, at=at):
        raise TooManyAttempts(wait, True)  # noqa: FBT003 - pickled by place


def _tried(username: str, address: str, at: datetime) -> _Tried:
    """Return the failures of late: here for this name since its last success, and everywhere."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT h.failures, h.before_at, n.failures, a.failures, h.is_known FROM
              (SELECT count(*) FILTER (WHERE f.is_late) AS failures,
                      (array_agg(f.attempted_at ORDER BY f.id DESC)
                        FILTER (WHERE f.is_late))[2] AS before_at,
                      coalesce(bool_or(f.is_success), false) AS is_known
                 FROM (SELECT id, attempted_at, is_success,
                              NOT is_success AND attempted_at > %(since)s
                              AND id > coalesce(max(id) FILTER (WHERE is_success) OVER (), 0)
                              AS is_late
                         FROM interaction_sign_in_attempt
                        WHERE entity = frontline_entity() AND name_digest = %(name)s
                          AND address_digest = %(address)s AND attempted_at > %(known)s) f) h,
              (SELECT count(*) FILTER (WHERE NOT is_success)
                      - count(*) FILTER (WHERE is_success) AS failures
                 FROM interaction_sign_in_attempt
                WHERE entity = frontline_entity() AND name_digest = %(name)s
                  AND attempted_at > %(since)s) n,
              (SELECT count(*) FILTER (WHERE NOT is_success)
                      - count(*) FILTER (WHERE is_success) AS failures
                 FROM interaction_sign_in_attempt
                WHERE entity = frontline_entity() AND address_digest = %(address)s
                  AND attempted_at > %(since)s) a
            """,
            {
                "name": _digest(username),
                "address": _digest(address),
                "since": at - WINDOW,
                "known": at - timedelta(days=KNOWN_DAYS),
            },
        )
        return _Tried(*cursor.fetchone())


def _digest(value: str) -> str:
    key = bytes.fromhex(settings.DATA_ENCRYPTION_KEY)
    message = f"interaction/sign-in/v1|{current_entity()}|{value}".encode()
    return hmac.new(key, message, sha256).hexdigest()


def sign_out(*, request: HttpRequest) -> None:
    """Forget the person and everything their session held."""
    logout(request)


def person_of(*, user_id: UUID, since: str, methods: list[str]) -> Person | None:
    """Return the person behind a session's values, or None if they may no longer sign in."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    principal = _principal(user, datetime.fromisoformat(since), tuple(methods))
    return Person(principal, user.display_name, user.customer_id)


def single_person(*, kind: str, key: UUID) -> Person | None:
    """Return the one active person of this kind: a customer, or an employee by their person.

    Nobody has signed in here, so the principal carries no authentication. Whoever has several
    accounts is nobody: which of them was meant cannot be told.
    """
    field = {CUSTOMER: "customer_id", EMPLOYEE: "person_id"}.get(kind)
    if field is None:
        return None
    found = User.objects.filter(**{field: key}, principal_kind=kind, is_active=True)[:2]
    if len(found) != 1:
        return None
    return Person(_principal(found[0], None, ()), found[0].display_name, found[0].customer_id)


def principal_of(*, user: object, session: Mapping[str, Any] | None = None) -> Principal:
    """Return the Principal a signed-in user acts as.

    The session says when and how they proved who they are; without one, their last sign-in does.

    Raises:
        SignInRefused: nobody is signed in.
    """
    if not isinstance(user, User):
        raise SignInRefused
    if session is not None and SINCE_KEY in session:
        since = datetime.fromisoformat(session[SINCE_KEY])
        return _principal(user, since, tuple(session[METHODS_KEY]))
    return _principal(user, user.last_login, ("pwd",))


def _principal(user: User, since: datetime | None, methods: tuple[str, ...]) -> Principal:
    is_customer = user.principal_kind == CUSTOMER
    return Principal(
        id=_principal_id(user),
        kind="customer" if is_customer else "employee",
        person_id=str(user.person_id),
        entity=user.entity,
        roles=tuple(user.roles),
        authenticated_at=since,
        methods=methods,
    )


def _principal_id(user: User) -> str:
    if user.principal_kind == CUSTOMER:
        return f"customer:{user.customer_id}"
    return f"employee:{user.person_id}"
