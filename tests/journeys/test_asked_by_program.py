"""The Authorization API: asked by a program with a key, answered from the bank's own facts."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.test import Client

import nexus.public
from orchestration.public import make_caller
from tests.authority import count

ONE, MANY = "/access/v1/evaluation", "/access/v1/evaluations"
RECORDED = (
    "sentinel_decision",
    "sentinel_redemption",
    "sentinel_reservation",
    "sentinel_challenge",
)
ASKS = (
    "accounts.set_status",
    "cards.block",
    "limits.set",
    "payments.transfer",
    "no.such.action",
)


@pytest.fixture
def key(bank):
    return make_caller(
        name="gateway",
        triggers=(),
        made_by="employee:1",
        asks=ASKS,
        subjects=("customer", "employee"),
    )


def asked(said, key, address=ONE, kind="application/json", **headers):
    body = said if isinstance(said, bytes) else json.dumps(said)
    given = {"Authorization": f"Bearer {key}", **headers}
    return Client(enforce_csrf_checks=True).post(address, body, content_type=kind, headers=given)


def whole(bank, **changes):
    """A question that is permitted: Anna would block a card of hers."""
    card = str(nexus.public.customer_state(customer_id=bank.customer_id).cards[0].card_id)
    return {
        "subject": {"type": "customer", "id": str(bank.customer_id)},
        "action": {"name": "cards.block", "properties": {"card_id": card, "reason": "lost"}},
        "resource": {"type": "card", "id": card},
        **changes,
    }


def paying(bank, **changes):
    account = nexus.public.customer_state(customer_id=bank.customer_id).accounts[0].account_id
    parameters = {
        "debtor_account_id": str(account),
        "creditor_iban": "NL91ABNA0417164300",
        "creditor_name": "Hendriks Vastgoed B.V.",
        "amount": {"minor_units": 125_000, "currency": "EUR"},
        "fee": {"minor_units": 0, "currency": "EUR"},
        "remittance": "Rent",
        "execution_date": datetime.now(UTC).date().isoformat(),
        "end_to_end_id": "E-1",
        **changes,
    }
    return {
        "subject": {"type": "customer", "id": str(bank.customer_id)},
        "action": {"name": "payments.transfer", "properties": parameters},
        "resource": {"type": "account", "id": str(account)},
        "context": {"purpose": "payments"},
    }


def test_a_yes_is_foreseen_and_carries_no_power(bank, key):
    before = {table: count(table) for table in RECORDED}

    answer = asked(whole(bank), key, **{"X-Request-ID": "r-1"})

    assert answer.status_code == 200, answer.content
    assert answer.headers["X-Request-ID"] == "r-1"
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["decision"] is True
    assert "token" not in answer.content.decode()
    assert {table: count(table) for table in RECORDED} == before
    assert count("sentinel_record WHERE kind = 'access'") == 1


def test_what_is_missing_is_said_as_an_obligation(bank, key):
    omar = bank.employees["omar"]
    cap = {"minor_units": 100, "currency": "EUR"}
    said = {
        "subject": {"type": "employee", "id": omar.person_id},
        "action": {
            "name": "limits.set",
            "properties": {"name": "daily_outgoing", "holder": "*", "cap": cap},
        },
        "resource": {"type": "limits", "id": "1"},
        "context": {"purpose": "operations"},
    }

    answer = asked(said, key).json()

    assert (answer["decision"], answer["context"]["verdict"]) == (False, "needs_approval")
    assert answer["context"]["obligations"] == [
        {"id": "approval", "attributes": {"role": "compliance_officer"}}
    ]
    assert answer["context"]["id"] == answer["context"]["reasons"][0]["id"]
    assert answer["context"]["reason_user"]["en"]
    assert answer["context"]["reason_admin"]["en"]


def test_a_payment_outside_a_flow_lacks_the_facts_a_flow_would_find(bank, key):
    answer = asked(paying(bank), key).json()

    assert (answer["decision"], answer["context"]["id"]) == (False, "fact_missing")


def test_facts_of_the_caller_count_for_nothing(bank, key):
    claimed = {"own_card": True, "card_status": "active", "step_up_done": True}
    strangers = str(uuid4())
    question = whole(bank, context=claimed)
    question["action"]["properties"]["card_id"] = strangers
    question["subject"]["properties"] = {"roles": ["operations"]}

    answer = asked(question, key).json()

    assert answer["decision"] is False


REFUSED = [
    ({"subject": None}, 400),
    ({"subject": "anna"}, 400),
    ({"subject": {"type": "customer"}}, 400),
    ({"subject": {"id": "x"}}, 400),
    ({"action": {}}, 400),
    ({"action": {"name": 123}}, 400),
    ({"resource": {"type": "card"}}, 400),
    ({"resource": {"id": "x"}}, 400),
    ({"action": {"name": "messages.send"}}, 403),
    ({"subject": {"type": "system", "id": "seed"}}, 403),
    ({"subject": {"type": "customer", "id": "nobody"}}, 200),
    ({"subject": {"type": "customer", "id": str(uuid4())}}, 200),
    ({"action": {"name": "no.such.action"}}, 200),
    ({"action": {"name": "accounts.set_status", "properties": {"account_id": "'"}}}, 200),
    ({"action": {"name": "cards.block", "properties": {"card_id": "\0"}}}, 400),
    ({"resource": {"type": "c" * 40, "id": "\0"}}, 400),
    ({"resource": {"type": "c" * 40, "id": "e\u0301"}}, 400),
    ({"resource": {"type": "party", "id": "?"}}, 200),
]


def test_what_cannot_be_asked_is_refused_in_the_words_of_the_standard(bank, key):
    for change, status in REFUSED:
        answer = asked(whole(bank, **change), key)

        assert (answer.status_code, change) == (status, change)
        assert answer.json().get("decision", False) is False


def test_what_is_not_one_object_with_every_name_once_is_refused(key):
    bodies = (b"", b"{", b"[]", b"null", b'{"subject": 1, "subject": 2}', b"\xff", b'{"a": NaN}')

    assert {asked(body, key).status_code for body in bodies} == {400}


def test_another_content_type_is_refused(bank, key):
    answer = asked(json.dumps(whole(bank)).encode(), key, kind="text/plain")

    assert (answer.status_code, answer.json()) == (400, {"code": "payload_refused"})


def test_who_has_no_key_is_told_so(bank, key):
    answer = asked(whole(bank), "nonsense", **{"X-Request-ID": "r-2"})

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.headers["X-Request-ID"] == "r-2"


def test_fields_of_a_later_release_are_no_error(bank, key):
    answer = asked(whole(bank, foo="bar", futureField={"nested": True}), key)

    assert answer.json()["decision"] is True


def many(bank, semantic=None, asked_for=None):
    """A yes, a no, a yes, each in its own object."""
    base = whole(bank)
    other = {"action": {"name": "cards.block", "properties": {"card_id": str(uuid4())}}}
    said = {**base, "evaluations": asked_for if asked_for is not None else [{}, other, {}]}
    return said if semantic is None else {**said, "options": {"evaluations_semantic": semantic}}


def said_to(answer):
    assert answer.status_code == 200, answer.content
    return [each["decision"] for each in answer.json()["evaluations"]]


SEMANTICS = {
    None: [True, False, True],
    "execute_all": [True, False, True],
    "deny_on_first_deny": [True, False],
    "permit_on_first_permit": [True],
}


def test_several_are_answered_in_order_as_far_as_was_asked_for(bank, key):
    answers = {each: said_to(asked(many(bank, each), key, MANY)) for each in SEMANTICS}

    assert answers == SEMANTICS


def test_an_error_of_one_is_a_no_to_that_one(bank, key):
    broken = {"resource": {"type": "card", "id": 1}}
    forbidden = {"action": {"name": "messages.send"}}

    answer = asked(many(bank, asked_for=[{}, broken, forbidden, "x"]), key, MANY)

    assert said_to(answer) == [True, False, False, False]
    errors = [each["context"].get("error") for each in answer.json()["evaluations"]]
    assert [each and each["status"] for each in errors] == [None, 400, 403, 400]


def test_without_evaluations_the_address_answers_one(bank, key):
    empty = {**whole(bank), "evaluations": []}

    assert asked(whole(bank), key, MANY).json()["decision"] is True
    assert asked(empty, key, MANY).json()["decision"] is True


def test_names_that_are_left_out_come_from_the_defaults(bank, key):
    base = whole(bank)
    card = base["resource"].pop("id")

    answer = asked({**base, "evaluations": [{"resource": {"id": card}}]}, key, MANY)

    assert said_to(answer) == [True]


WRONG = (
    {"evaluations": {}},
    {"evaluations": [{}] * 51},
    {"options": {"evaluations_semantic": "best_of_three"}},
    {"options": {"evaluations_semantic": 1}},
    {"options": []},
)


def test_a_request_that_is_wrong_as_a_whole_is_refused(bank, key):
    assert {asked({**many(bank), **each}, key, MANY).status_code for each in WRONG} == {400}


def test_the_decision_point_says_where_it_answers(bank):
    found = Client().get("/.well-known/authzen-configuration", secure=True)

    assert found.status_code == 200
    assert found.json() == {
        "policy_decision_point": "https://testserver",
        "access_evaluation_endpoint": "https://testserver/access/v1/evaluation",
        "access_evaluations_endpoint": "https://testserver/access/v1/evaluations",
    }
