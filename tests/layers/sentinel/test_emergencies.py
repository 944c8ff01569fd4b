"""Break-glass: short, for oneself, as far as the rules say, on record, and reviewed by another."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from sentinel.public import EMERGENCY_CHANGES as CHANGES
from sentinel.public import (
    ApprovalByParticipant,
    ApprovalBySamePerson,
    DecisionFilter,
    TokenRefused,
    decisions,
    emergencies,
    emergency_problem,
    liftable_kinds,
    records_of,
    rejudge,
    running_emergencies,
)
from sentinel.vocabulary import Action, OutcomeKind, Principal, Provenance, Source, Verdict
from tests.authority import (
    approved,
    change,
    changed,
    count,
    counts,
    customer,
    decided,
    employee,
    facts,
    payment,
    spent,
    system,
    throw,
)

pytestmark = pytest.mark.usefixtures("bank")
STATUS = "accounts.set_status"
REASON = "Operations cannot be reached and the account is being emptied"
TABLES = ("sentinel_emergency", "sentinel_emergency_end", "sentinel_emergency_review")


def breaking(breaker, *kinds, **said):
    """An action by which somebody breaks glass for themselves."""
    parameters = {
        "kinds": list(kinds or (STATUS,)),
        "minutes": 15,
        "breaker": breaker.id,
        "breaker_person": breaker.person_id,
        "reason": REASON,
        **said,
    }
    return change("emergency.begin", parameters)


def broken(breaker, *kinds, **said):
    """Break glass; return the outcome and the case it belongs to."""
    action = breaking(breaker, *kinds, **said)
    return changed(action, breaker), action.case_id


def blocking(account=None):
    account = account or str(uuid4())
    return Action(
        kind=STATUS,
        parameters={"account_id": account, "status": "blocked"},
        resource=f"account:{account}",
        case_id=uuid4(),
        idempotency_key=str(uuid4()),
        sources=dict.fromkeys(
            ("account_id", "status"), Source(Provenance.EMPLOYEE_CONFIRMED, "orch_task:1")
        ),
    )


def review(breaker, emergency_id, case_id, reviewer, verdict="approve"):
    action = replace(change("emergency.review", {"emergency": str(emergency_id)}), case_id=case_id)
    approved(decided(action, breaker, (), "operations"), reviewer, verdict)
    return action


def codes(decision):
    return tuple(reason.policy_id for reason in decision.reasons)


def rows():
    return {table: count(table) for table in TABLES}


@pytest.fixture
def fatima():
    return employee("fraud_analyst")


@pytest.fixture
def carla():
    return employee("compliance_officer")


def test_what_the_rules_lift_is_permitted_while_it_lasts_and_marked(fatima):
    before = decided(blocking(), fatima, (), "operations")

    outcome, _ = broken(fatima)
    action = blocking()
    permit = decided(action, fatima, (), "operations")

    assert (before.verdict, codes(before)) == (Verdict.DENY, ("no_permit",))
    assert permit.verdict is Verdict.PERMIT
    (standing,) = running_emergencies()
    assert (standing.id, standing.breaker, standing.decisions) == (
        outcome.decision_id,
        fatima.id,
        1,
    )
    assert 0 < standing.seconds_left <= 15 * 60
    (issued,) = records_of(decision_id=permit.id)
    assert issued.content["emergency"] == str(outcome.decision_id)
    assert ["emergency", "in_force", str(outcome.decision_id)] in issued.content["steps"]
    marked = decisions(filters=DecisionFilter(emergency_id=outcome.decision_id)).rows
    assert [row.id for row in marked] == [permit.id]
    assert rejudge(decision_id=permit.id).is_same


def test_it_lifts_nothing_for_anybody_or_anything_else(fatima):
    broken(fatima)
    card = uuid4()
    release = Action(
        kind="cards.release",
        parameters={"card_id": str(card), "reason": "undone"},
        resource=f"card:{card}",
        case_id=uuid4(),
        idempotency_key=str(uuid4()),
        sources=dict.fromkeys(("card_id", "reason"), Source(Provenance.EMPLOYEE_CONFIRMED, "x:1")),
    )

    colleague = decided(blocking(), employee("fraud_analyst"), (), "operations")
    other_sign_in = decided(
        blocking(), employee("fraud_analyst", person=fatima.person_id), (), "operations"
    )
    same_account = replace(fatima, person_id="somebody-else")
    other_kind = decided(release, fatima, (), "operations")

    assert codes(colleague) == codes(other_sign_in) == codes(other_kind) == ("no_permit",)
    assert codes(decided(blocking(), same_account, (), "operations")) == ("no_permit",)


def test_no_machine_acts_under_an_emergency(fatima):
    broken(fatima)
    agent = Principal("agent:assistant", "agent", "", fatima.entity, ("assistant",), fatima)

    assert codes(decided(blocking(), agent, (), "operations")) == ("no_permit",)
    assert decided(blocking(), system("journeys"), (), "operations").verdict is Verdict.DENY


def test_a_permit_is_spent_only_while_the_emergency_stands(fatima):
    outcome, _ = broken(fatima)
    action = blocking()
    permit = decided(action, fatima, (), "operations")
    end = {"emergency": str(outcome.decision_id), "reason": "Operations is back"}
    ended = changed(change("emergency.end", end), employee("operations"))
    before = counts()

    with pytest.raises(TokenRefused) as refused:
        spent(permit, action, permit.token.audience)

    assert (ended.kind, refused.value.reason) == (OutcomeKind.DONE, "emergency_over")
    assert counts() == before
    assert codes(decided(blocking(), fatima, (), "operations")) == ("no_permit",)
    assert running_emergencies() == ()
    again = changed(change("emergency.end", end), fatima)
    assert (again.kind, again.code) == (OutcomeKind.FAILED, "emergency_over")


def test_no_permit_outlives_its_emergency(fatima):
    broken(fatima, minutes=1)
    (standing,) = running_emergencies()

    permit = decided(blocking(), fatima, (), "operations")

    assert permit.token.expires_at <= standing.until


def test_a_switch_stops_it_all_the_same(fatima):
    broken(fatima)
    throw(f"action:{STATUS}")

    assert codes(decided(blocking(), fatima, (), "operations")) == ("stopped",)


def test_a_payment_above_the_threshold_still_takes_a_second_person():
    omar, anna = employee("operations"), customer()
    problem = emergency_problem(change=_parsed(breaking(omar, "payments.transfer")), principal=omar)

    assert problem[0] == "emergency_lifts_nothing"
    assert "payments.transfer" not in liftable_kinds()
    acting = replace(omar, on_behalf_of=anna)
    asked = decided(payment(amount=600_000), acting, facts(payee_trusted=True))
    assert asked.verdict is Verdict.NEEDS_APPROVAL


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("limits.set", "emergency_human_only"),
        ("authority.grant", "emergency_human_only"),
        ("kill_switch.release", "emergency_human_only"),
        ("payments.transfer", "emergency_lifts_nothing"),
        ("made.up", "emergency_unknown_kind"),
    ],
)
def test_what_cannot_be_lifted_is_refused_by_its_code(fatima, kind, code):
    before = rows()

    outcome = changed(breaking(fatima, kind), fatima)

    assert (outcome.kind, outcome.code) == (OutcomeKind.FAILED, code)
    assert rows() == before


@pytest.mark.parametrize(
    "wrong", [{"minutes": 61}, {"minutes": 0}, {"reason": "urgent"}, {"kinds": []}]
)
def test_it_is_short_and_has_a_reason(fatima, wrong):
    asked = decided(breaking(fatima, **wrong), fatima, (), "operations")

    assert codes(asked) == ("bad_parameters",)
    assert rows() == dict.fromkeys(TABLES, 0)


def test_nobody_breaks_glass_for_somebody_else_or_without_the_role(fatima):
    eva = employee("adviser")

    other = changed(breaking(employee("fraud_analyst")), fatima)

    assert (other.kind, other.code) == (OutcomeKind.FAILED, "emergency_not_self")
    assert decided(breaking(eva), eva, (), "operations").verdict is Verdict.DENY
    assert rows() == dict.fromkeys(TABLES, 0)


def test_one_runs_at_a_time(fatima):
    broken(fatima)

    second, _ = broken(fatima)

    assert second.code == "emergency_running"
    problem = emergency_problem(change=_parsed(breaking(fatima)), principal=fatima)
    assert problem[0] == "emergency_running"
    assert len(emergencies()) == 1


@pytest.mark.parametrize(("verdict", "is_justified"), [("approve", True), ("reject", False)])
def test_another_person_concludes_the_review_and_so_ends_it(fatima, carla, verdict, is_justified):
    outcome, case_id = broken(fatima)

    action = review(fatima, outcome.decision_id, case_id, carla, verdict)
    asked = decided(action, fatima, (), "operations")

    (found,) = emergencies()
    assert (found.is_justified, found.reviewer, found.is_overdue) == (is_justified, carla.id, False)
    assert (found.is_running, found.ended_by) == (False, carla.id)
    assert asked.verdict is (Verdict.PERMIT if is_justified else Verdict.DENY)


def test_nobody_reviews_their_own_under_any_account(fatima):
    outcome, case_id = broken(fatima)
    other = employee("compliance_officer", person=fatima.person_id)

    with pytest.raises(ApprovalBySamePerson):
        review(fatima, outcome.decision_id, case_id, other)
    with pytest.raises(ApprovalByParticipant):
        review(fatima, outcome.decision_id, case_id, replace(fatima, roles=("compliance_officer",)))

    assert emergencies()[0].is_justified is None


@pytest.mark.django_db(transaction=True)
def test_a_review_by_the_same_person_is_refused_by_the_database(fatima, superuser_connection):
    outcome, case_id = broken(fatima)
    action = replace(
        change("emergency.review", {"emergency": str(outcome.decision_id)}), case_id=case_id
    )
    waiting = decided(action, fatima, (), "operations")

    given = [waiting.approval_request_id, "employee:another", fatima.person_id]
    superuser_connection.execute(
        "UPDATE sentinel_approval_request SET excluded_persons = '{x}', excluded_ids = '{x}'"
        " WHERE id = %s",
        given[:1],
    )

    with pytest.raises(DatabaseError, match="check constraint"), transaction.atomic():
        connection.cursor().execute(
            "INSERT INTO sentinel_approval (request_id, approver_id, approver_person, verdict,"
            " params_hash, comment_sealed, answered_at)"
            " SELECT id, %s, %s, 'approve', params_hash, '', clock_timestamp()"
            " FROM sentinel_approval_request WHERE id = %s",
            [*given[1:], given[0]],
        )

    assert count("sentinel_emergency_review") == 0


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO sentinel_emergency (id, case_id, breaker, breaker_person, kinds, reason,"
        " until, review_due_at) VALUES (gen_random_uuid(), gen_random_uuid(), 'employee:x', 'p',"
        " '{accounts.set_status}', 'twenty characters long', clock_timestamp() + interval '1 min',"
        " clock_timestamp() + interval '1 day')",
        "INSERT INTO sentinel_emergency_review (emergency, breaker_person, is_justified,"
        " request_id, reviewer, reviewer_person)"
        " SELECT id, breaker_person, true, id, 'x', 'y' FROM sentinel_emergency",
        "UPDATE sentinel_emergency SET until = until + interval '30 minutes'",
        "DELETE FROM sentinel_emergency_end",
    ],
)
def test_invariant_01_the_application_writes_no_emergency_by_itself(fatima, statement):
    broken(fatima)
    before = rows()

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert rows() == before


def _parsed(action):
    return CHANGES["begin_emergency"].model_validate(action.parameters, strict=False)


def test_glass_is_broken_again_only_after_the_review(fatima, carla):
    first, case_id = broken(fatima)
    ending = {"emergency": str(first.decision_id), "reason": "It is over"}
    ended = changed(change("emergency.end", ending), fatima)
    before = count("sentinel_emergency")

    owed, _ = broken(fatima)
    elsewhere, _ = broken(employee("fraud_analyst"))
    review(fatima, first.decision_id, case_id, carla)
    again, _ = broken(fatima)

    assert ended.kind is OutcomeKind.DONE
    assert (owed.kind, owed.code) == (OutcomeKind.FAILED, "emergency_review_owed")
    assert (elsewhere.kind, again.kind) == (OutcomeKind.DONE, OutcomeKind.DONE)
    assert count("sentinel_emergency") == before + 2


@pytest.fixture
def lapsed(fatima, superuser_connection):
    """An emergency of two days ago that nobody has reviewed."""
    outcome, case_id = broken(fatima)
    superuser_connection.execute("SET session_replication_role = replica")
    superuser_connection.execute(
        "UPDATE sentinel_emergency SET begun_at = begun_at - interval '2 days',"
        " until = until - interval '2 days', review_due_at = review_due_at - interval '2 days'"
    )
    return outcome, case_id


@pytest.mark.django_db(transaction=True)
def test_it_runs_out_by_itself_and_shows_as_overdue(fatima, lapsed):
    (found,) = emergencies()

    assert (found.is_running, found.is_overdue) == (False, True)
    assert running_emergencies() == ()
    assert codes(decided(blocking(), fatima, (), "operations")) == ("no_permit",)


@pytest.mark.django_db(transaction=True)
def test_whoever_owes_a_review_breaks_no_more_glass_until_it_is_given(fatima, carla, lapsed):
    outcome, case_id = lapsed
    owed, _ = broken(fatima)
    review(fatima, outcome.decision_id, case_id, carla)

    again, _ = broken(fatima)

    assert (owed.kind, owed.code) == (OutcomeKind.FAILED, "emergency_review_owed")
    assert again.kind is OutcomeKind.DONE
    assert not any(each.is_overdue for each in emergencies())
