"""Budgets of steps: an agent and a case take so many, and a step that was taken stays taken."""

from dataclasses import replace

import pytest
from django.db import connection

from sentinel.vocabulary import Money, OutcomeKind, Principal, Verdict
from tests.authority import (
    change,
    counts,
    customer,
    decided,
    done,
    employee,
    facts,
    payment,
    set_limit,
    spent,
)

pytestmark = pytest.mark.usefixtures("bank")


def codes(decision):
    return tuple(reason.policy_id for reason in decision.reasons)


@pytest.fixture
def assistant():
    anna = customer()
    return Principal("agent:assistant", "agent", "", anna.entity, ("assistant",), anna)


def acted(who, case=None):
    action = payment(amount=1_000)
    action = action if case is None else replace(action, case_id=case)
    return action, decided(action, who, facts(payee_trusted=True))


def used(name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT holder, used_minor FROM sentinel_usage WHERE name = %s", [name])
        return cursor.fetchall()


@pytest.mark.parametrize("holder", ["*", "agent:assistant"])
def test_an_agent_without_a_step_left_does_nothing(assistant, holder):
    set_limit("agent_steps", holder, Money(2, "STEP"))
    taken = [acted(assistant)[1].verdict for _ in range(2)]
    before = counts()

    _, refused = acted(assistant)

    assert taken == [Verdict.PERMIT] * 2
    assert (codes(refused), refused.token) == (("budget_exhausted",), None)
    assert counts() == before
    assert used("agent_steps") == [("agent:assistant", 2)]
    assert acted(customer())[1].verdict is Verdict.PERMIT


def test_a_case_has_so_many_steps_for_all_its_agents(assistant):
    set_limit("case_steps", "*", Money(1, "STEP"))
    action, _ = acted(assistant)
    other = replace(assistant, id="agent:planner")

    assert codes(acted(other, action.case_id)[1]) == ("budget_exhausted",)
    assert acted(other)[1].verdict is Verdict.PERMIT


def test_a_step_that_failed_was_taken(assistant):
    set_limit("agent_steps", "*", Money(1, "STEP"))
    action, decision = acted(assistant)
    spent(decision, action)

    done(decision, OutcomeKind.FAILED)

    assert used("agent_steps") == [("agent:assistant", 1)]
    assert used("daily_outgoing") == [(assistant.on_behalf_of.id, 0)]
    assert codes(acted(assistant)[1]) == ("budget_exhausted",)


@pytest.mark.parametrize(
    ("name", "holder", "unit"),
    [
        ("agent_steps", "*", "EUR"),
        ("daily_outgoing", "*", "STEP"),
        ("agent_steps", "customer:1", "STEP"),
        ("case_steps", "agent:assistant", "STEP"),
    ],
)
def test_a_budget_nobody_could_hold_is_refused(name, holder, unit):
    cap = {"minor_units": 1, "currency": unit}
    action = change("limits.set", {"name": name, "holder": holder, "cap": cap})

    assert codes(decided(action, employee("operations"), (), "operations")) == ("bad_parameters",)
