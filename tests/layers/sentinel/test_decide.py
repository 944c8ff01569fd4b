from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction

from sentinel.public import (
    IdempotencyConflict,
    NotInTransaction,
    decide,
    decide_durably,
    explain,
    limits_of,
    record,
    run_sequencer_once,
)
from sentinel.vocabulary import Money, OutcomeKind, Provenance, Verdict
from tests.authority import (
    STRANGER,
    approved,
    confirmed,
    count,
    counts,
    customer,
    decided,
    done,
    employee,
    facts,
    now,
    payment,
    record_kinds,
    release,
    set_limit,
    spent,
    step_up,
    system,
    throw,
    with_parameters,
    with_source,
)

pytestmark = pytest.mark.usefixtures("bank")


def codes(decision):
    return tuple(reason.policy_id for reason in decision.reasons)


def test_payment_needs_a_second_factor_then_is_permitted():
    anna, action = customer(), payment()

    first = decided(action, anna)
    step_up(first.challenge_id, anna)
    second = decided(action, anna)

    assert (first.verdict, first.token) == (Verdict.NEEDS_STEP_UP, None)
    assert codes(first) == ("payment-needs-second-factor",)
    assert second.verdict is Verdict.PERMIT
    assert second.token is not None
    assert second.token.id == second.id


def test_same_question_finds_the_same_challenge():
    anna, action = customer(), payment()

    first, second = decided(action, anna), decided(action, anna)

    assert first.challenge_id == second.challenge_id
    assert count("sentinel_challenge") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"amount": {"minor_units": 125_001, "currency": "EUR"}},
        {"creditor_iban": STRANGER},
        {"creditor_name": "Hendriks Vastgoed BV"},
        {"remittance": "Rent December"},
        {"execution_date": "2026-11-22"},
    ],
)
def test_second_factor_for_other_parameters_does_not_count(change):
    anna, action = customer(), payment()
    step_up(decided(action, anna).challenge_id, anna)

    changed = decided(with_parameters(action, **change), anna)

    assert changed.verdict is Verdict.NEEDS_STEP_UP


@pytest.mark.parametrize(
    ("change", "policy", "remedy"),
    [
        ({"screening_status": "hit"}, "sanctions-hit", None),
        ({"screening_status": "possible"}, "screening-needs-review", "screening_review"),
        ({"screening_status": "unsure"}, "screening-unreadable", None),
        ({"screening_age_seconds": 700_000}, "screening-stale", None),
        ({"name_check": "mismatch"}, "payee-name-differs", "confirm_name"),
        ({"customer_status": "suspended"}, "customer-not-active", None),
        ({"account_status": "blocked"}, "account-not-open", None),
        ({"fraud_band": "high"}, "fraud-score-high", "fraud_review"),
        ({"consent_given": False}, "consent-withheld", None),
    ],
)
def test_bank_wide_rule_forbids(change, policy, remedy):
    decision = decided(payment(), customer(), facts(**change))

    assert decision.verdict is Verdict.DENY
    assert codes(decision) == (policy,)
    assert decision.remedy == remedy
    assert decision.reasons[0].customer
    assert record_kinds(decision.id) == ["refused"]
    assert counts() == {"sentinel_redemption": 0, "sentinel_reservation": 0}


def test_possible_match_cleared_by_a_person_goes_on():
    given = facts(screening_status="possible", screening_cleared_by_person=True)

    assert decided(payment(), customer(), given).verdict is Verdict.NEEDS_STEP_UP


def test_final_rule_beside_one_with_a_remedy_leaves_no_remedy():
    given = facts(screening_status="hit", name_check="mismatch")

    decision = decided(payment(), customer(), given)

    assert codes(decision) == ("payee-name-differs", "sanctions-hit")
    assert decision.remedy is None


def test_iban_from_a_document_needs_a_call_back():
    action = with_source(payment(iban=STRANGER), "creditor_iban", Provenance.DOCUMENT)

    decision = decided(action, customer(), facts(payee_iban_matches_known=False))

    assert codes(decision) == ("iban-from-document-needs-call-back",)
    assert decision.remedy == "call_back"
    assert "invoice fraud" in decision.reasons[0].customer
    assert "call" in decision.reasons[0].staff.lower()


