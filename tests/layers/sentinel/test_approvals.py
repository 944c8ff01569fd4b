from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection

from sentinel.public import (
    ApprovalAnswered,
    ApprovalByParticipant,
    ApprovalBySamePerson,
    ApprovalClosed,
    ApprovalForgotten,
    ApprovalOtherParameters,
    ApprovalUnknown,
    ApprovalWrongRole,
    approval_request,
    approvals_of,
    approve,
    close_approval,
    keep_approval_open,
    open_approval_requests,
)
from sentinel.vocabulary import Money, Provenance, Verdict
from tests.authority import (
    approved,
    confirmed,
    count,
    customer,
    decided,
    employee,
    facts,
    forgotten,
    now,
    payment,
    record_kinds,
    set_limit,
    spent,
    step_up,
    system,
    with_parameters,
    with_source,
)

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture
def anna():
    return customer()


@pytest.fixture
def large():
    return payment(amount=500_001)


@pytest.fixture
def waiting(anna, large):
    return decided(large, anna)


def assert_untouched(decision):
    assert approval_request(request_id=decision.approval_request_id).state == "open"
    assert count("sentinel_approval") == 0


def test_amount_at_the_threshold_needs_no_approval(anna):
    assert decided(payment(amount=500_000), anna).verdict is Verdict.NEEDS_STEP_UP


def test_large_payment_waits_for_operations(waiting, large):
    request = approval_request(request_id=waiting.approval_request_id)

    assert waiting.verdict is Verdict.NEEDS_APPROVAL
    assert (request.state, request.role) == ("open", "operations")
    assert request.parameters["creditor_iban"] == large.parameters["creditor_iban"]
    assert [r.id for r in open_approval_requests(roles=("operations",))] == [request.id]
    assert open_approval_requests(roles=("adviser",)) == ()


def test_same_question_finds_the_same_request(waiting, large, anna):
    assert decided(large, anna).approval_request_id == waiting.approval_request_id


def test_approved_payment_goes_on_to_the_second_factor_and_is_permitted(waiting, large, anna):
    omar = employee("operations")

    state = approved(waiting, omar)
    challenged = decided(large, anna)
    step_up(challenged.challenge_id, anna)
    permitted = decided(large, anna)

    assert state.state == "approved"
    assert challenged.verdict is Verdict.NEEDS_STEP_UP
    assert permitted.verdict is Verdict.PERMIT
    assert "approval" in record_kinds(waiting.id)
    (answer,) = approvals_of(request_id=waiting.approval_request_id)
    assert (answer.approver_id, answer.verdict, answer.comment) == (
        omar.id,
        "approve",
        "Looked at it",
    )


def test_approval_is_for_one_payment(waiting, large, anna):
    approved(waiting, employee("operations"))
    spent(confirmed(large, anna), large)
    set_limit("daily_outgoing", anna.id, Money(10_000_000, "EUR"))

    assert decided(replace(large, idempotency_key="again"), anna).verdict is Verdict.NEEDS_APPROVAL


def test_changed_parameters_start_anew(waiting, large, anna):
    approved(waiting, employee("operations"))
    changed = with_parameters(large, amount={"minor_units": 500_002, "currency": "EUR"})

    again = decided(changed, anna)

    assert again.verdict is Verdict.NEEDS_APPROVAL
    assert again.approval_request_id != waiting.approval_request_id


def test_rejected_payment_is_denied(waiting, large, anna):
    approved(waiting, employee("operations"), "reject")

    decision = decided(large, anna)

    assert decision.verdict is Verdict.DENY
    assert decision.reasons[0].policy_id == "approval_rejected"


def test_returned_payment_may_be_asked_again(waiting, large, anna):
    approved(waiting, employee("operations"), "return")

    again = decided(large, anna)

    assert again.verdict is Verdict.NEEDS_APPROVAL
    assert again.approval_request_id != waiting.approval_request_id


def test_initiator_cannot_approve(waiting, anna):
    with pytest.raises(ApprovalByParticipant):
        approved(waiting, replace(anna, kind="employee", roles=("operations",)))
    assert_untouched(waiting)


def test_same_person_under_another_account_cannot_approve(waiting, anna):
    with pytest.raises(ApprovalBySamePerson):
        approved(waiting, employee("operations", person=anna.person_id))
    assert_untouched(waiting)


def test_nobody_in_the_chain_can_approve(large, anna):
    adviser = employee("adviser", "operations")
    waiting = decided(large, replace(adviser, on_behalf_of=anna))

    with pytest.raises(ApprovalByParticipant):
        approved(waiting, adviser)
    assert_untouched(waiting)


def test_approver_for_somebody_else_cannot_approve(waiting, anna):
    with pytest.raises(ApprovalByParticipant):
        approved(waiting, replace(employee("operations"), on_behalf_of=anna))
    assert_untouched(waiting)


@pytest.mark.parametrize(
    "approver",
    [employee("adviser"), customer(), system("seed"), employee("operations", person="")],
    ids=["adviser", "customer", "system", "nobody"],
)
def test_wrong_approver_is_refused(waiting, approver):
    with pytest.raises(ApprovalWrongRole):
        approved(waiting, approver)
    assert_untouched(waiting)


