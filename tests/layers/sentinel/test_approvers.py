"""Who may approve: roles by authority, caps, nobody's delegate, nobody's relation."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from sentinel.public import (
    ApprovalBeyondMandate,
    ApprovalByDelegate,
    ApprovalConflict,
    ApprovalFactsMissing,
    ApprovalWrongRole,
    approval_request,
    approve,
    records_of,
)
from sentinel.vocabulary import Fact, Verdict
from tests.authority import (
    approved,
    change,
    count,
    customer,
    decided,
    delegated,
    employee,
    eur,
    granted,
    now,
    payment,
    revoked,
)
from tests.layers.sentinel.authority_questions import PAY, later

pytestmark = pytest.mark.usefixtures("bank")
LIMIT = "limits.set"


@pytest.fixture
def omar():
    return employee("operations")


@pytest.fixture
def carla():
    return employee("compliance_officer")


def limit_by(maker):
    parameters = {"name": "daily_outgoing", "holder": "*", "cap": eur(7)}
    return decided(change(LIMIT, parameters), maker, (), "operations")


def large(amount=600_000):
    return decided(payment(amount=amount), customer())


def assert_untouched(decision):
    assert approval_request(request_id=decision.approval_request_id).state == "open"
    assert count("sentinel_approval WHERE verdict = 'reject'") == 0


def test_a_delegate_approves_and_the_record_says_by_which_authority(omar, carla):
    eva = employee("adviser")
    with pytest.raises(ApprovalWrongRole):
        approved(limit_by(omar), eva)
    role = delegated(carla, eva, LIMIT, role="compliance_officer", powers="approve")

    waiting = limit_by(employee("operations"))
    approved(waiting, eva)

    (record,) = [r for r in records_of(decision_id=waiting.id) if r.kind == "approval"]
    assert record.content["authority"] == [str(role.decision_id)]
    revoked(role)
    with pytest.raises(ApprovalWrongRole):
        approved(limit_by(employee("operations")), eva)


def test_a_role_to_act_is_none_to_approve(omar, carla):
    eva = employee("adviser")
    delegated(carla, eva, LIMIT, role="compliance_officer", powers="act")
    waiting = limit_by(omar)

    with pytest.raises(ApprovalWrongRole):
        approved(waiting, eva)

    assert_untouched(waiting)


def test_nobody_approves_for_whom_they_stand_in(carla):
    eva = employee("adviser")
    delegated(carla, eva, LIMIT, role="compliance_officer", powers="approve")
    waiting = limit_by(carla)

    with pytest.raises(ApprovalByDelegate) as refused:
        approved(waiting, eva)

    assert refused.value.code == "approval_by_delegate"
    assert_untouched(waiting)


def test_nobody_approves_for_their_own_delegate(carla):
    eva = employee("adviser")
    delegated(carla, eva, LIMIT, role="compliance_officer")
    waiting = limit_by(eva)
    assert waiting.verdict is Verdict.NEEDS_APPROVAL

    with pytest.raises(ApprovalByDelegate):
        approved(waiting, carla)

    assert_untouched(waiting)
    approved(waiting, employee("compliance_officer"))


def test_a_delegation_of_a_delegation_links_the_ends_and_ending_it_too_late_helps_nobody(carla):
    eva, lucas = employee("adviser"), employee("underwriter")
    said = {"role": "compliance_officer", "powers": "both"}
    first = delegated(carla, eva, LIMIT, **said)
    delegated(eva, lucas, LIMIT, parent=str(first.decision_id), valid_until=later(days=3), **said)
    waiting = limit_by(lucas)

    revoked(first)

    with pytest.raises(ApprovalByDelegate):
        approved(waiting, carla)
    assert_untouched(waiting)


def test_standing_in_for_something_else_is_no_matter(carla):
    eva = employee("adviser", "operations")
    delegated(carla, eva, "kill_switch.release", role="compliance_officer")

    approved(limit_by(eva), carla)


def test_the_database_refuses_a_delegate_by_itself(carla):
    eva = employee("adviser")
    delegated(carla, eva, LIMIT, role="compliance_officer", powers="approve")
    waiting = limit_by(carla)

    statement = (
        "INSERT INTO sentinel_approval (request_id, approver_id, approver_person, verdict,"
        " params_hash, answered_at) SELECT id, %s, %s, 'approve', params_hash, now()"
        " FROM sentinel_approval_request WHERE id = %s"
    )
    values = [eva.id, eva.person_id, waiting.approval_request_id]
    with (
        pytest.raises(DatabaseError) as refused,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, values)

    assert refused.value.__cause__.sqlstate == "FL013"
    assert_untouched(waiting)


def test_a_mandate_caps_what_somebody_may_approve(omar):
    granted(omar, PAY, powers="approve", cap=eur(550_000))
    waiting = large()
    assert waiting.verdict is Verdict.NEEDS_APPROVAL

    with pytest.raises(ApprovalBeyondMandate):
        approved(waiting, omar)

    assert_untouched(waiting)
    approved(large(550_000), omar)
    approved(waiting, employee("operations"))


def test_a_mandate_of_the_role_caps_every_approver_and_an_ended_one_stops_them(omar):
    mandate = granted("operations", PAY, powers="approve", cap=eur(600_000))
    approved(large(), omar)

    revoked(mandate)
    waiting = large()

    with pytest.raises(ApprovalBeyondMandate):
        approved(waiting, omar)
    assert_untouched(waiting)


def test_a_delegated_role_approves_up_to_its_cap(omar):
    eva = employee("adviser")
    said = {"role": "operations", "powers": "approve", "cap": eur(550_000)}
    delegated(omar, eva, PAY, **said)
    waiting = large()

    with pytest.raises(ApprovalBeyondMandate):
        approved(waiting, eva)

    assert_untouched(waiting)
    approved(large(550_000), eva)


def related(
    decision,
    approver,
    value,
    since=timedelta(),
    name="approver_to_customer",
    source="nexus_edge:1",
):
    return approve(
        request_id=decision.approval_request_id,
        approver=approver,
        verdict="approve",
        comment="",
        params_hash=decision.params_hash,
        at=now(),
        facts=[Fact(name, value, source, now() + since)],
    )


@pytest.mark.parametrize("value", ["self", "household", "relative", "same_employer", "who knows"])
@pytest.mark.parametrize("name", ["approver_to_customer", "approver_to_beneficiary"])
def test_nobody_approves_for_their_own(omar, value, name):
    waiting = large()

    with pytest.raises(ApprovalConflict) as refused:
        related(waiting, omar, value, name=name)

    assert (refused.value.code, refused.value.relation) == ("approval_conflict", value)
    assert_untouched(waiting)
    related(waiting, omar, "none", name=name)


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": timedelta(minutes=-6)},
        {"since": timedelta(minutes=6)},
        {"source": "somebody said so"},
        {"value": True},
    ],
    ids=["stale", "from the future", "unattested", "malformed"],
)
def test_a_relation_that_is_not_attested_refuses(omar, wrong):
    waiting = large()

    with pytest.raises(ApprovalFactsMissing):
        related(waiting, omar, **{"value": "none", **wrong})

    assert_untouched(waiting)
