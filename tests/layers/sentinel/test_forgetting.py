"""A person is forgotten by two people, once, unless a legal hold says otherwise; and only so."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from sentinel.erasure.changes import ForgetSubject, HoldSubject, ReleaseSubject
from sentinel.public import (
    GovernanceRefused,
    SubjectForgotten,
    erasures,
    govern,
    legal_holds,
    reapply_erasures,
    records_of,
    seal_for,
    subject_problem,
    subject_standing,
    unseal_for,
)
from sentinel.vocabulary import OutcomeKind, Verdict
from tests.authority import (
    approved,
    change,
    changed,
    count,
    customer,
    decided,
    employee,
    forgotten,
    let_go,
    now,
    on_hold,
    payment,
)

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture
def anna():
    person = customer()
    decided(payment(), person)
    return person


def key_of(subject):
    with connection.cursor() as cursor:
        cursor.execute("SELECT wrapped FROM sentinel_subject_key WHERE subject = %s", [subject])
        return cursor.fetchone()


def ask_to_forget(subject):
    return change("subjects.forget", {"subject": subject, "reason": "asked for it"})


def rows():
    return {
        table: count(table)
        for table in ("sentinel_legal_hold", "sentinel_subject_key", "sentinel_redemption")
    }


def test_invariant_12_two_people_destroy_the_key_beside_its_leaf(anna):
    words = seal_for(subject=anna.id, words="a word of hers", place="here")

    outcome = forgotten(anna.id)

    assert (outcome.kind, outcome.code) == (OutcomeKind.DONE, "in_force")
    assert key_of(anna.id) == (None,)
    with pytest.raises(SubjectForgotten):
        unseal_for(subject=anna.id, sealed=words, place="here")
    (leaf,) = [
        each for each in records_of(decision_id=outcome.decision_id) if each.kind == "erasure"
    ]
    assert dict(leaf.content) == {
        "again": False,
        "destroyed": ["key", "salts"],
        "subject": anna.id,
    }
    (erased,) = erasures()
    assert (erased.subject, erased.record_id) == (anna.id, leaf.id)
    assert subject_standing(subject=anna.id).forgotten_at is not None


def test_nobody_is_forgotten_by_one_person(anna):
    before = count("sentinel_redemption")

    waiting = decided(ask_to_forget(anna.id), employee("operations"), (), "operations")

    assert waiting.verdict is Verdict.NEEDS_APPROVAL
    assert waiting.token is None
    assert count("sentinel_redemption") == before
    assert key_of(anna.id) != (None,)


@pytest.mark.parametrize(
    "who", [customer(), employee("adviser"), employee("fraud_analyst")], ids=lambda who: who.roles
)
def test_who_may_not_ask_is_refused(anna, who):
    refused = decided(ask_to_forget(anna.id), who, (), "operations")

    assert refused.verdict is not Verdict.PERMIT
    assert key_of(anna.id) != (None,)


def test_the_person_does_not_erase_themselves_past_the_bank(anna):
    assert decided(ask_to_forget(anna.id), anna, (), "operations").verdict is not Verdict.PERMIT


def test_forgetting_again_changes_nothing(anna):
    forgotten(anna.id)
    before = erasures()

    again = forgotten(anna.id)

    assert (again.kind, again.code) == (OutcomeKind.DONE, "subject_forgotten_before")
    assert erasures() == before


def test_an_unknown_person_is_not_forgotten():
    outcome = forgotten(f"customer:{uuid4()}")

    assert (outcome.kind, outcome.code) == (OutcomeKind.FAILED, "subject_unknown")
    assert erasures() == ()


@pytest.mark.parametrize("subject", ["employee:1", "customer:", 'customer:a"b', "customer:a b"])
def test_what_is_no_customer_is_not_asked_for(subject):
    refused = decided(ask_to_forget(subject), employee("operations"), (), "operations")

    assert [each.policy_id for each in refused.reasons] == ["bad_parameters"]


def test_a_held_person_is_not_forgotten_until_the_hold_ends(anna):
    hold = on_hold(anna.id)

    refused = forgotten(anna.id)

    assert (refused.kind, refused.code) == (OutcomeKind.FAILED, "subject_held")
    assert key_of(anna.id) != (None,)
    assert erasures() == ()
    assert let_go(hold).code == "in_force"
    assert forgotten(anna.id).code == "in_force"
    (found,) = legal_holds(subject=anna.id)
    assert (found.reason, found.released_for, found.is_standing) == (
        "file 2026-114",
        "file closed",
        False,
    )


@pytest.mark.django_db(transaction=True)
def test_a_hold_ends_on_its_day(anna, superuser_connection):
    on_hold(anna.id, until=now() + timedelta(days=1))
    assert legal_holds(subject=anna.id)[0].is_standing
    with superuser_connection.transaction():
        superuser_connection.execute("SET LOCAL session_replication_role = replica")
        superuser_connection.execute("UPDATE sentinel_legal_hold SET until = clock_timestamp()")

    assert legal_holds(subject=anna.id)[0].is_standing is False
    assert forgotten(anna.id).code == "in_force"


def test_each_of_two_holds_keeps(anna):
    first, second = on_hold(anna.id), on_hold(anna.id, until=now() + timedelta(days=9))
    let_go(first)

    assert forgotten(anna.id).code == "subject_held"
    let_go(second)
    assert forgotten(anna.id).code == "in_force"


def test_a_hold_stands_in_the_log_without_its_reason(anna):
    hold = on_hold(anna.id)

    (leaf,) = [
        each for each in records_of(decision_id=hold.decision_id) if each.kind == "legal_hold"
    ]

    assert leaf.content["subject"] == anna.id
    assert "file 2026-114" not in json.dumps(dict(leaf.content))


def test_holds_that_make_no_sense_are_not_written(anna):
    bert = customer()
    decided(payment(), bert)
    forgotten(bert.id)
    hold = on_hold(anna.id)
    let_go(hold)

    assert on_hold(f"customer:{uuid4()}").code == "subject_unknown"
    assert on_hold(bert.id).code == "subject_forgotten"
    assert on_hold(anna.id, until=now() - timedelta(days=1)).code == "hold_over"
    assert let_go(hold).code == "hold_ended"
    stranger = change("subjects.release", {"hold": str(uuid4()), "reason": "x"})
    ended = changed(stranger, employee("operations"), employee("compliance_officer"))
    assert ended.code == "hold_unknown"
    assert [each.is_standing for each in legal_holds()] == [False]


def test_what_could_not_be_written_is_said_before_anybody_is_asked(anna):
    asked = ForgetSubject(subject=anna.id, reason="x")
    assert subject_problem(change=asked) is None
    hold = on_hold(anna.id)

    assert subject_problem(change=asked)[0] == "subject_held"
    assert (
        subject_problem(change=HoldSubject(subject="customer:x", reason="x", until=None))[0]
        == "subject_unknown"
    )
    release = ReleaseSubject(hold=hold.decision_id, reason="x")
    assert subject_problem(change=release) is None


@pytest.mark.django_db(transaction=True)
def test_the_database_looks_for_the_second_person_itself(anna, superuser_connection):
    omar, carla = employee("operations"), employee("compliance_officer")
    action = ask_to_forget(anna.id)
    approved(decided(action, omar, (), "operations"), carla)
    permit = decided(action, omar, (), "operations")
    superuser_connection.execute(
        "UPDATE sentinel_approval_request SET excluded_persons = ARRAY[%s] WHERE id = ("
        "SELECT approval_id FROM sentinel_decision WHERE id = %s)",
        [carla.person_id, permit.id],
    )

    with pytest.raises(GovernanceRefused), transaction.atomic():
        govern(action=action, token=permit.token)

    assert key_of(anna.id) != (None,)


def test_an_erasure_taken_back_takes_its_leaf_back(anna):
    omar, carla = employee("operations"), employee("compliance_officer")
    action = ask_to_forget(anna.id)
    approved(decided(action, omar, (), "operations"), carla)
    permit = decided(action, omar, (), "operations")

    with transaction.atomic():
        assert govern(action=action, token=permit.token).code == "in_force"
        transaction.set_rollback(True)

    assert key_of(anna.id) != (None,)
    assert erasures() == ()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE sentinel_subject_key SET wrapped = NULL, destroyed_at = clock_timestamp()",
        "DELETE FROM sentinel_subject_key",
        "TRUNCATE sentinel_subject_key",
        "INSERT INTO sentinel_legal_hold (hold_id, event, subject, reason, maker, maker_person,"
        " checker_person) VALUES (gen_random_uuid(), 'placed', 'customer:1', 'x', 'a', 'b', 'c')",
        "DELETE FROM sentinel_legal_hold",
        "SELECT sentinel_destroy_key('customer:1', gen_random_uuid(), false)",
        "SELECT sentinel_reapply_erasure('meridian-nl', 'customer:1', gen_random_uuid())",
        "SELECT sentinel_take_subject(gen_random_uuid(), 'subjects.forget', '{}')",
    ],
)
def test_invariant_12_the_application_forgets_nobody_by_itself(anna, statement):
    before = rows()

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert rows() == before
    assert key_of(anna.id) != (None,)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_held", [True, False])
def test_not_even_the_owner_destroys_a_key_on_the_side(anna, owner_connection, is_held):
    if is_held:
        on_hold(anna.id)
    owner_connection.execute("SELECT set_config('frontline.entity', 'meridian-nl', false)")

    for statement in (
        "UPDATE sentinel_subject_key SET wrapped = NULL, destroyed_at = clock_timestamp()",
        "UPDATE sentinel_subject_key SET subject = 'customer:other'",
        "DELETE FROM sentinel_subject_key",
        "TRUNCATE sentinel_subject_key",
    ):
        with pytest.raises(psycopg.Error) as refused:
            owner_connection.execute(statement)
        assert refused.value.sqlstate in {"FL001", "FL015"}

    assert key_of(anna.id) != (None,)


@pytest.mark.django_db(transaction=True)
def test_an_erasure_is_done_again_after_a_restore_and_only_by_the_owner(
    anna, owner_connection, superuser_connection
):
    wrapped, unseen = key_of(anna.id)[0], f"customer:{uuid4()}"
    forgotten(anna.id)
    (erased,) = kept = erasures()
    with superuser_connection.transaction():
        superuser_connection.execute("SET LOCAL session_replication_role = replica")
        superuser_connection.execute("DELETE FROM sentinel_record WHERE kind = 'erasure'")
        superuser_connection.execute(
            "UPDATE sentinel_subject_key SET wrapped = %s, destroyed_at = NULL WHERE subject = %s",
            [bytes(wrapped), anna.id],
        )
    assert key_of(anna.id) != (None,)

    def run(statement, values):
        return owner_connection.execute(statement, values).fetchone()[0]

    also = replace(erased, subject=unseen)
    assert reapply_erasures(erased=(*kept, also), run=run) == (*kept, also)
    assert reapply_erasures(erased=(*kept, also), run=run) == ()

    assert key_of(anna.id) == key_of(unseen) == (None,)
    assert [each.subject for each in erasures()] == [anna.id, unseen]
    with pytest.raises(SubjectForgotten):
        seal_for(subject=unseen, words="x", place="here")


def test_the_owners_functions_want_a_redemption_of_exactly_this(anna):
    body = json.dumps({"reason": "x", "subject": anna.id})

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sentinel_forget_subject(%(t)s, %(b)s), sentinel_hold_subject(%(t)s, %(b)s),"
            " sentinel_release_subject(%(t)s, %(b)s)",
            {"t": uuid4(), "b": body},
        )
        assert cursor.fetchone() == ("refused", "refused", "refused")

    assert key_of(anna.id) != (None,)


def test_about_who_was_forgotten_nothing_is_decided_any_more(anna):
    forgotten(anna.id)
    before = count("sentinel_redemption")

    refused = decided(payment(), anna)
    senseless = decided(change("no.such_action", {}), anna)

    assert [each.policy_id for each in refused.reasons] == ["forgotten"]
    assert [each.policy_id for each in senseless.reasons] == ["forgotten"]
    assert key_of(anna.id) == (None,)
    assert count("sentinel_redemption") == before