def test_approval_of_other_parameters_is_refused(waiting):
    with pytest.raises(ApprovalOtherParameters):
        approved(replace(waiting, params_hash="00" * 32), employee("operations"))
    assert_untouched(waiting)


def test_second_answer_is_refused(waiting):
    approved(waiting, employee("operations"))

    with pytest.raises(ApprovalAnswered):
        approved(waiting, employee("operations"), "reject")
    assert approval_request(request_id=waiting.approval_request_id).state == "approved"


def test_late_answer_is_refused(waiting):
    with pytest.raises(ApprovalClosed):
        approved(waiting, employee("operations"), at=now() + timedelta(hours=73))
    assert_untouched(waiting)


def test_unknown_request_is_refused(anna):
    with pytest.raises(ApprovalUnknown):
        approve(
            request_id=payment().case_id,
            approver=employee("operations"),
            verdict="approve",
            comment="",
            params_hash="",
            at=now(),
        )


@pytest.mark.parametrize(("amount", "is_refused"), [(500_000, False), (500_001, True)])
def test_who_called_back_approves_up_to_the_threshold_only(anna, amount, is_refused):
    omar = employee("operations")
    corrected = with_source(
        payment(amount=amount), "creditor_iban", Provenance.EMPLOYEE_CONFIRMED, "orch_task:1"
    )
    waiting = decided(corrected, anna, facts(call_back_done=True, call_back_person=omar.person_id))

    if is_refused:
        with pytest.raises(ApprovalBySamePerson):
            approved(waiting, omar)
        assert_untouched(waiting)
    else:
        assert approved(waiting, omar).state == "approved"


def test_an_open_request_is_kept_open_for_longer_and_that_is_on_record(waiting):
    name = waiting.approval_request_id
    opened = approval_request(request_id=name)
    until = opened.expires_at + timedelta(days=4)

    assert keep_approval_open(request_id=name, until=until) == until
    assert keep_approval_open(request_id=name, until=opened.expires_at) == until

    assert approval_request(request_id=name).expires_at == until
    assert record_kinds(waiting.id).count("approval_term") == 1
    approved(waiting, employee("operations"), at=until - timedelta(minutes=1))
    assert approval_request(request_id=name).state == "approved"


def test_a_request_that_nobody_need_answer_is_closed_once_and_that_is_on_record(waiting):
    name = waiting.approval_request_id

    assert close_approval(request_id=name, at=now())
    assert not close_approval(request_id=name, at=now())

    assert approval_request(request_id=name).state == "closed"
    assert record_kinds(waiting.id).count("approval_term") == 1
    with pytest.raises(ApprovalClosed):
        approved(waiting, employee("operations"))
    with pytest.raises(ApprovalClosed):
        keep_approval_open(request_id=name, until=now() + timedelta(days=4))


def test_a_request_that_was_answered_stays_as_it_was_answered(waiting):
    approved(waiting, employee("operations"))

    assert not close_approval(request_id=waiting.approval_request_id, at=now())

    assert approval_request(request_id=waiting.approval_request_id).state == "approved"


def test_no_request_stays_open_for_ever(waiting):
    opened = approval_request(request_id=waiting.approval_request_id)

    closes_at = keep_approval_open(request_id=opened.id, until=now() + timedelta(days=400))

    assert closes_at == opened.opened_at + timedelta(days=30)


def test_a_request_that_was_answered_is_not_kept_open(waiting):
    approved(waiting, employee("operations"))
    answered = approval_request(request_id=waiting.approval_request_id)

    with pytest.raises(ApprovalAnswered):
        keep_approval_open(request_id=answered.id, until=now() + timedelta(days=20))

    assert approval_request(request_id=answered.id) == answered


def test_a_request_that_has_expired_is_not_opened_again(waiting):
    name = waiting.approval_request_id
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sentinel_approval_request SET expires_at = opened_at")

    with pytest.raises(ApprovalClosed):
        keep_approval_open(request_id=name, until=now() + timedelta(days=1))

    assert approval_request(request_id=name).state == "closed"


# Somebody forgotten in the meantime


def test_what_is_about_somebody_forgotten_is_not_approved(anna, waiting):
    forgotten(anna.id)

    with pytest.raises(ApprovalForgotten):
        approved(waiting, employee("operations"))

    request = approval_request(request_id=waiting.approval_request_id)
    assert request.state == "open"
    assert approvals_of(request_id=request.id) == ()


@pytest.mark.parametrize(("verdict", "state"), [("reject", "rejected"), ("return", "returned")])
def test_what_is_about_somebody_forgotten_is_rejected_and_no_word_is_kept(
    anna, waiting, verdict, state
):
    forgotten(anna.id)

    answered = approve(
        request_id=waiting.approval_request_id,
        approver=employee("operations"),
        verdict=verdict,
        comment="Anna was forgotten",
        params_hash=waiting.params_hash,
        at=now(),
    )

    assert answered.state == state
    (answer,) = approvals_of(request_id=waiting.approval_request_id)
    assert (answer.verdict, answer.comment) == (verdict, "")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT comment_sealed FROM sentinel_approval WHERE request_id = %s",
            [waiting.approval_request_id],
        )
        assert cursor.fetchone() == (None,)
