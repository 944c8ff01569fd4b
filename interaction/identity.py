"""Who is there: signing in, and the Principal a session stands for."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.http import HttpRequest

from interaction.models import CUSTOMER, SignInAttempt, User
from sentinel.public import current_entity, legal_entities, legal_entity
from sentinel.vocabulary import Principal

BACKEND = "interaction.identity.EntityBackend"
COMPLIANCE = "compliance_officer"
ENTITY_KEY, SINCE_KEY, METHODS_KEY = "entity", "authenticated_at", "methods"
WINDOW = timedelta(minutes=15)
FAILURES_MAX_PER_NAME = 5
FAILURES_MAX_PER_ADDRESS = 40


class SignInRefused(PermissionError):
    """Name, password and bank do not belong together; which of them is wrong is not said."""

    code = "sign_in_refused"
    is_retryable = True
    words = "That name and password do not belong together at this bank."


class TooManyAttempts(PermissionError):
    """Somebody tried too often; known and unknown names are treated alike."""

    code = "too_many_attempts"
    is_retryable = True
    words = "Too many attempts. Wait fifteen minutes, then try again."


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
    password: str
    address: str


def sign_in(*, request: HttpRequest, credentials: Credentials, at: datetime) -> Principal:
    """Sign a person in on this request's session, which gets a new key.

    Raises:
        SignInRefused: they are not who they say, or the bank does not exist.
        TooManyAttempts: this name or this address failed too often of late.
    """
    if credentials.entity not in {each.entity for each in legal_entities()}:
        make_password(credentials.password)
        raise SignInRefused
    with legal_entity(entity=credentials.entity):
        user = _recognised(credentials, at)
        login(request, user, backend=BACKEND)
        request.session[ENTITY_KEY] = credentials.entity
        request.session[SINCE_KEY] = at.isoformat()
        request.session[METHODS_KEY] = ["pwd"]
        return _principal(user, at, ("pwd",))


def _recognised(credentials: Credentials, at: datetime) -> User:
    username = credentials.username.strip().casefold()
    # The attempt is a row before the password is looked at: many at once are counted as many.
    _record(username, credentials.address, is_success=False, at=at)
    if _failures(username, credentials.address, at):
        raise TooManyAttempts
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        # As slow as a real check, so that the time taken names nobody.
        make_password(credentials.password)
        raise SignInRefused
    if not user.check_password(credentials.password):
        raise SignInRefused
    _record(username, credentials.address, is_success=True, at=at)
    return user


def _record(username: str, address: str, *, is_success: bool, at: datetime) -> None:
    SignInAttempt.objects.create(
        name_digest=_digest(username),
        address_digest=_digest(address),
        is_success=is_success,
        attempted_at=at,
    )


def _failures(username: str, address: str, at: datetime) -> bool:
    """Say whether the name or the address failed more often than allowed since its last success."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT
              (SELECT count(*) FROM interaction_sign_in_attempt
                WHERE entity = frontline_entity() AND name_digest = %(name)s
                  AND NOT is_success AND attempted_at > %(since)s
                  AND id > coalesce((SELECT max(id) FROM interaction_sign_in_attempt
                                      WHERE entity = frontline_entity()
                                        AND name_digest = %(name)s AND is_success), 0)),
              (SELECT count(*) FILTER (WHERE NOT is_success) - count(*) FILTER (WHERE is_success)
                 FROM interaction_sign_in_attempt
                WHERE entity = frontline_entity() AND address_digest = %(address)s
                  AND attempted_at > %(since)s)
            """,
            {"name": _digest(username), "address": _digest(address), "since": at - WINDOW},
        )
        by_name, by_address = cursor.fetchone()
    return bool(by_name > FAILURES_MAX_PER_NAME or by_address > FAILURES_MAX_PER_ADDRESS)


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
        id=f"customer:{user.customer_id}" if is_customer else f"employee:{user.person_id}",
        kind="customer" if is_customer else "employee",
        person_id=str(user.person_id),
        entity=user.entity,
        roles=tuple(user.roles),
        authenticated_at=since,
        methods=methods,
    )
