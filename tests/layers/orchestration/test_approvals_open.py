"""An approval stays open for working days of its desk: a row of holidays does not use them up."""

from datetime import UTC, datetime, timedelta

import pytest

import sentinel.public
from deploy.sample.seeding import DESK_HOURS
from orchestration.worklist import clocks
from orchestration.worklist.clocks import set_calendar
from sentinel.public import ApprovalClosed, approval_request
from tests.authority import approved, customer, decided, facts, found_bank, payment
from tests.authority import employee as somebody

# Thursday, half past four in Amsterdam; Friday and Saturday are holidays, then comes Sunday.
CHRISTMAS_EVE = datetime(2026, 12, 24, 15, 30, tzinfo=UTC)


@pytest.fixture
def large(entity, employee):
    found_bank()
    set_calendar(content=DESK_HOURS, principal=employee, at=CHRISTMAS_EVE)
    return decided(payment(amount=500_001), customer(), facts(at=CHRISTMAS_EVE), at=CHRISTMAS_EVE)


def asked(decision):
    """Put the request before its desk, as a parked step does; return when that is due."""
    request = approval_request(request_id=decision.approval_request_id)
    _, due_at = clocks.allowed((request.role,), CHRISTMAS_EVE, clocks.APPROVAL)
    clocks.keep_open(request, CHRISTMAS_EVE, due_at)
    return due_at


def test_over_christmas_an_approval_is_open_when_it_is_due_and_three_working_days_long(large):
    by_the_clock = approval_request(request_id=large.approval_request_id).expires_at

    due_at = asked(large)

    closes_at = approval_request(request_id=large.approval_request_id).expires_at
    # Monday morning; 72 hours would have been over on Sunday afternoon.
    assert by_the_clock == CHRISTMAS_EVE + timedelta(hours=72)
    assert by_the_clock < due_at == datetime(2026, 12, 28, 9, 30, tzinfo=UTC)
    assert closes_at == datetime(2026, 12, 30, 15, 30, tzinfo=UTC)
    approved(large, somebody("operations"), at=due_at)
    assert approval_request(request_id=large.approval_request_id).state == "approved"


def test_after_its_working_days_it_is_closed(large):
    asked(large)

    with pytest.raises(ApprovalClosed):
        approved(large, somebody("operations"), at=datetime(2026, 12, 30, 15, 30, tzinfo=UTC))

    assert sentinel.public.approvals_of(request_id=large.approval_request_id) == ()


def test_a_desk_with_few_hours_has_until_its_work_is_due(large, employee):
    brief = {"zone": "UTC", "hours": {"monday": [["09:00", "10:00"]]}}
    set_calendar(content=brief, principal=employee, at=CHRISTMAS_EVE)

    due_at = asked(large)

    closes_at = approval_request(request_id=large.approval_request_id).expires_at
    assert due_at == datetime(2027, 1, 18, 10, 0, tzinfo=UTC)
    assert closes_at >= due_at


def test_a_bank_without_a_calendar_has_seventy_two_hours(entity):
    found_bank()
    decision = decided(
        payment(amount=500_001), customer(), facts(at=CHRISTMAS_EVE), at=CHRISTMAS_EVE
    )

    asked(decision)

    closes_at = approval_request(request_id=decision.approval_request_id).expires_at
    assert closes_at == CHRISTMAS_EVE + timedelta(hours=72)
