from dataclasses import replace
from datetime import timedelta

import pytest

from sentinel.public import (
    ChallengeExpired,
    ChallengeUnknown,
    FactorNotShown,
    FactorReused,
    FactorUnknown,
    TooManyAttempts,
    WrongFactor,
    answer_step_up,
    authenticator_code,
    challenge,
    enrol_totp,
)
from sentinel.vocabulary import Money, Verdict
from tests.authority import LANDLORD, count, customer, decided, facts, now, payment, step_up

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture
def anna():
    anna = customer()
    enrol_totp(principal_id=anna.id)
    return anna


@pytest.fixture
def asked(anna):
    return decided(payment(), anna)


def answer(asked, principal, code, at=None):
    return answer_step_up(
        challenge_id=asked.challenge_id, principal=principal, code=code, at=at or now()
    )


def wrong_code(principal, at):
    right = {
        authenticator_code(principal_id=principal.id, at=at + timedelta(seconds=seconds))
        for seconds in (-30, 0, 30)
    }
    return next(f"{n:06}" for n in range(4) if f"{n:06}" not in right)


def test_challenge_shows_amount_and_payee(asked):
    shown = challenge(challenge_id=asked.challenge_id)

    assert shown.amount == Money(125_000, "EUR")
    assert shown.payee == (LANDLORD, "Hendriks Vastgoed B.V.")
    assert (shown.attempts_left, shown.is_satisfied) == (5, False)
    assert shown.params_hash == asked.params_hash


def test_right_code_satisfies(asked, anna):
    step_up(asked.challenge_id, anna)

    assert challenge(challenge_id=asked.challenge_id).is_satisfied


@pytest.mark.parametrize("code", ["", "12345", "1234567", "١٢٣٤٥٦", "abcdef", "0" * 10_000])
def test_code_that_is_none_is_refused(asked, anna, code):
    with pytest.raises(WrongFactor) as refused:
        answer(asked, anna, code)

    assert refused.value.attempts_left == 4
    assert not challenge(challenge_id=asked.challenge_id).is_satisfied


def test_wrong_codes_are_counted_and_end(asked, anna):
    at = now()
    code = wrong_code(anna, at)
    for left in (4, 3, 2, 1):
        with pytest.raises(WrongFactor) as refused:
            answer(asked, anna, code, at)
        assert refused.value.attempts_left == left
    with pytest.raises(TooManyAttempts):
        answer(asked, anna, code, at)

    with pytest.raises(TooManyAttempts):
        answer(asked, anna, authenticator_code(principal_id=anna.id, at=at), at)

    assert not challenge(challenge_id=asked.challenge_id).is_satisfied


def test_new_challenges_do_not_give_new_guesses_for_ever(anna):
    at = now()
    code = wrong_code(anna, at)
    for _ in range(3):
        asked = decided(payment(), anna)
        for _ in range(5):
            with pytest.raises((WrongFactor, TooManyAttempts)):
                answer(asked, anna, code, at)
    asked = decided(payment(), anna)

    with pytest.raises(TooManyAttempts):
        answer(asked, anna, authenticator_code(principal_id=anna.id, at=at), at)

    later = at + timedelta(minutes=31)
    asked = decided(payment(), anna, at=at)
    with pytest.raises(ChallengeExpired):
        answer(asked, anna, authenticator_code(principal_id=anna.id, at=later), later)


def test_code_is_accepted_once(anna):
    at = now()
    first, second = decided(payment(), anna), decided(payment(), anna)
    code = authenticator_code(principal_id=anna.id, at=at)
    answer(first, anna, code, at)

    with pytest.raises(FactorReused):
        answer(second, anna, code, at)

    assert not challenge(challenge_id=second.challenge_id).is_satisfied


def test_earlier_code_is_refused_after_a_later_one(anna):
    at = now()
    first, second = decided(payment(), anna), decided(payment(), anna)
    answer(first, anna, authenticator_code(principal_id=anna.id, at=at), at)

    before = authenticator_code(principal_id=anna.id, at=at - timedelta(seconds=30))

    with pytest.raises(FactorReused):
        answer(second, anna, before, at)


def test_expired_challenge_is_refused(asked, anna):
    late = now() + timedelta(seconds=301)

    with pytest.raises(ChallengeExpired):
        answer(asked, anna, authenticator_code(principal_id=anna.id, at=late), late)


def test_satisfied_challenge_cannot_be_answered_again(asked, anna):
    at = now()
    answer(asked, anna, authenticator_code(principal_id=anna.id, at=at), at)

    with pytest.raises(ChallengeExpired):
        answer(asked, anna, authenticator_code(principal_id=anna.id, at=at), at)


def test_another_persons_challenge_is_unknown(asked):
    eve = customer()
    enrol_totp(principal_id=eve.id)

    with pytest.raises(ChallengeUnknown):
        step_up(asked.challenge_id, eve)

    assert not challenge(challenge_id=asked.challenge_id).is_satisfied


def test_person_without_a_factor_cannot_answer():
    bob = customer()
    asked = decided(payment(), bob)

    with pytest.raises(FactorUnknown):
        answer(asked, bob, "123456")


def test_agent_cannot_answer_for_its_customer(asked, anna):
    agent = replace(anna, id="agent:concierge", kind="agent", on_behalf_of=anna)

    with pytest.raises(ChallengeUnknown):
        step_up_as(agent, asked, anna)


def step_up_as(agent, asked, anna):
    at = now()
    return answer(asked, agent, authenticator_code(principal_id=anna.id, at=at), at)


def test_codes_are_shown_in_a_sample_bank_only(anna, settings):
    settings.FRONTLINE_SAMPLE_BANK = False

    with pytest.raises(FactorNotShown):
        authenticator_code(principal_id=anna.id, at=now())


def test_secret_is_sealed_and_not_shown_in_words(anna):
    enrolled = enrol_totp(principal_id=anna.id)

    assert enrolled.secret not in repr(enrolled)
    assert count("sentinel_factor") == 1


def test_old_second_factor_no_longer_counts(anna):
    action, at = payment(), now()
    asked = decided(action, anna, at=at)
    step_up(asked.challenge_id, anna, at)
    later = at + timedelta(seconds=601)

    assert decided(action, anna, facts(later), at=later).verdict is Verdict.NEEDS_STEP_UP
