"""The least that would have flipped a decision is found by trying, and each flip is judged."""

import pytest

from sentinel.public import DecisionUnknown, InputsUnreadable, otherwise
from tests.authority import confirmed, count, customer, decided, facts, forgotten, payment

pytestmark = pytest.mark.usefixtures("bank")


def changes(found):
    return {
        ((each.kind, each.name, each.was, each.would), flip.verdict)
        for flip in found.counterfactuals
        for each in flip.changes
    }


def test_the_one_fact_that_stood_in_the_way_is_found_and_judged_again():
    refused = decided(payment(), customer(), facts(customer_status="suspended"))

    found = otherwise(decision_id=refused.id)

    assert (found.verdict, found.verdict_now, found.is_alike_then) == ("deny", "deny", True)
    assert changes(found) == {(("fact", "customer_status", "suspended", "active"), "needs_step_up")}


def test_where_one_change_is_not_enough_two_are_tried():
    given = facts(customer_status="suspended", account_status="closed")
    refused = decided(payment(), customer(), given)

    found = otherwise(decision_id=refused.id)

    assert found.counterfactuals
    assert {len(flip.changes) for flip in found.counterfactuals} == {2}
    names = {each.name for each in found.counterfactuals[0].changes}
    assert names == {"customer_status", "account_status"}
    assert found.counterfactuals[0].verdict == "needs_step_up"


def test_an_amount_above_a_limit_is_told_as_the_largest_that_fits():
    refused = decided(payment(100_000_001), customer())

    found = otherwise(decision_id=refused.id)

    amounts = {
        (each.was, each.would)
        for flip in found.counterfactuals
        for each in flip.changes
        if each.kind == "amount"
    }
    assert refused.verdict != "permit"
    assert amounts
    assert all(would < was for was, would in amounts)


def test_of_a_permit_it_is_told_what_would_have_stopped_it():
    permitted = confirmed(payment(), customer())

    found = otherwise(decision_id=permitted.id)

    assert found.verdict == "permit"
    assert all(flip.verdict != "permit" for flip in found.counterfactuals)
    assert len(found.counterfactuals) == 5


def test_asking_otherwise_decides_nothing():
    refused = decided(payment(), customer(), facts(customer_status="suspended"))
    tables = ("sentinel_decision", "sentinel_record", "sentinel_reservation")
    before = [count(table) for table in tables]

    otherwise(decision_id=refused.id)

    assert [count(table) for table in tables] == before


def test_what_was_erased_or_never_was_is_refused():
    anna = customer()
    refused = decided(payment(), anna)
    forgotten(anna.id)

    with pytest.raises(InputsUnreadable) as error:
        otherwise(decision_id=refused.id)
    with pytest.raises(DecisionUnknown):
        otherwise(decision_id=payment().case_id)

    assert error.value.why == "erased"
