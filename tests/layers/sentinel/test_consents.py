"""Uses of data: set by two people, agreed to or not by the customer, and asked for by Nexus."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from sentinel.public import GovernanceRefused, consents_of, data_refusals, data_uses, govern
from sentinel.vocabulary import OutcomeKind, Principal, Verdict
from tests.authority import approved, change, changed, count, customer, decided, employee, system

pytestmark = pytest.mark.usefixtures("bank")
TABLES = ("sentinel_data_use", "sentinel_consent")


def said(anna, word, purpose="offers", data_class="behaviour"):
    return change(
        "consent.set",
        {
            "party": anna.id.removeprefix("customer:"),
            "purpose": purpose,
            "data_class": data_class,
            "is_given": word == "yes",
        },
    )


def use(**changes):
    parameters = {
        "purpose": "offers",
        "data_class": "risk",
        "ground": "consent",
        "is_permitted": True,
        "reason": "As the privacy officer advised",
    }
    return change("data_use.set", {**parameters, **changes})


def refusals(*people, purpose="offers"):
    return data_refusals(purpose=purpose, subjects=[each.id for each in people])


def codes(decision):
    return [reason.policy_id for reason in decision.reasons]


def rows():
    return {table: count(table) for table in TABLES}


@pytest.fixture
def anna():
    key = str(uuid4())
    return Principal(f"customer:{key}", "customer", f"person-{key}", "meridian-nl", ("customer",))


def test_consent_is_missing_then_given_then_withdrawn(anna):
    before = refusals(anna)["behaviour"]
    changed(said(anna, "yes"), anna)
    given = refusals(anna)
    changed(said(anna, "no"), anna)

    assert before == "consent_missing"
    assert (given["behaviour"], given["contact"]) == ("", "consent_missing")
    assert refusals(anna)["behaviour"] == "consent_withdrawn"
    assert count("sentinel_consent") == 2


def test_one_may_object_to_a_legitimate_interest(anna):
    before = refusals(anna, purpose="servicing")["communication"]

    changed(said(anna, "no", "servicing", "communication"), anna)

    assert before == ""
    assert refusals(anna, purpose="servicing")["communication"] == "objected"
    assert refusals(anna, purpose="payments")["communication"] == ""


def test_what_one_of_several_refuses_is_refused_for_all(anna):
    bert = customer()
    changed(said(anna, "yes"), anna)

    assert refusals(anna, bert)["behaviour"] == "consent_missing"
    assert refusals()["behaviour"] == "consent_missing"


@pytest.mark.parametrize(
    "asked", [("servicing", "identity"), ("compliance", "risk"), ("offers", "risk"), ("x", "y")]
)
def test_what_the_law_or_a_contract_asks_for_is_not_withdrawn(anna, asked):
    outcome = changed(said(anna, "no", *asked), anna)

    assert (outcome.kind, outcome.code) == (OutcomeKind.FAILED, "consent_not_asked")
    assert rows() == dict.fromkeys(TABLES, 0)


def test_nobody_says_it_for_somebody_else(anna):
    agent = Principal("agent:assistant", "agent", "", anna.entity, ("assistant",), anna)

    others = decided(said(anna, "yes"), customer(), (), "servicing")
    colleague = decided(said(anna, "yes"), employee("operations"), (), "servicing")
    machines = [decided(said(anna, "yes"), who, (), "servicing") for who in (agent, system("seed"))]

    assert codes(others) == ["other-customers-affairs"]
    assert colleague.verdict is Verdict.DENY
    assert [codes(each) for each in machines] == [["human_only"], ["human_only"]]
    assert rows() == dict.fromkeys(TABLES, 0)


def test_two_people_set_what_a_purpose_may_see(anna):
    omar, carla = employee("operations"), employee("compliance_officer")
    action = use(ground="contract")
    waiting = decided(action, omar, (), "operations")
    before = refusals(anna).get("risk")

    changed(action, omar, carla)
    permitted = refusals(anna)["risk"]
    changed(use(is_permitted=False), omar, employee("compliance_officer"))

    assert waiting.verdict is Verdict.NEEDS_APPROVAL
    assert (before, permitted) == (None, "")
    assert "risk" not in refusals(anna)
    (latest,) = [
        each for each in data_uses() if (each.purpose, each.data_class) == ("offers", "risk")
    ]
    assert (latest.is_permitted, latest.ground) == (False, "consent")


@pytest.mark.django_db(transaction=True)
def test_the_database_looks_for_the_second_person_itself(superuser_connection):
    omar, carla = employee("operations"), employee("compliance_officer")
    action = use()
    approved(decided(action, omar, (), "operations"), carla)
    permit = decided(action, omar, (), "operations")
    superuser_connection.execute(
        "UPDATE sentinel_approval_request SET excluded_persons = ARRAY[%s]", [carla.person_id]
    )

    with pytest.raises(GovernanceRefused), transaction.atomic():
        govern(action=action, token=permit.token)

    assert rows() == dict.fromkeys(TABLES, 0)


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO sentinel_consent (subject, purpose, data_class, is_given, said_by,"
        " decision_id) VALUES ('customer:1', 'offers', 'risk', true, 'x', gen_random_uuid())",
        "INSERT INTO sentinel_data_use (purpose, data_class, ground, is_permitted, reason,"
        " decision_id, maker_person, checker_person)"
        " VALUES ('offers', 'risk', 'contract', true, 'x', gen_random_uuid(), 'a', 'b')",
        "UPDATE sentinel_consent SET is_given = true",
        "DELETE FROM sentinel_consent",
    ],
)
def test_invariant_01_the_application_writes_no_consent_by_itself(anna, statement):
    changed(said(anna, "no"), anna)
    before = rows()

    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert rows() == before
    assert refusals(anna)["behaviour"] == "consent_withdrawn"


def test_an_unknown_purpose_sees_nothing(anna):
    assert refusals(anna, purpose="curiosity") is None
    shown = {(each.use.purpose, each.use.data_class) for each in consents_of(subject=anna.id)}
    assert ("servicing", "communication") in shown
    assert ("servicing", "identity") not in shown
