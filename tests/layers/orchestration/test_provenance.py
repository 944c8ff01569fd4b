"""Whoever says that the customer typed something shows where; an agent's word is looked up."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.db import connection

from orchestration.provenance import sources_of
from orchestration.step_results import StepContext
from sentinel.vocabulary import Principal, Provenance
from tests.authority import customer, found_bank

PERSON = UUID(int=7)


@pytest.fixture
def context(entity):
    found_bank()
    anna = replace(customer(), id=f"customer:{PERSON}")
    agent = Principal("agent:payer", "agent", "", "meridian-nl", ("agent",), on_behalf_of=anna)
    return StepContext(
        instance_id=uuid4(),
        node="n",
        visit=1,
        case_id=uuid4(),
        customer_id=PERSON,
        principal=agent,
        purpose="payments",
        at=datetime.now(UTC),
    )


def source(context, provenance, reference):
    said = {"creditor_iban": {"provenance": provenance, "reference": reference}}
    return sources_of(said, context)["creditor_iban"].provenance


def conversation(person=PERSON, turn=3):
    key = uuid4()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_conversation_state (conversation_id, principal_id, turn, state)"
            " VALUES (%s, %s, %s, '{}')",
            [key, f"customer:{person}", turn],
        )
    return key


@pytest.mark.parametrize(
    "provenance", ["customer_typed", "customer_selected", "employee_confirmed"]
)
@pytest.mark.parametrize("reference", ["", "turn", "turn:", "x y:1", "T:1"])
def test_who_names_no_row_has_shown_nothing(context, provenance, reference):
    bank = replace(context, principal=Principal("system:journeys", "system", "", "meridian-nl"))

    assert source(context, provenance, reference) is Provenance.UNKNOWN
    assert source(bank, provenance, reference) is Provenance.UNKNOWN


@pytest.mark.parametrize("reference", ["turn:1", "card:1", f"card:{UUID(int=9)}", "screen:1"])
def test_an_agent_cannot_make_up_what_the_customer_typed(context, reference):
    assert source(context, "customer_typed", reference) is Provenance.MODEL
    assert source(context, "customer_selected", reference) is Provenance.MODEL
    assert source(context, "employee_confirmed", f"orch_task:{uuid4()}") is Provenance.MODEL


def test_an_agent_may_pass_on_what_its_customer_said(context):
    own, others = conversation(), conversation(person=UUID(int=8))

    assert source(context, "customer_typed", f"message:{own}:3") is Provenance.CUSTOMER_TYPED
    assert source(context, "customer_typed", f"message:{own}:4") is Provenance.MODEL
    assert source(context, "customer_typed", f"message:{others}:1") is Provenance.MODEL


def test_what_nobody_claims_to_have_typed_stays_as_it_is(context):
    assert source(context, "document", "") is Provenance.DOCUMENT
    assert source(context, "model", "") is Provenance.MODEL
    assert source(context, "typed", "x:1") is Provenance.UNKNOWN
