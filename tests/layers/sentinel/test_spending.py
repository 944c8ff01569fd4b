"""Budgets of tokens, money and time: reserved before a call, settled after, no step without."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from sentinel.public import (
    ApprovalTooSoon,
    BudgetExhausted,
    Spend,
    foresee,
    reserve_spend,
    settle_spend,
)
from sentinel.vocabulary import Money, OutcomeKind, Principal, Verdict
from tests.authority import (
    approved,
    change,
    customer,
    decided,
    done,
    employee,
    facts,
    now,
    payment,
    set_limit,
    spent,
)

pytestmark = pytest.mark.usefixtures("bank")
AGENT = "agent:assistant"


def used(name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT holder, used_minor FROM sentinel_usage WHERE name = %s", [name])
        return cursor.fetchall()


def reserved(case, agents=(AGENT,), **spend):
    with transaction.atomic():
        return reserve_spend(case_id=case, agents=agents, estimate=Spend(**spend), at=now())


def settled(reservation, **spend):
    with transaction.atomic():
        settle_spend(reserved=reservation, actual=Spend(**spend))


@pytest.mark.parametrize(
    ("name", "unit", "part"),
    [
        ("case_tokens", "TOKEN", "tokens"),
        ("case_cost", "MICRO", "cost_micros"),
        ("case_time", "MSEC", "milliseconds"),
        ("agent_tokens", "TOKEN", "tokens"),
        ("agent_cost", "MICRO", "cost_micros"),
        ("agent_time", "MSEC", "milliseconds"),
    ],
)
def test_what_a_call_takes_counts_in_its_own_unit(name, unit, part):
    set_limit(name, "*", Money(1_000, unit))
    case = uuid4()

    first = reserved(case, **{part: 600})
    with pytest.raises(BudgetExhausted) as refused:
        reserved(case, **{part: 600})
    settled(first, **{part: 250})
    reserved(case, **{part: 600})

    assert (refused.value.code, refused.value.name) == ("budget_exhausted", name)
    assert [amount for _, amount in used(name)] == [850]


def test_a_call_that_took_more_than_was_thought_has_taken_it():
    set_limit("case_cost", "*", Money(1_000, "MICRO"))
    case = uuid4()
    first = reserved(case, cost_micros=100)

    settled(first, cost_micros=1_700)
    settled(first, cost_micros=0)

    assert used("case_cost") == [(f"case:{case}", 1_700)]
    with pytest.raises(BudgetExhausted):
        reserved(case, cost_micros=1)


def test_what_nothing_was_reserved_for_counts_all_the_same():
    set_limit("case_tokens", "*", Money(1_000, "TOKEN"))
    set_limit("case_time", "*", Money(1_000, "MSEC"))
    case = uuid4()

    settled(reserved(case, milliseconds=10), tokens=400, milliseconds=5)

    assert used("case_tokens") == [(f"case:{case}", 400)]
    assert used("case_time") == [(f"case:{case}", 5)]


def test_without_a_budget_nothing_is_kept():
    reservation = reserved(uuid4(), tokens=5_000, cost_micros=1)

    assert reservation.id is None
    assert used("case_tokens") == []


@pytest.mark.parametrize("name", ["case_cost", "agent_cost"])
def test_an_agent_with_nothing_left_takes_no_next_step(name):
    set_limit(name, "*", Money(1_000, "MICRO"))
    anna = customer()
    agent = Principal(AGENT, "agent", "", anna.entity, ("assistant",), anna)
    action = payment(amount=1_000)
    given = facts(payee_trusted=True)
    before = decided(action, agent, given)

    settled(reserved(action.case_id, cost_micros=1), cost_micros=1_000)
    again = payment(amount=1_000)
    case = again.case_id if name == "agent_cost" else action.case_id
    refused = decided(replace(again, case_id=case), agent, given)

    assert before.verdict is Verdict.PERMIT
    assert [reason.policy_id for reason in refused.reasons] == ["budget_exhausted"]
    assert refused.token is None
    alone = foresee(action=again, principal=anna, facts=given, purpose="payments", at=now())
    assert alone.verdict is Verdict.PERMIT


def test_a_budget_is_set_by_two_people_in_its_own_unit():
    for name, unit in (("case_cost", "EUR"), ("case_tokens", "STEP"), ("daily_outgoing", "MSEC")):
        parameters = {"name": name, "holder": "*", "cap": {"minor_units": 1, "currency": unit}}
        asked = decided(change("limits.set", parameters), employee("operations"), (), "operations")
        assert [reason.policy_id for reason in asked.reasons] == ["bad_parameters"]


# What was used stays used.


@pytest.fixture
def paid():
    """A payment that is permitted, and reserved."""
    anna = customer()
    action = payment()
    return anna, action, decided(action, anna, facts(payee_trusted=True))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sentinel_usage SET used_minor = 0",
        "UPDATE sentinel_usage SET used_minor = used_minor - 1",
        "UPDATE sentinel_usage SET holder = 'customer:nobody'",
        "UPDATE sentinel_reservation SET state = 'released'",
        "DELETE FROM sentinel_usage",
        "DELETE FROM sentinel_reservation",
        "SELECT sentinel_end_reservations(decision_id, 'released') FROM sentinel_reservation",
    ],
)
def test_the_application_lowers_no_usage_by_hand(paid, statement):
    anna, _, _ = paid
    before = used("daily_outgoing")

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert before == [(anna.id, 125_000)]
    assert used("daily_outgoing") == before


def test_settling_spend_touches_no_permit(paid):
    _, _, permit = paid
    with connection.cursor() as cursor:
        cursor.execute("SELECT sentinel_settle_spend(%s, '')", [permit.id])
        cursor.execute("SELECT state FROM sentinel_reservation")
        assert {state for (state,) in cursor.fetchall()} == {"held"}


def test_what_failed_is_given_back_as_before(paid):
    anna, action, permit = paid
    spent(permit, action)

    done(permit, OutcomeKind.FAILED)

    assert used("daily_outgoing") == [(anna.id, 0)]


# Between two answers of high risk a person leaves a while.


def test_two_answers_of_high_risk_need_a_gap_between_them():
    set_limit("approval_gap", "*", Money(30, "SEC"))
    maker, carla = employee("operations"), employee("compliance_officer")
    waiting = [decided(_limit(cap), maker, (), "operations") for cap in (1, 2, 3)]
    at = now()

    approved(waiting[0], carla, at=at)
    with pytest.raises(ApprovalTooSoon) as refused:
        approved(waiting[1], carla, at=at)
    colleague = approved(waiting[2], employee("compliance_officer"), at=at)

    assert refused.value.code == "approval_too_soon"
    assert colleague.state == "approved"


def _limit(cap):
    parameters = {
        "name": "monthly_outgoing",
        "holder": "*",
        "cap": {"minor_units": cap, "currency": "EUR"},
    }
    return change("limits.set", parameters)
