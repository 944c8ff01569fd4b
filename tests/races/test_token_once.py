"""Many at one line: one token, one limit, one idempotency key, one customer."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import OperationalError, connection, connections, transaction

from sentinel.public import TokenRefused, legal_entity
from sentinel.vocabulary import OutcomeKind, Verdict
from tests.authority import (
    confirmed,
    count,
    customer,
    decided,
    done,
    facts,
    payment,
    spent,
)

PRESENTATIONS, THREADS, ACTORS = 1_000, 32, 50

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("rules_in_force"),
]


def at_once(work, times, threads):
    """Run `work(number)` many times on threads of their own connections, starting together."""
    barrier = threading.Barrier(threads)

    def share(first):
        try:
            with legal_entity(entity="meridian-nl"):
                barrier.wait()
                return [work(number) for number in range(first, times, threads)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return [result for results in pool.map(share, range(threads)) for result in results]


def test_invariant_02_thousand_presentations_redeem_once():
    action = payment()
    decision = confirmed(action, customer())

    def present(_):
        try:
            spent(decision, action)
        except TokenRefused as refused:
            return refused.reason
        return "redeemed"

    results = Counter(at_once(present, PRESENTATIONS, THREADS))

    assert results == {"redeemed": 1, "spent": PRESENTATIONS - 1}
    assert count("sentinel_redemption") == 1


def test_invariant_03_two_tokens_for_one_idempotency_key_redeem_once():
    action, anna, given = payment(), customer(), facts(payee_trusted=True)
    permits = [decided(action, anna, given) for _ in range(8)]
    assert {permit.verdict for permit in permits} == {Verdict.PERMIT}

    def present(number):
        try:
            spent(permits[number], action)
        except TokenRefused as refused:
            return refused.reason
        return "redeemed"

    assert Counter(at_once(present, 8, 8)) == {"redeemed": 1, "spent": 7}


def test_one_second_factor_pays_once_under_two_keys():
    anna, action = customer(), payment()
    first = confirmed(action, anna)
    other = replace(action, idempotency_key="another")
    second = decided(other, anna)
    assert second.verdict is Verdict.PERMIT

    def present(number):
        try:
            spent((first, second)[number], (action, other)[number])
        except TokenRefused as refused:
            return refused.reason
        return "redeemed"

    assert Counter(at_once(present, 2, 2)) == {"redeemed": 1, "spent": 1}


def test_a_failure_said_meanwhile_is_waited_for():
    """Who redeems waits for whoever says that it failed, and is refused then."""
    action = payment()
    decision = confirmed(action, customer())

    def present(_):
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET LOCAL lock_timeout = '50ms'")
                spent(decision, action)
        except OperationalError as waited:
            return waited.__cause__.sqlstate
        return "redeemed"

    with transaction.atomic():
        done(decision, OutcomeKind.FAILED)
        results = at_once(present, 1, 1)

    with pytest.raises(TokenRefused) as refused:
        spent(decision, action)
    assert (results, refused.value.reason) == (["55P03"], "spent")
    assert count("sentinel_redemption") == 0


def test_fifty_actors_cannot_overrun_a_limit():
    """Each wants 300 euro of one customer's 10,000 a day: 33 fit."""
    anna = customer()

    def pay(_):
        return decided(payment(amount=30_000), anna, facts(payee_trusted=True)).verdict

    results = Counter(at_once(pay, ACTORS, ACTORS))

    assert results == {Verdict.PERMIT: 33, Verdict.DENY: 17}
    assert count("sentinel_reservation") == 33


def test_limit_is_exact_while_payments_fail_and_finish():
    anna, given = customer(), facts(payee_trusted=True)

    def pay(number):
        action = payment(amount=200_000)
        decision = decided(action, anna, given)
        if decision.token is None:
            return "refused"
        if number % 2:
            done(decision, OutcomeKind.FAILED)
            return "failed"
        spent(decision, action)
        done(decision)
        return "done"

    results = Counter(at_once(pay, 40, 8))

    left = 5 - results["done"]
    fill = [decided(payment(amount=200_000), anna, given).verdict for _ in range(left)]
    assert fill == [Verdict.PERMIT] * left
    assert decided(payment(amount=1), anna, facts(payee_trusted=True)).verdict is Verdict.DENY


def test_double_click_opens_one_challenge():
    anna, action = customer(), payment()

    decisions = at_once(lambda _: decided(action, anna), 12, 12)

    assert len({decision.challenge_id for decision in decisions}) == 1
    assert count("sentinel_challenge") == 1


def test_first_decisions_of_a_subject_share_one_key():
    anna = customer()

    decisions = at_once(lambda _: decided(payment(amount=1_000), anna), 12, 12)

    assert len(decisions) == 12
    assert count("sentinel_subject_key") == 1
