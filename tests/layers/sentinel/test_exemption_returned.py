"""A low-value exemption that paid for nothing is given back; one that paid stays counted."""

import pytest
from django.db import connection

from sentinel.public import explain
from sentinel.vocabulary import OutcomeKind, Verdict
from tests.authority import confirmed, customer, decided, done, payment, spent

pytestmark = pytest.mark.usefixtures("bank")


def counted(anna):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT used_minor, used_count FROM sentinel_exemption WHERE principal_id = %s",
            [anna.id],
        )
        return cursor.fetchone()


def small(anna, amount=3_000):
    decision = decided(payment(amount=amount), anna)
    assert decision.verdict is Verdict.PERMIT
    assert explain(decision_id=decision.id).exemption == "low_value"
    return decision


@pytest.mark.parametrize("kind", [OutcomeKind.FAILED, OutcomeKind.EXPIRED])
def test_a_payment_that_was_not_made_gives_its_exemption_back(kind):
    anna = customer()
    decisions = [small(anna) for _ in range(3)]
    full = decided(payment(amount=3_000), anna)

    done(decisions[0], kind)

    assert full.verdict is Verdict.NEEDS_STEP_UP
    assert counted(anna) == (6_000, 2)
    assert decided(payment(amount=3_000), anna).verdict is Verdict.PERMIT


def test_it_is_given_back_once():
    anna = customer()
    first, _second = small(anna), small(anna)

    done(first, OutcomeKind.FAILED)
    done(first, OutcomeKind.FAILED)

    assert counted(anna) == (3_000, 1)


def test_a_payment_that_was_made_stays_counted():
    anna, action = customer(), payment(amount=3_000)
    decision = decided(action, anna)
    spent(decision, action)

    done(decision)

    assert counted(anna) == (3_000, 1)


def test_an_unknown_outcome_gives_nothing_back():
    anna, action = customer(), payment(amount=3_000)
    decision = decided(action, anna)
    spent(decision, action)

    done(decision, OutcomeKind.UNKNOWN)

    assert counted(anna) == (3_000, 1)


def test_what_was_counted_before_a_second_factor_is_not_given_back_after_it():
    anna = customer()
    before = small(anna)
    assert confirmed(payment(), anna).verdict is Verdict.PERMIT
    after = small(anna)

    done(before, OutcomeKind.FAILED)

    assert counted(anna) == (3_000, 1)

    done(after, OutcomeKind.FAILED)

    assert counted(anna) == (0, 0)
