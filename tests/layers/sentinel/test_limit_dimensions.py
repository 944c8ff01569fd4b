"""Caps for a month, an account, an agent and a purpose: each counts, is reserved and given back."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.db import connection

from sentinel.public import foresee, limits_of
from sentinel.vocabulary import Money, OutcomeKind, Principal, Verdict
from tests.authority import (
    change,
    count,
    counts,
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
GIVEN = {"payee_trusted": True}


def codes(decision):
    return tuple(reason.policy_id for reason in decision.reasons)


@pytest.fixture
def anna():
    return customer()


def assistant_of(person):
    return Principal("agent:assistant", "agent", "", person.entity, ("assistant",), person)


def pay(who, amount=60_000, account=None, purpose="payments", at=None):
    changes = {} if account is None else {"debtor_account_id": account}
    action = payment(amount=amount, **changes)
    return action, decided(action, who, facts(**GIVEN, at=at), purpose, at)


def used(name, holder):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(used_minor), 0) FROM sentinel_usage"
            " WHERE name = %s AND holder = %s",
            [name, holder],
        )
        return cursor.fetchone()[0]


def held_by(action, anna):
    return {
        "monthly_outgoing": (anna.id, anna.id),
        "account_daily": (action.resource, action.resource),
        "agent_daily": ("agent:assistant", "agent:assistant"),
        "purpose_daily": ("purpose:payments", f"purpose:payments:{anna.id}"),
    }


NAMES = ("monthly_outgoing", "account_daily", "agent_daily", "purpose_daily")


@pytest.mark.parametrize("whose", ["own", "everybody's"])
@pytest.mark.parametrize("name", NAMES)
def test_a_cap_counts_and_names_itself(name, whose, anna):
    account = "0b0e6c5e-8f5b-4b44-9a0c-5a8f6dd0a001"
    action = payment(debtor_account_id=account)
    holder, usage = held_by(action, anna)[name]
    set_limit(name, "*" if whose == "everybody's" else holder, Money(100_000, "EUR"))
    who = assistant_of(anna)

    _, first = pay(who, account=account)
    before = counts()
    again, second = pay(who, account=account)
    foreseen = foresee(
        action=again, principal=who, facts=facts(**GIVEN), purpose="payments", at=now()
    )

    assert first.verdict is Verdict.PERMIT
    assert (codes(second), second.token) == (("shared_limit_exceeded",), None)
    assert name in second.reasons[0].staff
    assert codes(foreseen) == ("shared_limit_exceeded",)
    assert counts() == before
    assert used(name, usage) == 60_000


@pytest.mark.parametrize("name", NAMES)
def test_what_has_no_cap_is_not_reserved(name, anna):
    pay(assistant_of(anna))

    assert count("sentinel_reservation") == 1
    assert count("sentinel_usage") == 1


def test_every_dimension_is_reserved_and_given_back_when_it_fails(anna):
    for name in NAMES:
        set_limit(name, "*", Money(100_000, "EUR"))
    action, decision = pay(assistant_of(anna))
    spent(decision, action)
    reserved = {name: used(name, held_by(action, anna)[name][1]) for name in NAMES}

    done(decision, OutcomeKind.FAILED)

    assert reserved == dict.fromkeys(NAMES, 60_000)
    assert {name: used(name, held_by(action, anna)[name][1]) for name in NAMES} == dict.fromkeys(
        NAMES, 0
    )
    assert states() == {"released"}


def test_what_is_done_stays_used_once(anna):
    for name in NAMES:
        set_limit(name, "*", Money(100_000, "EUR"))
    action, decision = pay(assistant_of(anna))
    spent(decision, action)

    done(decision)
    done(decision)

    assert states() == {"settled"}
    assert used("agent_daily", "agent:assistant") == 60_000
    assert used("daily_outgoing", anna.id) == 60_000


def test_unknown_stays_held(anna):
    set_limit("agent_daily", "*", Money(100_000, "EUR"))
    action, decision = pay(assistant_of(anna))
    spent(decision, action)

    done(decision, OutcomeKind.UNKNOWN)

    assert states() == {"held"}
    assert used("agent_daily", "agent:assistant") == 60_000


def states():
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT state FROM sentinel_reservation")
        return {state for (state,) in cursor.fetchall()}


def test_an_agent_uses_one_cap_for_all_its_customers(anna):
    set_limit("agent_daily", "agent:assistant", Money(100_000, "EUR"))

    _, first = pay(assistant_of(anna))
    _, other = pay(assistant_of(customer()))
    _, alone = pay(customer())

    assert first.verdict is Verdict.PERMIT
    assert codes(other) == ("shared_limit_exceeded",)
    assert alone.verdict is Verdict.PERMIT


def test_every_agent_of_a_chain_counts(anna):
    set_limit("agent_daily", "agent:planner", Money(100_000, "EUR"))
    planner = replace(assistant_of(anna), id="agent:planner")
    outer = replace(planner, id="agent:assistant", on_behalf_of=planner)

    pay(outer)

    assert used("agent_daily", "agent:planner") == 60_000
    assert codes(pay(outer)[1]) == ("shared_limit_exceeded",)


def test_a_purpose_counts_for_each_customer_by_itself(anna):
    set_limit("purpose_daily", "purpose:payments", Money(100_000, "EUR"))

    pay(anna)

    assert codes(pay(anna)[1]) == ("shared_limit_exceeded",)
    assert pay(anna, purpose="servicing")[1].verdict is Verdict.PERMIT
    assert pay(customer())[1].verdict is Verdict.PERMIT


def test_the_nearest_cap_counts(anna):
    set_limit("purpose_daily", "*", Money(1, "EUR"))
    set_limit("purpose_daily", "purpose:payments", Money(2, "EUR"))
    set_limit("purpose_daily", f"purpose:payments:{anna.id}", Money(100_000, "EUR"))

    assert pay(anna)[1].verdict is Verdict.PERMIT
    assert codes(pay(customer())[1]) == ("shared_limit_exceeded",)
    assert [
        (each.name, each.cap.minor_units, each.used.minor_units)
        for each in limits_of(holder=f"purpose:payments:{anna.id}", currency="EUR", at=now())
    ] == [("purpose_daily", 100_000, 60_000)]


def test_a_cap_is_for_its_currency(anna):
    set_limit("monthly_outgoing", anna.id, Money(0, "USD"))

    assert pay(anna)[1].verdict is Verdict.PERMIT


@pytest.mark.parametrize(
    ("name", "holder"),
    [
        ("account_daily", "customer:1"),
        ("agent_daily", "employee:1"),
        ("purpose_daily", "payments"),
        ("purpose_daily", "purpose:Payments"),
        ("monthly_outgoing", "account:1"),
        ("daily_outgoing", "purpose:payments"),
        ("daily_outgoing", "customer:1|x"),
        ("weekly_outgoing", "*"),
    ],
)
def test_a_limit_nobody_could_hold_is_refused(name, holder):
    cap = {"minor_units": 1, "currency": "EUR"}
    action = change("limits.set", {"name": name, "holder": holder, "cap": cap})

    refused = decided(action, employee("operations"), (), "operations")

    assert codes(refused) == ("bad_parameters",)


def test_a_month_counts_from_its_first_day(anna):
    set_limit("monthly_outgoing", anna.id, Money(100_000, "EUR"))
    pay(anna)

    with connection.cursor() as cursor:
        cursor.execute("SELECT day FROM sentinel_usage WHERE name = 'monthly_outgoing'")
        assert cursor.fetchall() == [(datetime.now(UTC).date().replace(day=1),)]
    assert {
        limit.name: limit.used.minor_units
        for limit in limits_of(holder=anna.id, currency="EUR", at=now())
    } == {"approval_threshold": 0, "daily_outgoing": 60_000, "monthly_outgoing": 60_000}
