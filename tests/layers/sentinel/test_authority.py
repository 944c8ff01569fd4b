"""Mandates and roles by authority: they cap, they end, and every link has its own."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sentinel.public import explain
from sentinel.vocabulary import Principal, Verdict
from tests.authority import (
    change,
    counts,
    customer,
    decided,
    employee,
    eur,
    facts,
    granted,
    now,
    payment,
    revoked,
    system,
)
from tests.layers.sentinel.authority_questions import PAY, THROW, later, paid, reasons, thrown

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture
def anna():
    return customer()


def assistant(of):
    return Principal("agent:assistant", "agent", "", of.entity, ("assistant",), of)


# What a mandate does.


def test_where_nobody_wrote_anything_the_policies_alone_decide(anna):
    decision = paid(anna, 125_000)

    assert decision.verdict is Verdict.PERMIT
    assert "authority" not in {step.name for step in explain(decision_id=decision.id).steps}


def test_a_mandate_caps_what_a_customer_may_pay(anna):
    mandate = granted(anna, PAY, cap=eur(10_000))
    before = counts()

    beyond = paid(anna, 10_001)
    left_alone = counts()
    within = paid(anna, 10_000)

    (reason,) = beyond.reasons
    assert (beyond.verdict, reason.policy_id) == (Verdict.DENY, "beyond_mandate")
    assert "at most 100.00 EUR" in reason.customer
    assert beyond.token is None
    assert left_alone == before
    assert within.verdict is Verdict.PERMIT
    (step,) = [each for each in explain(decision_id=within.id).steps if each.name == "authority"]
    assert step.detail == str(mandate.decision_id)
    assert paid(customer(), 125_000).verdict is Verdict.PERMIT


@pytest.mark.parametrize("link", ["agent", "system"])
def test_every_link_of_the_chain_has_its_own_mandate(anna, link):
    flow = replace(system("journeys"), on_behalf_of=anna)
    who = assistant(anna) if link == "agent" else flow
    granted(replace(who, on_behalf_of=None), PAY, cap=eur(10_000))

    assert reasons(paid(who, 10_001)) == ["beyond_mandate"]
    assert "beyond_mandate" not in reasons(paid(who, 10_000))
    assert paid(anna, 10_001).verdict is Verdict.PERMIT


def test_a_mandate_of_a_role_caps_everybody_in_it_and_a_personal_one_goes_before_it():
    omar, nadia = employee("operations"), employee("operations")
    granted("operations", THROW, valid_until=later(seconds=0, days=1))
    kept = granted(omar, THROW)
    revoked(kept)

    assert thrown(nadia).verdict is Verdict.PERMIT
    assert reasons(thrown(omar)) == ["no_mandate"]


def test_a_personal_mandate_goes_beyond_that_of_the_role(anna):
    granted("customer", PAY, cap=eur(1_000))
    granted(anna, PAY, cap=eur(10_000))

    assert paid(anna, 10_000).verdict is Verdict.PERMIT
    assert reasons(paid(customer(), 10_000)) == ["beyond_mandate"]


def test_another_currency_is_beyond_every_cap(anna):
    granted(anna, PAY, cap={"minor_units": 10_000, "currency": "USD"})

    assert reasons(paid(anna, 1)) == ["beyond_mandate"]


def test_a_mandate_that_ended_gives_nothing_back(anna):
    mandate = granted(anna, PAY, cap=eur(10_000))
    assert paid(anna).verdict is Verdict.PERMIT

    revoked(mandate)

    assert reasons(paid(anna)) == ["no_mandate"]


def test_a_mandate_stands_from_its_first_moment_to_its_last(anna):
    granted(anna, PAY, valid_from=later(days=1), valid_until=later(days=2))

    moments = {days: at_day(anna, days) for days in (0, 1.5, 2.5)}

    assert reasons(moments[0]) == ["no_mandate"]
    assert moments[1.5].verdict is Verdict.PERMIT
    assert reasons(moments[2.5]) == ["no_mandate"]


def at_day(principal, days):
    at = now() + timedelta(days=days)
    given = facts(at=at, payee_trusted=True)
    return decided(payment(), principal, given, at=at)


def test_one_customer_acts_for_another_by_mandate_only(anna):
    bert = replace(customer(), on_behalf_of=anna)
    before = counts()

    refused = paid(bert)
    granted(replace(bert, on_behalf_of=None), PAY, on_behalf_of=anna.id, cap=eur(10_000))

    assert reasons(refused) == ["no_mandate"]
    assert counts() == before | {"sentinel_redemption": before["sentinel_redemption"] + 1}
    assert "no_mandate" not in reasons(paid(bert))
    assert reasons(paid(bert, 10_001)) == ["beyond_mandate"]
    other = replace(bert, on_behalf_of=customer())
    assert reasons(paid(other)) == ["no_mandate"]


def test_what_a_customer_allows_the_assistant_binds_for_that_customer_only(anna):
    bert = customer()
    agent = replace(assistant(anna), on_behalf_of=None)
    granted(agent, PAY, on_behalf_of=anna.id, cap=eur(1_000))

    assert reasons(paid(assistant(anna), 1_001)) == ["beyond_mandate"]
    assert not {"beyond_mandate", "no_mandate"} & set(reasons(paid(assistant(bert), 1_001)))


def test_a_mandate_is_of_the_person_of_record_it_was_written_for(anna):
    granted(replace(anna, person_id="somebody-else"), PAY)

    assert paid(anna).verdict is Verdict.PERMIT
    bert = replace(customer(), on_behalf_of=anna)
    granted(replace(bert, person_id="somebody-else"), PAY, on_behalf_of=anna.id)
    assert reasons(paid(bert)) == ["no_mandate"]


# What a role by authority does.


def test_a_role_by_grant_counts_like_one_of_record_for_its_kinds():
    eva = employee("adviser")
    before = thrown(eva)

    granted(eva, THROW, kind="role", role="fraud_analyst")

    assert reasons(before) == ["no_permit"]
    assert thrown(eva).verdict is Verdict.PERMIT
    release = change("kill_switch.release", {"scope": "all", "reason": "x"})
    assert reasons(decided(release, eva, (), "operations")) == ["no_permit"]
    assert reasons(thrown(employee("adviser"))) == ["no_permit"]


def test_the_evidence_shows_the_roles_of_record_and_the_authority_beside_them():
    eva = employee("adviser")
    role = granted(eva, THROW, kind="role", role="fraud_analyst")

    decision = thrown(eva)

    explained = explain(decision_id=decision.id)
    assert [link.roles for link in explained.chain] == [("adviser",)]
    assert ("authority", str(role.decision_id)) in [(s.name, s.detail) for s in explained.steps]
