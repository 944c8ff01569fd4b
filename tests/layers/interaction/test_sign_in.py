"""Signing in: who gets in, who does not, and what is said to those who do not."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from django.test import RequestFactory

from interaction.identity import (
    FAILURES_FREE,
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
from sentinel.public import LegalEntity, authenticator_code, enrol_totp, legal_entity

AT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
HERE, THERE = "meridian-nl", "meridian-be"
CUSTOMER, PERSON = UUID(int=1), UUID(int=2)
PASSWORD = "quiet-harbour-lantern"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def banks(settings, tmp_path) -> None:
    """Set up two banks; Anna is a customer of the first."""
    settings.SIGN_IN_FILE = tmp_path / "sign-in.json"
    # What is tried here is who gets in, not how long a password takes: that is Argon2's.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
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
    code: str = "",
    at: datetime = AT,
) -> HttpRequest:
    request = _request()
    credentials = Credentials(entity, username, password, address, code)
    sign_in(request=request, credentials=credentials, at=at)
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


def _fails(
    times: int,
    *,
    places: int = 1,
    refusal: type[Exception] | tuple[type[Exception], ...] = SignInRefused,
    **tried: str,
) -> None:
    """Try a wrong password often from so many places in turn."""
    for number in range(times):
        given = {"address": f"203.0.113.{number % places}", "password": "wrong", **tried}
        with pytest.raises(refusal):
            _attempt(**given)


def _enrol() -> str:
    with legal_entity(entity=HERE):
        enrol_totp(principal_id=f"customer:{CUSTOMER}")
        return _code()


def _code(at: datetime = AT) -> str:
    with legal_entity(entity=HERE):
        return authenticator_code(principal_id=f"customer:{CUSTOMER}", at=at)


@pytest.mark.parametrize("username", ["anna", "nobody"])
def test_one_place_waits_longer_each_time_whether_the_name_exists_or_not(username: str) -> None:
    _fails(FAILURES_FREE, username=username, address="192.0.2.1")

    with pytest.raises(TooManyAttempts) as first:
        _attempt(username=username)
    with pytest.raises(TooManyAttempts) as second:
        _attempt(username=username)

    assert (first.value.wait_seconds, second.value.wait_seconds) == (2, 4)
    assert first.value.words == (
        "Too many attempts. Wait 2 seconds, or give the code from your authenticator as well."
    )


def test_after_the_wait_the_right_password_opens() -> None:
    _fails(FAILURES_FREE, address="192.0.2.1")

    with pytest.raises(TooManyAttempts):
        _attempt(at=AT + timedelta(seconds=1))

    assert _attempt(at=AT + timedelta(seconds=6)).user.is_authenticated


def test_nobody_waits_longer_than_a_quarter_of_an_hour() -> None:
    refusals = []
    for _ in range(30):
        with pytest.raises((SignInRefused, TooManyAttempts)) as refused:
            _attempt(password="wrong")
        refusals.append(refused.value)

    assert refusals[-1].wait_seconds == 900
    assert _attempt(at=AT + timedelta(minutes=16)).user.is_authenticated


def test_an_attacker_elsewhere_does_not_make_a_customer_wait() -> None:
    _fails(FAILURES_FREE, address="198.51.100.7")
    with pytest.raises(TooManyAttempts):
        _attempt(address="198.51.100.7")

    assert _attempt(address="192.0.2.1").user.is_authenticated


def test_a_customer_who_signed_in_here_before_is_never_locked_out_by_many_attackers() -> None:
    _attempt(at=AT - timedelta(days=3))
    _fails(FAILURES_MAX_PER_NAME + 5, places=10, refusal=(SignInRefused, TooManyAttempts))

    assert _attempt().user.is_authenticated


@pytest.mark.parametrize("username", ["anna", "nobody"])
def test_a_name_under_attack_asks_for_a_code_at_a_new_place(username: str) -> None:
    _fails(FAILURES_MAX_PER_NAME, places=10, username=username)

    with pytest.raises(TooManyAttempts) as refused:
        _attempt(username=username)

    assert (refused.value.wait_seconds, refused.value.is_code_helpful) == (0, True)
    assert refused.value.words == (
        "Somebody has tried this name too often, so your password is not enough just now."
        " Give the code from your authenticator as well."
    )


def test_the_code_opens_where_the_password_alone_does_not() -> None:
    code = _enrol()
    _fails(FAILURES_MAX_PER_NAME, places=10)

    request = _attempt(code=code)

    assert principal_of(user=request.user, session=request.session).methods == ("pwd", "otp")


def test_a_wrong_code_or_password_is_refused_in_the_same_words_and_opens_nothing() -> None:
    code = _enrol()
    _fails(FAILURES_MAX_PER_NAME, places=10)
    wrong = "000000" if code != "000000" else "000001"

    with pytest.raises(SignInRefused) as refused:
        _attempt(code=code, password="wrong")
    assert refused.value.words == SignInRefused.words
    for tried in (wrong, "no", ""):
        request = _request()
        given = Credentials(HERE, "anna", PASSWORD, "192.0.2.1", tried)
        with pytest.raises(TooManyAttempts) as waiting:
            sign_in(request=request, credentials=given, at=AT)
        assert waiting.value.is_code_helpful
        assert dict(request.session) == {}


def test_only_the_right_code_lifts_the_wait() -> None:
    code = _enrol()
    wrong = "000000" if code != "000000" else "000001"
    _fails(FAILURES_FREE, address="192.0.2.1")

    with pytest.raises(TooManyAttempts) as made_up:
        _attempt(code=wrong)

    assert made_up.value.wait_seconds == 2
    assert _attempt(code=code).user.is_authenticated


def test_a_made_up_code_buys_no_guess_at_a_password() -> None:
    code = _enrol()
    wrong = "000000" if code != "000000" else "000001"
    _fails(FAILURES_FREE, address="192.0.2.1")

    guesses = []
    for guess in ("wrong", PASSWORD):
        with pytest.raises(TooManyAttempts) as refused:
            _attempt(code=wrong, password=guess)
        guesses.append(refused.value.words)

    assert guesses[0].startswith("Too many attempts. Wait 2 seconds")
    assert guesses[1].startswith("Too many attempts. Wait 4 seconds")


def test_a_code_that_was_used_lifts_nothing() -> None:
    code = _enrol()
    assert _attempt(code=code).user.is_authenticated
    _fails(FAILURES_FREE, address="192.0.2.1")

    with pytest.raises(TooManyAttempts):
        _attempt(code=code)


def test_a_code_signs_in_once() -> None:
    code = _enrol()
    assert _attempt(code=code).user.is_authenticated

    with pytest.raises(SignInRefused):
        _attempt(code=code)


def test_guessing_without_the_password_cannot_wear_out_the_authenticator() -> None:
    code = _enrol()
    for number in range(20):
        with pytest.raises((SignInRefused, TooManyAttempts)):
            _attempt(password="wrong", code="000000", address=f"203.0.113.{number}")

    assert _attempt(code=code).user.is_authenticated


def test_somebody_without_an_authenticator_is_not_let_in_by_any_code() -> None:
    _fails(FAILURES_MAX_PER_NAME, places=10)

    with pytest.raises(TooManyAttempts):
        _attempt(code="123456")


def test_success_forgets_the_failures_before_it() -> None:
    for _ in range(3):
        _fails(FAILURES_FREE - 1, address="192.0.2.1")
        assert _attempt().user.is_authenticated


def test_one_address_cannot_try_many_names() -> None:
    for number in range(FAILURES_MAX_PER_ADDRESS):
        with pytest.raises(SignInRefused):
            _attempt(username=f"name-{number}", password="wrong", address="198.51.100.7")

    with pytest.raises(TooManyAttempts) as refused:
        _attempt(address="198.51.100.7", code="123456")
    assert not refused.value.is_code_helpful
    assert refused.value.words == (
        "Too many attempts from this place. Wait 15 minutes, then try again."
    )
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
