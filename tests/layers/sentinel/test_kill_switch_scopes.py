"""Every kind of kill switch, thrown before a decision and between a decision and its redemption."""

from dataclasses import replace

import pytest

from sentinel.public import TokenRefused, foresee
from sentinel.signing.token_keys import token_signer
from sentinel.vocabulary import Principal, Verdict
from tests.authority import (
    change,
    confirmed,
    count,
    customer,
    decided,
    employee,
    facts,
    now,
    payment,
    release,
    spent,
    throw,
)

pytestmark = pytest.mark.usefixtures("bank")


def codes(decision):
    return tuple(reason.policy_id for reason in decision.reasons)


@pytest.fixture
def anna():
    return customer()


@pytest.fixture
def assistant(anna):
    return Principal("agent:assistant", "agent", "", anna.entity, ("assistant",), anna)


def bundle_of(decision, area):
    return next(part for part in decision.bundle.split() if part.startswith(f"{area}@"))


def scopes(decision, anna):
    return {
        "all": "all",
        "action": "action:payments.transfer",
        "actor": f"actor:{anna.id}",
        "agent": "agent:assistant",
        "agents": "agents",
        "policy": "policy:payments-assistant-for-customer",
        "bundle": f"bundle:{bundle_of(decision, 'payments')}",
        "key": f"kid:{token_signer('meridian-nl').kid}",
    }


KINDS = ("all", "action", "actor", "agent", "agents", "policy", "bundle", "key")


@pytest.mark.parametrize("kind", KINDS)
def test_a_switch_thrown_after_the_decision_revokes_its_token(kind, anna, assistant):
    action = payment()
    decision = decided(action, assistant, facts(payee_trusted=True))
    assert decision.verdict is Verdict.PERMIT
    throw(scopes(decision, anna)[kind])
    before = count("sentinel_redemption")

    with pytest.raises(TokenRefused) as refused:
        spent(decision, action)

    assert refused.value.reason == "revoked"
    assert count("sentinel_redemption") == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_scope_decides_nothing_until_two_let_it_go_on(kind, anna, assistant):
    given = facts(payee_trusted=True)
    first = decided(payment(), assistant, given)
    scope = scopes(first, anna)[kind]

    if kind == "key":
        # The key that is stopped signs the permits of those who would let it go on.
        throw(scope)
        assert codes(decided(payment(), assistant, given)) == ("stopped",)
        return
    throw(scope)
    stopped = decided(payment(), assistant, given)
    foreseen = foresee(
        action=payment(), principal=assistant, facts=given, purpose="payments", at=now()
    )
    release(scope)
    again = payment()
    after = decided(again, assistant, given)

    assert codes(stopped) == ("stopped",)
    assert codes(foreseen) == ("stopped",)
    assert after.verdict is Verdict.PERMIT
    spent(after, again)


@pytest.mark.parametrize("scope", ["agents", "agent:assistant"])
def test_stopping_agents_stops_no_person(scope, anna):
    throw(scope)

    assert decided(payment(), anna, facts(payee_trusted=True)).verdict is Verdict.PERMIT


def test_stopping_one_agent_stops_no_other(anna, assistant):
    throw("agent:collections")

    assert decided(payment(), assistant, facts(payee_trusted=True)).verdict is Verdict.PERMIT


def test_an_agent_behind_another_is_stopped_as_well(anna, assistant):
    inner = replace(assistant, id="agent:planner")
    throw("agent:assistant")

    outer = replace(inner, on_behalf_of=assistant)

    assert codes(decided(payment(), outer, facts(payee_trusted=True))) == ("stopped",)


def test_a_stopped_forbid_goes_on_forbidding(anna):
    throw("policy:sanctions-hit")

    assert codes(decided(payment(), anna, facts(screening_status="hit"))) == ("stopped",)
    assert decided(payment(), anna).verdict is Verdict.NEEDS_STEP_UP


def test_no_approval_helps_against_a_stopped_rule_that_asks_for_one(anna):
    throw("policy:approval-above-threshold")

    assert codes(decided(payment(amount=500_001), anna)) == ("stopped",)


def test_a_switch_that_was_released_before_the_decision_revokes_nothing(anna, assistant):
    throw("policy:payments-assistant-for-customer")
    release("policy:payments-assistant-for-customer")
    action = payment()

    decision = decided(action, assistant, facts(payee_trusted=True))

    assert spent(decision, action).decision_id == decision.id


def test_the_rules_about_switches_cannot_be_stopped_for_good(anna):
    throw("policy:kill-switch-release")
    throw("policy:kill-switch-throw")

    throw("all")
    release("all")
    release("policy:kill-switch-release")

    assert decided(payment(), anna).verdict is Verdict.NEEDS_STEP_UP


def test_a_switch_elsewhere_leaves_a_token_alone(anna):
    action = payment()
    decision = confirmed(action, anna)
    throw("action:cards.block")
    throw("policy:payments-assistant-for-customer")

    assert spent(decision, action).decision_id == decision.id


@pytest.mark.parametrize(
    "scope", ["policy:", "policy:a b", "bundle:payments", "bundle:payments@" + "0" * 15, "agent:"]
)
def test_what_names_no_rule_is_refused(scope):
    action = change("kill_switch.throw", {"scope": scope, "reason": "x"})

    refused = decided(action, employee("operations"), (), "operations")

    assert codes(refused) == ("bad_parameters",)
    assert count("sentinel_kill_switch") == 0
