"""Two approvers at one request, and a code given twice at once."""

from collections import Counter

import pytest

from sentinel.public import (
    ApprovalAnswered,
    StepUpRefused,
    answer_step_up,
    authenticator_code,
    enrol_totp,
)
from tests.authority import approved, count, customer, decided, employee, now, payment
from tests.races.test_token_once import at_once

APPROVERS = 16

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("rules_in_force"),
]


def test_one_answer_counts():
    waiting = decided(payment(amount=600_000), customer())

    def answer(number):
        try:
            approved(waiting, employee("operations"), "approve" if number % 2 else "reject")
        except ApprovalAnswered:
            return "answered"
        return "counted"

    assert Counter(at_once(answer, APPROVERS, APPROVERS)) == {
        "counted": 1,
        "answered": APPROVERS - 1,
    }
    assert count("sentinel_approval") == 1


def test_one_code_satisfies_one_challenge():
    anna, at = customer(), now()
    enrol_totp(principal_id=anna.id)
    asked = [decided(payment(), anna) for _ in range(4)]
    code = authenticator_code(principal_id=anna.id, at=at)

    def answer(number):
        try:
            answer_step_up(
                challenge_id=asked[number].challenge_id, principal=anna, code=code, at=at
            )
        except StepUpRefused as refused:
            return refused.code
        return "accepted"

    assert Counter(at_once(answer, 4, 4)) == {"accepted": 1, "factor_reused": 3}


def test_wrong_codes_at_once_are_all_counted():
    anna, at = customer(), now()
    enrol_totp(principal_id=anna.id)
    asked = decided(payment(), anna)

    def guess(_):
        try:
            answer_step_up(challenge_id=asked.challenge_id, principal=anna, code="no", at=at)
        except StepUpRefused as refused:
            return refused.code
        return "accepted"

    assert Counter(at_once(guess, 20, 20)) == {"wrong_factor": 4, "too_many_attempts": 16}