def test_iban_from_a_document_that_is_the_known_one_needs_none():
    action = with_source(payment(), "creditor_iban", Provenance.DOCUMENT)

    assert decided(action, customer()).verdict is Verdict.NEEDS_STEP_UP


def test_the_story_from_refusal_to_permit():
    anna, omar = customer(), employee("operations")
    invoice = with_source(payment(iban=STRANGER), "creditor_iban", Provenance.DOCUMENT)
    refused = decided(invoice, anna, facts(payee_iban_matches_known=False))
    corrected = with_source(
        with_parameters(invoice, creditor_iban=payment().parameters["creditor_iban"]),
        "creditor_iban",
        Provenance.EMPLOYEE_CONFIRMED,
        "orch_task:7",
    )
    given = facts(call_back_done=True, call_back_person=omar.person_id)

    waiting = decided(corrected, anna, given)
    approved(waiting, omar)
    challenged = decided(corrected, anna, given)
    step_up(challenged.challenge_id, anna)
    permitted = decided(corrected, anna, given)

    assert refused.remedy == "call_back"
    assert waiting.verdict is Verdict.NEEDS_APPROVAL
    assert codes(waiting) == ("corrected-payee-needs-approval",)
    assert challenged.verdict is Verdict.NEEDS_STEP_UP
    assert permitted.verdict is Verdict.PERMIT
    explained = explain(decision_id=permitted.id)
    assert [a.approver_id for a in explained.approvals] == [omar.id]


def test_what_was_given_towards_a_decision_names_its_record_in_the_log():
    anna, omar = customer(), employee("operations")
    action = payment(amount=600_000)
    waiting = decided(action, anna)
    approved(waiting, omar)
    before = explain(decision_id=waiting.id)
    step_up(decided(action, anna).challenge_id, anna)
    permitted = decided(action, anna)
    while run_sequencer_once():
        pass

    explained = explain(decision_id=permitted.id)

    (approval,) = explained.approvals
    assert record(record_id=approval.record.id).kind == "approval"
    assert record(record_id=approval.record.id).decision_id == waiting.id
    assert approval.record.index == record(record_id=approval.record.id).index is not None
    assert record(record_id=explained.step_up.record.id).content["result"] == "accepted"
    assert explained.step_up.record.index is not None
    assert [item.kind for item in explained.records] == ["approval", "step_up", "issued"]
    assert [item.kind for item in before.records] == ["refused", "approval"]


def test_low_value_payment_is_exempt_until_the_sum_is_reached():
    anna = customer()
    verdicts = []
    for _ in range(5):
        action = payment(amount=2_500)
        decision = decided(action, anna)
        verdicts.append(decision.verdict)
        if decision.token:
            spent(decision, action)

    assert verdicts == [Verdict.PERMIT] * 4 + [Verdict.NEEDS_STEP_UP]


def test_low_value_count_starts_anew_after_a_second_factor():
    anna = customer()
    for _ in range(4):
        decided(payment(amount=2_500), anna)

    assert confirmed(payment(amount=2_500), anna).verdict is Verdict.PERMIT
    assert decided(payment(amount=2_500), anna).verdict is Verdict.PERMIT


@pytest.mark.parametrize(
    ("change", "exemption"),
    [
        ({"creditor_own_account": True}, "own_accounts"),
        ({"payee_trusted": True}, "trusted_payee"),
    ],
)
def test_exemption_is_recorded(change, exemption):
    decision = decided(payment(), customer(), facts(**change))

    assert decision.verdict is Verdict.PERMIT
    assert explain(decision_id=decision.id).exemption == exemption


def test_no_exemption_unless_the_fraud_score_is_low():
    given = facts(payee_trusted=True, fraud_band="medium")

    assert decided(payment(), customer(), given).verdict is Verdict.NEEDS_STEP_UP


def test_daily_limit_counts_what_was_permitted():
    anna, given = customer(), facts(payee_trusted=True)
    first = payment(amount=450_000)
    second = payment(amount=450_000)
    third = payment(amount=100_001)

    verdicts = [decided(action, anna, given).verdict for action in (first, second, third)]
    exact = decided(payment(amount=100_000), anna, given)

    assert verdicts == [Verdict.PERMIT, Verdict.PERMIT, Verdict.DENY]
    assert exact.verdict is Verdict.PERMIT


