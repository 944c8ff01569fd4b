"""Signing in: who gets in, who does not, and what is said to those who do not."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import RequestFactory

from interaction.identity import (
    FAILURES_MAX_PER_ADDRESS,
    FAILURES_MAX_PER_NAME,
    Credentials,
    SignInRefused,
    TooManyAttempts,
    principal_of,
    sign_in,
)
from interaction.models import SignInAttempt, User
from interaction.people import NewPerson, create_people
from sentinel.entities import register_legal_entity
from sentinel.public import LegalEntity, legal_entity

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
HERE, THERE = "meridian-nl", "meridian-be"
CUSTOMER, PERSON = UUID(int=1), UUID(int=2)
PASSWORD = "quiet-harbour-lantern"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def banks(settings, tmp_path) -> None:
    """Set up two banks; Anna is a customer of the first."""
    settings.SIGN_IN_FILE = tmp_path / "sign-in.json"
    for entity, name, country in ((HERE, "Bank", "NL"), (THERE, "Other Bank", "BE")):
        with legal_entity(entity=entity):
            register_legal_entity(registered=LegalEntity(entity, name, country, "EUR"))
    with legal_entity(entity=HERE):
        create_people(
            people=[NewPerson("anna", "Anna de Vries", PERSON, CUSTOMER)],
            new_password=lambda: PASSWORD,
        )


def _request() -> HttpRequest:
    request = RequestFactory().post("/sign-in/")
    request.session = SessionStore()
    request.session.create()
    request.user = AnonymousUser()
    return request


def _attempt(
    *,
    entity: str = HERE,
    username: str = "anna",
    password: str = PASSWORD,
    address: str = "192.0.2.1",
    at: datetime = AT,
) -> HttpRequest:
    request = _request()
    sign_in(request=request, credentials=Credentials(entity, username, password, address), at=at)
    return request


def test_the_right_name_and_password_open_the_session_of_one_entity() -> None:
    request = _attempt()

    principal = principal_of(user=request.user, session=request.session)

    assert principal.id == f"customer:{CUSTOMER}"
    assert principal.entity == HERE
    assert principal.person_id == str(PERSON)
    assert principal.roles == ("customer",)
    assert principal.authenticated_at == AT
    assert principal.methods == ("pwd",)


def test_a_session_gets_a_new_key_when_somebody_signs_in() -> None:
    request = _request()
    before = request.session.session_key

    sign_in(request=request, credentials=Credentials(HERE, "anna", PASSWORD, ""), at=AT)

    assert request.session.session_key != before


def test_names_are_not_case_sensitive() -> None:
    assert _attempt(username=" Anna ").user.is_authenticated


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "wrong"},
        {"username": "nobody"},
        {"entity": THERE},
        {"entity": "no-such-bank"},
        {"entity": "'; DROP TABLE interaction_user; --"},
        {"password": ""},
        {"username": ""},
    ],
)
def test_every_wrong_attempt_gets_the_same_answer_and_no_session(wrong: dict[str, str]) -> None:
    request = _request()
    known = {"entity": HERE, "username": "anna", "password": PASSWORD, "address": "192.0.2.1"}

    with pytest.raises(SignInRefused) as refusal:
        sign_in(request=request, credentials=Credentials(**(known | wrong)), at=AT)

    assert refusal.value.words == SignInRefused.words
    assert dict(request.session) == {}


def test_somebody_who_may_no_longer_sign_in_does_not() -> None:
    with legal_entity(entity=HERE):
        User.objects.filter(username="anna").update(is_active=False)

    with pytest.raises(SignInRefused):
        _attempt()


@pytest.mark.parametrize("username", ["anna", "nobody"])
def test_too_many_failures_close_a_name_whether_it_exists_or_not(username: str) -> None:
    for _ in range(FAILURES_MAX_PER_NAME):
        with pytest.raises(SignInRefused):
            _attempt(username=username, password="wrong")

    with pytest.raises(TooManyAttempts):
        _attempt(username=username)


def test_a_closed_name_opens_again_after_the_window() -> None:
    for _ in range(FAILURES_MAX_PER_NAME + 1):
        with pytest.raises((SignInRefused, TooManyAttempts)):
            _attempt(password="wrong")

    assert _attempt(at=AT + timedelta(minutes=16)).user.is_authenticated


def test_success_forgets_the_failures_before_it() -> None:
    for _ in range(3):
        for _ in range(FAILURES_MAX_PER_NAME - 1):
            with pytest.raises(SignInRefused):
                _attempt(password="wrong")
        assert _attempt().user.is_authenticated


def test_one_address_cannot_try_many_names() -> None:
    for number in range(FAILURES_MAX_PER_ADDRESS):
        with pytest.raises(SignInRefused):
            _attempt(username=f"name-{number}", password="wrong", address="198.51.100.7")

    with pytest.raises(TooManyAttempts):
        _attempt(address="198.51.100.7")
    assert _attempt(address="198.51.100.8").user.is_authenticated


def test_attempts_are_kept_without_names_or_addresses() -> None:
    _attempt()

    with legal_entity(entity=HERE):
        attempts = list(SignInAttempt.objects.values_list("name_digest", "address_digest"))

    assert attempts
    assert all(len(digest) == 64 for pair in attempts for digest in pair)


def test_nobody_signed_in_is_no_principal() -> None:
    with pytest.raises(SignInRefused):
        principal_of(user=object(), session={})


def test_invariant_13_people_of_another_entity_do_not_exist() -> None:
    with legal_entity(entity=THERE):
        assert not User.objects.exists()
    with legal_entity(entity=HERE):
        assert User.objects.count() == 1
