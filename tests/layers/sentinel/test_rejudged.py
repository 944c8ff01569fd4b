"""A decision judged again under its own rules, from what was recorded, is the same decision."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from sentinel.inputs import InputsUnreadable
from sentinel.judging import judge
from sentinel.public import DecisionUnknown, rejudge
from sentinel.replaying import is_answered_alike, recorded_decisions, rules_then
from sentinel.vocabulary import Money, Principal, Provenance, Verdict
from tests.authority import (
    approved,
    change,
    confirmed,
    customer,
    decided,
    employee,
    facts,
    forgotten,
    now,
    payment,
    release,
    set_limit,
    step_up,
    system,
    throw,
    with_source,
)

pytestmark = pytest.mark.usefixtures("bank")


def on_behalf(kind, roles, of):
    key = uuid4()
    name = f"{kind}:{key}" if kind == "employee" else f"{kind}:assistant"
    return Principal(name, kind, f"person-{key}", of.entity, roles, on_behalf_of=of)


def approved_payments():
    anna, bob, big, rejected = customer(), customer(), payment(600_000), payment(700_000)
    first = decided(big, anna)
    yield first
    approved(first, employee("operations"))
    second = decided(big, anna)
    yield second
    step_up(second.challenge_id, anna)
    yield decided(big, anna)
    yield decided(payment(450_000), anna)
    approved(decided(rejected, bob), employee("operations"), verdict="reject")
    yield decided(rejected, bob)


def by_others(anna):
    yield decided(payment(), on_behalf("agent", ("assistant",), anna))
    yield decided(payment(), on_behalf("employee", ("employee", "adviser"), anna))
    yield decided(payment(), on_behalf("employee", ("employee", "underwriter"), anna))
    yield decided(payment(), replace(anna, roles=("customer", "wizard")))
    yield decided(change("limits.set", LIMIT), system("journeys"), (), "operations")


def on_other_facts(anna):
    yield decided(payment(), anna, facts(screening_status="hit"))
    yield decided(payment(), anna, facts(screening_status="possible", payee_trusted=True))
    yield decided(payment(), anna, facts(without=("own_account",)))
    yield decided(payment(), anna, facts(fraud_score_permille="high"))
    yield decided(payment(), anna, facts(at=now() - timedelta(days=2)))
    yield decided(payment(), anna, [*facts(), *facts()])
    yield decided(payment(2_500), anna, facts(payee_trusted=True))
    yield decided(payment(), anna, purpose="curiosity")
    yield decided(with_source(payment(), "creditor_iban", Provenance.UNKNOWN), anna)
    yield decided(with_source(payment(), "creditor_iban", Provenance.MODEL), anna)


def varied():
    """Take decisions of every verdict, by everybody, stopped at many different steps."""
    anna = customer()
    yield decided(payment(), anna)
    yield confirmed(payment(), anna)
    yield from approved_payments()
    yield from by_others(anna)
    yield from on_other_facts(anna)
    throw("action:payments.transfer")
    yield decided(payment(), anna)
    release("action:payments.transfer")
    set_limit("approval_threshold", "*", Money(100, "EUR"))
    yield decided(payment(), anna)


LIMIT = {
    "name": "daily_outgoing",
    "holder": "*",
    "cap": {"minor_units": 1, "currency": "EUR"},
}


def test_every_decision_judged_again_under_its_own_rules_is_the_same():
    taken = list(varied())

    again = [rejudge(decision_id=each.id) for each in taken]

    assert {each.verdict for each in taken} == set(Verdict)
    assert len({each.recorded_policies for each in again}) > 12
    assert [each for each in again if not each.is_same] == []
    assert [each.recorded for each in again] == [each.verdict.value for each in taken]


def test_all_decisions_of_a_time_are_replayed_in_order_and_all_agree():
    since = now()
    taken = list(varied())
    left_out = Counter()

    found = list(recorded_decisions(since, now(), left_out))
    differing = [
        each.id
        for each in found
        if not is_answered_alike(each, judge(each.proposal, each.known, rules_then(each.bundle)))
    ]

    assert {each.id for each in taken} <= {each.id for each in found}
    assert [each.at for each in found] == sorted(each.at for each in found)
    assert differing == []
    assert left_out == {}


def test_what_no_rule_judged_and_who_was_forgotten_are_left_out_and_counted():
    since, anna, bob = now(), customer(), customer()
    unknown = decided(replace(payment(), kind="payments.vanish"), anna)
    gone, kept = decided(payment(), bob), decided(payment(), anna)
    taken = forgotten(bob.id).decision_id
    left_out = Counter()

    found = [each.id for each in recorded_decisions(since, now(), left_out)]

    assert kept.id in found
    assert taken in found
    assert gone.id not in found
    assert left_out == {"not judged by rules": 1, "erased": 1}
    for decision in (unknown, gone):
        with pytest.raises(InputsUnreadable):
            rejudge(decision_id=decision.id)
    with pytest.raises(DecisionUnknown):
        rejudge(decision_id=uuid4())
