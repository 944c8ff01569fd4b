"""Two hundred actors at one cap that they share: never more than it holds, and never less."""

from collections import Counter

import pytest
from django.db import connection

from sentinel.vocabulary import Money, OutcomeKind, Principal, Verdict
from tests.authority import customer, decided, done, facts, payment, set_limit, spent
from tests.races.test_token_once import at_once

ACTORS, THREADS = 200, 40
AMOUNT, CAP = 30_000, 1_000_000
FIT = CAP // AMOUNT

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("rules_in_force"),
]


def assistant_of(person):
    return Principal("agent:assistant", "agent", "", person.entity, ("assistant",), person)


def used(name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT holder, used_minor FROM sentinel_usage WHERE name = %s", [name])
        return cursor.fetchall()


@pytest.mark.parametrize("name", ["agent_daily", "account_daily"])
def test_two_hundred_customers_cannot_overrun_what_they_share(name):
    set_limit(name, "*", Money(CAP, "EUR"))
    people = [assistant_of(customer()) for _ in range(ACTORS)]
    joint = payment().parameters["debtor_account_id"]

    def pay(number):
        action = payment(amount=AMOUNT, debtor_account_id=joint)
        return decided(action, people[number], facts(payee_trusted=True)).verdict

    results = Counter(at_once(pay, ACTORS, THREADS))

    assert results == {Verdict.PERMIT: FIT, Verdict.DENY: ACTORS - FIT}
    assert [amount for _, amount in used(name)] == [FIT * AMOUNT]


def test_caps_in_several_dimensions_block_nobody_for_good():
    """Some fail and some finish while others begin, across agents and accounts in every order."""
    for name in ("agent_daily", "account_daily", "monthly_outgoing", "purpose_daily"):
        set_limit(name, "*", Money(CAP, "EUR"))
    accounts = [payment().parameters["debtor_account_id"] for _ in range(3)]
    people = [assistant_of(customer()) for _ in range(ACTORS)]

    def pay(number):
        action = payment(amount=AMOUNT, debtor_account_id=accounts[number % 3])
        decision = decided(action, people[number], facts(payee_trusted=True))
        if decision.token is None:
            return "refused"
        if number % 2:
            done(decision, OutcomeKind.FAILED)
            return "failed"
        spent(decision, action)
        done(decision)
        return "done"

    results = Counter(at_once(pay, ACTORS, THREADS))

    assert 0 < results["done"] <= FIT
    assert sum(results.values()) == ACTORS
    assert used("agent_daily") == [("agent:assistant", results["done"] * AMOUNT)]
    assert sum(amount for _, amount in used("account_daily")) == results["done"] * AMOUNT
