"""Authority changes by two people, in one way, and duties that are kept apart stay apart."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from sentinel.public import GovernanceRefused, govern, records_of
from sentinel.vocabulary import OutcomeKind, Verdict
from tests.authority import (
    approved,
    change,
    changed,
    customer,
    decided,
    delegated,
    employee,
    eur,
    granted,
    named,
    system,
)
from tests.layers.sentinel.authority_questions import PAY, paid, reasons, rows

pytestmark = pytest.mark.usefixtures("bank")


@pytest.fixture
def anna():
    return customer()


# Versions, two people, one way in.


def test_a_new_version_ends_the_one_it_replaces(anna):
    first = granted(anna, PAY, cap=eur(10_000))
    second = granted(anna, PAY, cap=eur(2_000), replaces=str(first.decision_id))

    assert reasons(paid(anna, 2_001)) == ["beyond_mandate"]
    stale = granted(anna, PAY, cap=eur(90_000), replaces=str(first.decision_id))
    assert stale.code == "authority_ended"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT replaces FROM sentinel_authority WHERE id = %s", [second.decision_id]
        )
        assert cursor.fetchone() == (first.decision_id,)


def test_a_grant_takes_two_people_and_is_on_record(anna):
    omar, carla = employee("operations"), employee("compliance_officer")
    parameters = {**named(anna), "kind": "mandate", "powers": "act", "kinds": [PAY], "reason": "x"}
    action = change("authority.grant", parameters)
    before = rows()

    waiting = decided(action, omar, (), "operations")
    still = rows()
    outcome = changed(action, omar, carla)

    assert waiting.verdict is Verdict.NEEDS_APPROVAL
    assert still == before
    assert {record.kind for record in records_of(decision_id=outcome.decision_id)} == {
        "issued",
        "authority",
        "executed",
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT maker_person, checker_person FROM sentinel_authority WHERE id = %s",
            [outcome.decision_id],
        )
        assert cursor.fetchone() == (omar.person_id, carla.person_id)


@pytest.mark.django_db(transaction=True)
def test_the_database_looks_for_the_second_person_itself(anna, superuser_connection):
    omar, carla = employee("operations"), employee("compliance_officer")
    parameters = {**named(anna), "kind": "mandate", "powers": "act", "kinds": [PAY], "reason": "x"}
    action = change("authority.grant", parameters)
    approved(decided(action, omar, (), "operations"), carla)
    permit = decided(action, omar, (), "operations")
    before = rows()

    superuser_connection.execute(
        "UPDATE sentinel_approval_request SET excluded_persons = ARRAY[%s] WHERE id = ("
        "SELECT approval_id FROM sentinel_decision WHERE id = %s)",
        [carla.person_id, permit.id],
    )

    with pytest.raises(GovernanceRefused), transaction.atomic():
        govern(action=action, token=permit.token)
    assert rows() == before


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO sentinel_authority_end (authority, decision_id, reason, maker_person,"
        " checker_person) VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 'a', 'b')",
        "INSERT INTO sentinel_separation (first, second, is_apart, reason, maker_person,"
        " checker_person, is_genesis) VALUES ('a', 'b', false, '', 'a', 'b', false)",
        "SELECT sentinel_take_authority(gen_random_uuid(), 'authority.grant', '{}')",
        "SELECT sentinel_write_first_separation('act:a.b', 'act:c.d', 'x')",
    ],
)
def test_invariant_01_the_application_writes_no_authority_by_itself(anna, statement):
    paid(anna)
    before = rows()

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert rows() == before


def test_invariant_01_the_owners_functions_want_a_redemption_of_exactly_this(anna):
    grant = granted(anna, PAY)
    before = rows()

    with connection.cursor() as cursor:
        for token in (uuid4(), grant.decision_id):
            cursor.execute(
                "SELECT sentinel_write_authority(%s, 'authority.grant', '{\"kind\": \"mandate\"}'),"
                " sentinel_end_authority(%s, '{}'), sentinel_write_separation(%s, '{}')",
                [token, token, token],
            )
            assert cursor.fetchone() == ("refused", "refused", "refused")

    assert rows() == before


@pytest.mark.parametrize(
    "who",
    [customer(), system("journeys"), employee("engineer")],
    ids=["customer", "system", "engineer"],
)
@pytest.mark.parametrize("kind", ["authority.grant", "authority.revoke", "authority.separate"])
def test_others_change_no_authority(who, kind):
    asked = {
        "authority.grant": {
            **named("operations"),
            "kind": "mandate",
            "powers": "act",
            "kinds": [PAY],
        },
        "authority.revoke": {"authority": str(uuid4())},
        "authority.separate": {
            "first": "act:limits.set",
            "second": "approve:payments.transfer",
            "is_apart": False,
        },
    }
    before = rows()

    decision = decided(change(kind, {**asked[kind], "reason": "x"}), who, (), "operations")

    assert (decision.verdict, decision.token) == (Verdict.DENY, None)
    assert rows() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"kinds": []},
        {"kinds": ["*.*"]},
        {"kind": "role"},
        {"role": "operations"},
        {"holder": "everybody"},
        {"holder_person": ""},
        {"cap": {"minor_units": -1, "currency": "EUR"}},
        {"cap": {"minor_units": 1, "currency": "eur"}},
        {"valid_until": "2026-12-01"},
        {"powers": "all"},
        {"on_behalf_of": "role:operations"},
    ],
)
def test_what_is_no_authority_is_refused(anna, wrong):
    parameters = {**named(anna), "kind": "mandate", "powers": "act", "kinds": [PAY], "reason": "x"}

    decision = decided(
        change("authority.grant", {**parameters, **wrong}), employee("operations"), (), "operations"
    )

    assert reasons(decision) == ["bad_parameters"]


# Duties that are kept apart.


def test_nobody_is_given_both_of_a_toxic_pair():
    nadia = employee("operations")
    granted(nadia, "limits.set")
    before = rows()

    approving = granted(nadia, PAY, powers="approve")
    everything = granted(nadia, "*", kind="role", role="operations", powers="both")

    assert (approving.kind, approving.code) == (OutcomeKind.FAILED, "authority_toxic")
    assert approving.words.endswith("(act:limits.set approve:payments.transfer)")
    assert everything.code == "authority_toxic"
    assert rows() == before
    assert granted(employee("operations"), PAY, powers="approve").kind is OutcomeKind.DONE


def test_a_toxic_pair_counts_under_every_account_and_with_roles_of_record():
    petra, carla = employee("process_owner"), employee("compliance_officer")
    other_account = employee("adviser", person=petra.person_id)
    before = rows()

    delegated_to = delegated(carla, petra, "limits.set", role="compliance_officer")
    assert delegated_to.code == "authority_toxic"
    assert rows() == before

    granted(petra, "limits.set")
    refused = granted(other_account, PAY, powers="approve")
    assert refused.code == "authority_toxic"


def test_what_is_kept_apart_is_data_that_two_people_change():
    nadia = employee("operations")
    pair = {"first": "act:limits.set", "second": "approve:payments.transfer", "reason": "small"}
    granted(nadia, "limits.set")

    changed(
        change("authority.separate", {**pair, "is_apart": False}),
        employee("operations"),
        employee("compliance_officer"),
    )

    assert granted(nadia, PAY, powers="approve").kind is OutcomeKind.DONE


@pytest.mark.parametrize(
    ("cap", "code"),
    [(None, "authority_wider"), (10_001, "authority_wider"), (10_000, "in_force")],
)
def test_a_role_of_record_is_delegated_within_ones_own_mandate(cap, code):
    carla, petra = employee("compliance_officer"), employee()
    granted(carla, PAY, powers="approve", cap=eur(10_000))

    said = {"powers": "approve", "cap": cap and eur(cap)}
    outcome = delegated(carla, petra, PAY, role="compliance_officer", **said)

    assert outcome.code == code


def test_a_role_is_delegated_without_a_cap_where_no_mandate_speaks_of_it():
    carla, petra = employee("compliance_officer"), employee()
    granted(carla, PAY, powers="act", cap=eur(10_000))

    outcome = delegated(carla, petra, PAY, powers="approve", role="compliance_officer")

    assert outcome.code == "in_force"
