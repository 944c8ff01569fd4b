"""Limits and kill switches: catalogued actions, four eyes, and no other way into their tables."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from sentinel.public import (
    ApprovalByParticipant,
    ApprovalBySamePerson,
    GovernanceRefused,
    TokenRefused,
    explain,
    govern,
    kill_switches,
    limits_of,
    open_tokens,
    outcome_of,
    records_of,
)
from sentinel.vocabulary import Money, OutcomeKind, Verdict
from tests.authority import (
    approved,
    change,
    changed,
    count,
    customer,
    decided,
    employee,
    facts,
    now,
    payment,
    release,
    set_limit,
    system,
    throw,
    with_parameters,
)

pytestmark = pytest.mark.usefixtures("bank")
TABLES = ("sentinel_limit", "sentinel_kill_switch", "sentinel_redemption")


def raised(holder="*", minor_units=7):
    cap = {"minor_units": minor_units, "currency": "EUR"}
    return change("limits.set", {"name": "daily_outgoing", "holder": holder, "cap": cap})


def proposed(action, by):
    return decided(action, by, (), "operations")


def untouched():
    return {table: count(table) for table in TABLES}


def test_a_limit_takes_two_people_and_is_on_record():
    omar, carla, anna = employee("operations"), employee("compliance_officer"), customer()
    action = raised(anna.id)
    before = untouched()

    waiting = proposed(action, omar)
    still = untouched()
    outcome = changed(action, omar, carla)

    assert waiting.verdict is Verdict.NEEDS_APPROVAL
    assert still == before
    assert outcome.kind is OutcomeKind.DONE
    held = {limit.name: limit.cap for limit in limits_of(holder=anna.id, currency="EUR", at=now())}
    assert held["daily_outgoing"] == Money(7, "EUR")
    assert outcome_of(decision_id=outcome.decision_id) == outcome
    kinds = {record.kind for record in records_of(decision_id=outcome.decision_id)}
    assert kinds == {"issued", "limit", "executed"}
    explained = explain(decision_id=outcome.decision_id)
    assert [approval.approver_id for approval in explained.approvals] == [carla.id]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT maker_person, checker_person FROM sentinel_limit WHERE holder = %s", [anna.id]
        )
        assert cursor.fetchall() == [(omar.person_id, carla.person_id)]


def test_nobody_approves_their_own_limit():
    carla = employee("compliance_officer")
    other_account = employee("compliance_officer", person=carla.person_id)
    before = untouched()

    waiting = proposed(raised(), carla)
    with pytest.raises(ApprovalByParticipant):
        approved(waiting, carla)
    with pytest.raises(ApprovalBySamePerson):
        approved(waiting, other_account)

    assert untouched() == before


@pytest.mark.parametrize(
    "who",
    [
        customer(),
        employee("adviser"),
        employee("engineer"),
        system("journeys"),
        system("seed"),
    ],
    ids=["customer", "adviser", "engineer", "journeys", "seed"],
)
@pytest.mark.parametrize("kind", ["limits.set", "kill_switch.throw", "kill_switch.release"])
def test_others_change_nothing(who, kind):
    action = raised() if kind == "limits.set" else change(kind, {"scope": "all", "reason": "x"})
    before = untouched()

    decision = proposed(action, who)

    assert (decision.verdict, decision.token) == (Verdict.DENY, None)
    assert untouched() == before


@pytest.mark.parametrize(
    "parameters",
    [
        {"scope": "everything", "reason": "x"},
        {"scope": "all\n", "reason": "x"},
        {"scope": "", "reason": "x"},
        {"scope": "all", "reason": ""},
        {"scope": "all", "reason": "x", "by": "me"},
    ],
)
def test_what_no_switch_is_called_is_refused(parameters):
    decision = proposed(change("kill_switch.throw", parameters), employee("operations"))

    assert [reason.policy_id for reason in decision.reasons] == ["bad_parameters"]
    assert kill_switches() == ()


@pytest.mark.parametrize("minor_units", [-1, 2**53, "7", 7.5, True])
def test_a_cap_that_is_no_amount_is_refused(minor_units):
    before = untouched()

    decision = proposed(raised(minor_units=minor_units), employee("operations"))

    assert [reason.policy_id for reason in decision.reasons] == ["bad_parameters"]
    assert untouched() == before


def test_one_person_stops_everything_and_two_let_it_go_on():
    throw("all")
    stopped = decided(payment(), customer())
    action = change("kill_switch.release", {"scope": "all", "reason": "over"})
    waiting = proposed(action, employee("operations"))
    assert waiting.verdict is Verdict.NEEDS_APPROVAL
    (switch,) = kill_switches()
    assert (switch.scope, switch.is_stopped) == ("all", True)

    release("all")

    assert [reason.policy_id for reason in stopped.reasons] == ["stopped"]
    assert [switch.is_stopped for switch in kill_switches()] == [False]
    assert decided(payment(), customer()).verdict is Verdict.NEEDS_STEP_UP


def test_whoever_is_stopped_turns_no_switch():
    omar = employee("operations")
    throw(f"actor:{omar.id}")

    decision = proposed(change("kill_switch.throw", {"scope": "all", "reason": "x"}), omar)

    assert [reason.policy_id for reason in decision.reasons] == ["stopped"]


def test_a_permit_changes_once_and_only_what_it_names():
    omar = employee("operations")
    action = change("kill_switch.throw", {"scope": "action:cards.block", "reason": "drill"})
    decision = proposed(action, omar)
    before = untouched()

    with transaction.atomic(), pytest.raises(TokenRefused) as other:
        govern(action=with_parameters(action, scope="all"), token=decision.token)
    assert untouched() == before
    with transaction.atomic():
        govern(action=action, token=decision.token)
    with transaction.atomic(), pytest.raises(TokenRefused) as again:
        govern(action=action, token=decision.token)

    assert (other.value.reason, again.value.reason) == ("other_parameters", "spent")
    assert [switch.scope for switch in kill_switches()] == ["action:cards.block"]
    assert open_tokens(older_than_seconds=-600) == ()


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO sentinel_limit (name, holder, currency, cap_minor, maker_person,"
        " checker_person, is_genesis, effective_from)"
        " VALUES ('daily_outgoing', '*', 'EUR', 1, 'a', 'b', false, now())",
        "INSERT INTO sentinel_kill_switch (scope, is_stopped, reason, set_by)"
        " VALUES ('all', false, '', '')",
        "SELECT sentinel_take_change(gen_random_uuid(), 'limits.set', '')",
    ],
)
def test_invariant_01_the_application_cannot_write_what_sentinel_goes_by(statement):
    before = untouched()

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert untouched() == before


def test_invariant_01_the_owners_functions_want_a_redemption_of_exactly_this():
    omar = employee("operations")
    action = change("kill_switch.throw", {"scope": "action:cards.block", "reason": "drill"})
    decision = proposed(action, omar)
    before = untouched()

    with connection.cursor() as cursor:
        for token in (uuid4(), decision.id):
            cursor.execute(
                "SELECT sentinel_write_kill_switch(%s, 'throw', 'action:cards.block', 'drill'),"
                " sentinel_write_kill_switch(%s, 'release', 'all', 'drill'),"
                " sentinel_write_limit(%s, 'daily_outgoing', '*', 'EUR', 1)",
                [token, token, token],
            )
            assert cursor.fetchone() == (False, False, False)

    assert untouched() == before


def test_invariant_01_the_redemption_of_one_change_writes_no_other():
    omar, carla = employee("operations"), employee("compliance_officer")
    thrown = changed(
        change("kill_switch.throw", {"scope": "action:cards.block", "reason": "drill"}), omar
    )
    limited = changed(raised(), omar, carla)
    before = untouched()

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sentinel_write_kill_switch(%s, 'throw', 'all', 'drill'),"
            " sentinel_write_limit(%s, 'daily_outgoing', '*', 'EUR', 8)",
            [thrown.decision_id, limited.decision_id],
        )
        assert cursor.fetchone() == (False, False)

    assert untouched() == before


def test_invariant_01_a_genesis_limit_is_written_at_the_genesis_only():
    decided(payment(), customer(), facts())
    before = untouched()

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT sentinel_write_first_limit('daily_outgoing', 'USD', 1, now())")

    assert untouched() == before


@pytest.mark.django_db(transaction=True)
def test_the_database_looks_for_the_second_person_itself(superuser_connection):
    """Even a permit that rests on an approval by its own proposer sets no limit."""
    omar, carla = employee("operations"), employee("compliance_officer")
    action = raised()
    approved(proposed(action, omar), carla)
    permit = proposed(action, omar)
    before = untouched()

    superuser_connection.execute(
        "UPDATE sentinel_approval_request SET excluded_persons = ARRAY[%s] WHERE id = ("
        "SELECT approval_id FROM sentinel_decision WHERE id = %s)",
        [carla.person_id, permit.id],
    )

    with pytest.raises(GovernanceRefused), transaction.atomic():
        govern(action=action, token=permit.token)

    assert untouched() == before


def test_set_limit_counts_at_once():
    anna = customer()
    set_limit("daily_outgoing", anna.id, Money(5_000, "EUR"))

    refused = decided(payment(amount=5_001), anna)

    assert [reason.policy_id for reason in refused.reasons] == ["limit_exceeded"]