def test_failed_payment_gives_its_limit_back():
    anna, given = customer(), facts(payee_trusted=True)
    failed = decided(payment(amount=450_000), anna, given)
    decided(payment(amount=450_000), anna, given)
    full = decided(payment(amount=450_000), anna, given)

    done(failed, OutcomeKind.FAILED)

    assert codes(full) == ("limit_exceeded",)
    assert decided(payment(amount=450_000), anna, given).verdict is Verdict.PERMIT


def test_a_holders_own_limit_replaces_everybodys():
    anna = customer()

    set_limit("daily_outgoing", anna.id, Money(5_000, "EUR"))

    assert codes(decided(payment(amount=5_001), anna)) == ("limit_exceeded",)
    held = {limit.name: limit.cap for limit in limits_of(holder=anna.id, currency="EUR", at=now())}
    assert held["daily_outgoing"] == Money(5_000, "EUR")


def test_done_action_comes_back_with_its_outcome():
    anna, action = customer(), payment()
    decision = confirmed(action, anna)
    spent(decision, action)
    done(decision)

    again = decided(action, anna)

    assert again.token is None
    assert again.id == decision.id
    assert again.replayed.reference == "t:1"


def test_idempotency_key_for_something_else_is_refused():
    anna, action = customer(), payment()
    decision = confirmed(action, anna)
    spent(decision, action)

    with pytest.raises(IdempotencyConflict):
        decided(with_parameters(action, remittance="Other"), anna)


def test_second_factor_counts_for_one_payment():
    anna, action = customer(), payment()
    decision = confirmed(action, anna)
    spent(decision, action)

    another = replace(action, idempotency_key=str(uuid4()))

    assert decided(another, anna).verdict is Verdict.NEEDS_STEP_UP


def test_agent_has_no_more_authority_than_its_customer_and_itself():
    anna = customer()
    assistant = replace(
        system("x"), id="agent:concierge", kind="agent", roles=("assistant",), on_behalf_of=anna
    )
    unregistered = replace(assistant, roles=())

    assert decided(payment(), assistant).verdict is Verdict.NEEDS_STEP_UP
    assert codes(decided(payment(), unregistered)) == ("no_permit",)
    suspended = decided(payment(), assistant, facts(customer_status="suspended"))
    assert codes(suspended) == ("customer-not-active",)


def test_employee_acts_for_a_customer_only_in_a_role_that_may():
    anna = customer()

    adviser = replace(employee("adviser"), on_behalf_of=anna)
    underwriter = replace(employee("underwriter"), on_behalf_of=anna)

    assert decided(payment(), adviser).verdict is Verdict.NEEDS_STEP_UP
    assert codes(decided(payment(), underwriter)) == ("no_permit",)
    assert codes(decided(payment(), employee("adviser"))) == ("no_permit",)


@pytest.mark.parametrize("scope", ["all", "action:payments.transfer"])
def test_kill_switch_stops_and_lets_go(scope):
    throw(scope)
    stopped = decided(payment(), customer())
    release(scope)

    assert codes(stopped) == ("stopped",)
    assert decided(payment(), customer()).verdict is Verdict.NEEDS_STEP_UP


def test_kill_switch_of_one_actor_leaves_others_alone():
    anna, bob = customer(), customer()
    scope = f"actor:{anna.id}"
    throw(scope)

    assert codes(decided(payment(), anna)) == ("stopped",)
    assert decided(payment(), bob).verdict is Verdict.NEEDS_STEP_UP


def test_decide_outside_a_transaction_is_refused(transactional_db):
    with pytest.raises(NotInTransaction):
        decide(action=payment(), principal=customer(), facts=facts(), purpose="payments", at=now())


def test_durable_decision_inside_a_transaction_is_refused(transactional_db):
    with transaction.atomic(), pytest.raises(RuntimeError):
        decide_durably(
            action=payment(), principal=customer(), facts=facts(), purpose="payments", at=now()
        )


def test_challenge_expires():
    anna, action = customer(), payment()
    first = decided(action, anna)

    later = decided(
        action, anna, facts(now() + timedelta(seconds=400)), at=now() + timedelta(seconds=400)
    )

    assert later.challenge_id != first.challenge_id
