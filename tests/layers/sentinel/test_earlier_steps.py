"""Steps that are harmless one by one and not in a row: what was done and read before counts."""

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.utils import Error

from sentinel.public import record_access
from sentinel.vocabulary import Action, Principal, Provenance, Source, Verdict
from tests.authority import count, customer, decided, employee, facts, now, payment, with_source

pytestmark = pytest.mark.usefixtures("bank")
RULE = "list-then-send-outside"
ROOM = Principal("system:post_room", "system", "", "meridian-nl")


def letter(case_id=None):
    """A letter that leaves the bank."""
    person = uuid4()
    parameters = {
        "recipient": f"customer:{person}",
        "document_id": str(uuid4()),
        "document_digest": "0" * 64,
        "pages": 1,
    }
    return Action(
        kind="letters.post",
        parameters=parameters,
        resource=f"party:{person}",
        case_id=case_id or uuid4(),
        idempotency_key=str(uuid4()),
        sources=dict.fromkeys(parameters, Source(Provenance.SYSTEM, "mandate:post_room")),
    )


def agent(name, behind=ROOM):
    return Principal(f"agent:{name}", "agent", "", "meridian-nl", ("agent",), on_behalf_of=behind)


def listed(principal, case_id=None, data="customer_list", *, is_granted=True):
    with transaction.atomic():
        record_access(
            principal=principal,
            resource="customers:all",
            is_granted=is_granted,
            at=now(),
            data=data,
            case_id=case_id,
        )


def answered(action, principal):
    decision = decided(action, principal, (), "servicing")
    return decision.verdict, [reason.policy_id for reason in decision.reasons]


def test_each_step_alone_is_permitted():
    assert answered(letter(), ROOM) == (Verdict.PERMIT, [])


def test_a_list_and_then_a_letter_in_one_case_is_stopped():
    case = uuid4()
    listed(ROOM, case)

    stopped = answered(letter(case), ROOM)

    assert stopped == (Verdict.DENY, [RULE])
    assert count("sentinel_redemption") == 0
    assert answered(letter(), ROOM)[0] is Verdict.PERMIT


def test_who_lists_and_who_sends_need_not_be_the_same():
    case = uuid4()
    listed(employee("operations"), case)

    assert answered(letter(case), ROOM) == (Verdict.DENY, [RULE])


def test_a_list_that_was_refused_or_other_data_stop_nothing():
    case = uuid4()
    listed(ROOM, case, is_granted=False)
    listed(ROOM, case, data="customer_profile")

    assert answered(letter(case), ROOM)[0] is Verdict.PERMIT


def test_an_agent_is_followed_across_cases():
    listed(agent("reader"), uuid4())

    followed = answered(letter(uuid4()), agent("reader"))
    other = answered(letter(uuid4()), agent("writer"))

    assert RULE in followed[1]
    assert RULE not in other[1]


def test_what_an_agent_does_through_another_counts_for_both():
    above = agent("above")
    listed(agent("below", above), uuid4())

    assert RULE in answered(letter(), above)[1]
    assert RULE in answered(letter(), agent("other-below", above))[1]
    assert RULE in answered(letter(), agent("below"))[1]
    assert RULE not in answered(letter(), agent("beside"))[1]


@pytest.mark.django_db(transaction=True)
def test_an_agent_is_followed_for_a_day(superuser_connection):
    listed(agent("reader"), uuid4())
    superuser_connection.execute("UPDATE sentinel_trace SET at = at - interval '25 hours'")

    assert RULE not in answered(letter(), agent("reader"))[1]


def test_another_entity_knows_nothing_of_it():
    listed(agent("reader"), uuid4())

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL frontline.entity = 'meridian-be'")
        cursor.execute("SELECT sentinel_earlier(%s, 'agent:reader', 86400)", [uuid4()])
        assert cursor.fetchone() == ("",)
        cursor.execute("SET LOCAL frontline.entity = 'meridian-nl'")


def test_a_case_remembers_every_kind_once_however_often_it_was_permitted():
    case = uuid4()
    for _ in range(3):
        decided(replace(letter(case), idempotency_key=str(uuid4())), ROOM, (), "servicing")

    with connection.cursor() as cursor:
        cursor.execute("SELECT sentinel_earlier(%s, '', 86400)", [case])
        assert cursor.fetchone() == ("action:letters.post",)


def test_the_application_cannot_take_a_mark_away():
    listed(agent("reader"), uuid4())

    for statement in ("DELETE FROM sentinel_trace", "UPDATE sentinel_trace SET at = 'epoch'"):
        with pytest.raises(Error), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_read_permits_nothing(superuser_connection):
    named = "'sentinel_earlier(uuid, text, integer)'::regprocedure"
    (made,) = superuser_connection.execute(f"SELECT pg_get_functiondef({named})").fetchone()
    superuser_connection.execute(
        "CREATE OR REPLACE FUNCTION sentinel_earlier(_case uuid, _agents text, _seconds integer)"
        " RETURNS text LANGUAGE sql AS 'SELECT NULL::text'"
    )
    try:
        found = answered(letter(), ROOM)
    finally:
        superuser_connection.execute(made)

    assert found == (Verdict.DENY, ["history_unreadable"])
    assert answered(letter(), ROOM)[0] is Verdict.PERMIT


# What came from a document does not become the customer's own choice on the way


def test_a_payee_from_a_document_is_not_kept_without_a_call_back():
    anna = customer()
    party = anna.id.removeprefix("customer:")
    parameters = {"party_id": party, "name": "H", "iban": "NL91ABNA0417164300"}
    action = replace(
        payment(),
        kind="payees.add",
        resource=f"party:{party}",
        parameters=parameters,
        sources=dict.fromkeys(parameters, Source(Provenance.CUSTOMER_TYPED, "message:1")),
    )

    typed = decided(action, anna, (), "servicing")
    for provenance in (Provenance.DOCUMENT, Provenance.MODEL):
        read = decided(with_source(action, "iban", provenance), anna, (), "servicing")
        assert read.verdict is Verdict.DENY
        assert "payee-from-document-needs-call-back" in [each.policy_id for each in read.reasons]

    assert typed.verdict is Verdict.PERMIT


def test_an_account_number_cannot_be_chosen_from_records_it_is_not_in():
    chosen = with_source(payment(), "creditor_iban", Provenance.CUSTOMER_SELECTED, "screen:1")
    unknown = facts(payee_known=False, payee_iban_matches_known=False)

    refused = decided(chosen, customer(), unknown)
    known = decided(chosen, customer())

    assert [each.policy_id for each in refused.reasons] == ["iban-selected-but-not-known"]
    assert refused.remedy == "call_back"
    assert known.verdict is Verdict.NEEDS_STEP_UP
