"""The rights of the application over a request for approval: they make no two people of one."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from sentinel.public import approval_request
from sentinel.vocabulary import OutcomeKind, Verdict
from tests.authority import approved, change, changed, count, decided, employee, now

pytestmark = pytest.mark.usefixtures("bank")
REQUEST = "sentinel_approval_request"
COLUMNS = """decision_id case_id action_kind params_hash role policies subject requested_by
excluded_ids excluded_persons state opened_at expires_at risk"""


@pytest.fixture
def waiting():
    return decided(limit(7), employee("operations"), (), "operations")


def limit(minor_units):
    cap = {"minor_units": minor_units, "currency": "EUR"}
    return change("limits.set", {"name": "daily_outgoing", "holder": "*", "cap": cap})


def refused(statement, *parameters):
    with (
        pytest.raises(DatabaseError) as error,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, parameters)
    return error.value.__cause__.sqlstate


@pytest.mark.parametrize(
    "said",
    [
        "excluded_persons = '{}'",
        "excluded_ids = '{}'",
        "risk = 'low'",
        "role = 'operations'",
        "action_kind = 'queues.set'",
        "params_hash = ''",
        "case_id = gen_random_uuid()",
        "decision_id = gen_random_uuid()",
        "requested_by = 'employee:x'",
        "opened_at = clock_timestamp()",
    ],
)
def test_nothing_of_a_request_is_rewritten(waiting, said):
    before = approval_request(request_id=waiting.approval_request_id)

    assert refused(f"UPDATE {REQUEST} SET {said}") == "42501"

    assert approval_request(request_id=waiting.approval_request_id) == before


@pytest.mark.parametrize("said", ["principal_id = 'customer:x'", "params_hash = ''"])
def test_a_challenge_stays_one_persons_and_about_one_thing(said):
    assert refused(f"UPDATE sentinel_challenge SET {said}") == "42501"


@pytest.mark.parametrize(
    "forged",
    [
        {"decision_id": "gen_random_uuid()"},
        {"case_id": "gen_random_uuid()"},
        {"action_kind": "'queues.set'"},
        {"params_hash": "'x'"},
        {"requested_by": "'employee:x'"},
        {"excluded_ids": "'{employee:x}'::text[]"},
        {"excluded_persons": "'{}'::text[]"},
        {"excluded_persons": "'{\"\"}'::text[]"},
        {"state": "'approved'"},
    ],
)
def test_a_request_is_what_a_decision_asked_for(waiting, forged):
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {REQUEST} SET state = 'closed' WHERE id = %s", [waiting.approval_request_id]
        )
    columns = COLUMNS.split()
    given = {name: name for name in columns} | {"state": "'open'"}
    copied = "INSERT INTO {0} (id, {1}) SELECT gen_random_uuid(), {2} FROM {0} WHERE id = %s"

    def insert(values):
        return copied.format(REQUEST, ", ".join(values), ", ".join(values.values()))

    assert refused(insert(given | forged), waiting.approval_request_id) == "FL017"

    assert count(REQUEST) == 1
    with connection.cursor() as cursor:
        cursor.execute(insert(given), [waiting.approval_request_id])
    assert count(REQUEST) == 2


def test_a_request_of_a_permit_is_none(waiting):
    """Only what was left to people is asked of people."""
    omar, carla = employee("operations"), employee("compliance_officer")
    permit = changed(limit(8), omar, carla)

    state = refused(
        f"INSERT INTO {REQUEST} (id, decision_id, case_id, action_kind, params_hash, role,"
        " policies, subject, requested_by, excluded_ids, excluded_persons, state, opened_at,"
        " expires_at) SELECT gen_random_uuid(), id, case_id, action_kind, params_hash, 'x',"
        " policies, subject, principal_id, ARRAY[principal_id], '{x}', 'open', decided_at,"
        " clock_timestamp() + interval '1 day' FROM sentinel_decision WHERE id = %s",
        permit.decision_id,
    )

    assert state == "FL017"


@pytest.mark.parametrize("state", ["approved", "rejected", "returned"])
def test_a_request_is_answered_by_an_answer_only(waiting, state):
    assert refused(f"UPDATE {REQUEST} SET state = %s", state) == "FL017"

    assert approval_request(request_id=waiting.approval_request_id).state == "open"


@pytest.mark.parametrize("state", ["open", "approved", "returned", "closed"])
def test_an_answered_request_stays_as_it_was_answered(waiting, state):
    approved(waiting, employee("compliance_officer"), "reject")

    assert refused(f"UPDATE {REQUEST} SET state = %s", state) == "FL017"

    assert approval_request(request_id=waiting.approval_request_id).state == "rejected"


def _permit_beside(permit, approval_id):
    """Write a permit like another one, under another approval, as the application could."""
    name = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_decision (id, action_kind, verdict, principal_id, subject,"
            " resource, case_id, purpose, idempotency_key, params_hash, policies, bundle, audience,"
            " expires_at, approval_id, record_id, decided_at)"
            " SELECT %s, action_kind, verdict, principal_id, subject, resource, case_id, purpose,"
            " 'another', params_hash, policies, bundle, audience, expires_at, %s, record_id,"
            " decided_at FROM sentinel_decision WHERE id = %s",
            [name, approval_id, permit.id],
        )
    return name


def _limit_set_under(token, minor_units):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT sentinel_redeem(id, action_kind, audience, params_hash, sha256(convert_to(%s,"
            " 'UTF8')), idempotency_key, '{}', 0) FROM sentinel_decision WHERE id = %s",
            [f"limit/v1|daily_outgoing|*|EUR|{minor_units}", token],
        )
        assert cursor.fetchone() == ("redeemed",)
        cursor.execute(
            "SELECT sentinel_write_limit(%s, 'daily_outgoing', '*', 'EUR', %s)",
            [token, minor_units],
        )
        return cursor.fetchone()[0]


def test_an_approval_of_something_else_counts_for_nothing(waiting):
    omar, carla = employee("operations"), employee("compliance_officer")
    approved(waiting, employee("compliance_officer"))
    action = limit(9)
    own = decided(action, omar, (), "operations")
    approved(own, carla)
    permit = decided(action, omar, (), "operations")
    assert permit.verdict is Verdict.PERMIT

    other = _limit_set_under(_permit_beside(permit, waiting.approval_request_id), 9)
    same = _limit_set_under(permit.id, 9)

    assert (other, same) == (False, True)


def test_whoever_approved_it_does_not_carry_it_out(waiting):
    """A permit of the approver's own rests on no second person."""
    carla = employee("compliance_officer")
    approved(waiting, carla)
    name = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_decision (id, action_kind, verdict, principal_id, subject,"
            " resource, case_id, purpose, idempotency_key, params_hash, policies, bundle, audience,"
            " expires_at, approval_id, record_id, decided_at)"
            " SELECT %s, action_kind, 'permit', %s, subject, resource, case_id, purpose,"
            " 'another', params_hash, policies, bundle, 'urn:sentinel', %s, %s, record_id,"
            " decided_at FROM sentinel_decision WHERE id = %s",
            [name, carla.id, now().replace(year=2999), waiting.approval_request_id, waiting.id],
        )

    assert _limit_set_under(name, 7) is False


def test_a_change_by_two_people_goes_on(waiting):
    outcome = changed(limit(8), employee("operations"), employee("compliance_officer"))

    assert outcome.kind is OutcomeKind.DONE
