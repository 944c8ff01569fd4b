"""Many calls at one budget of money: never more than it holds, and never less."""

from collections import Counter
from uuid import UUID

import pytest
from django.db import connection, transaction

from sentinel.public import BudgetExhausted, Spend, reserve_spend, settle_spend
from sentinel.vocabulary import Money
from tests.authority import now, set_limit
from tests.races.test_token_once import at_once

CALLS, THREADS = 200, 40
COST, CAP = 300, 10_000
FIT = CAP // COST
CASE = UUID(int=7)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("rules_in_force"),
]


def test_two_hundred_calls_cannot_overrun_the_money_of_an_agent_and_its_case():
    for name in ("agent_cost", "case_cost"):
        set_limit(name, "*", Money(CAP, "MICRO"))

    def call(_number):
        try:
            with transaction.atomic():
                reserved = reserve_spend(
                    case_id=CASE, agents=("agent:a",), estimate=Spend(cost_micros=COST), at=now()
                )
        except BudgetExhausted as refused:
            return refused.name
        with transaction.atomic():
            settle_spend(reserved=reserved, actual=Spend(cost_micros=COST))
        return "called"

    results = Counter(at_once(call, CALLS, THREADS))

    assert results["called"] == FIT
    assert sum(results.values()) == CALLS
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT used_minor FROM sentinel_usage WHERE name LIKE '%_cost'")
        assert cursor.fetchall() == [(FIT * COST,)]
        cursor.execute("SELECT DISTINCT state FROM sentinel_reservation")
        assert cursor.fetchall() == [("settled",)]
