"""A list of customers read on a page for a case: nothing is sent outside from that case then."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from sentinel.public import decide
from sentinel.vocabulary import Action, Provenance, Source
from tests.journeys.test_hostile_browser import a_case, signed_in

PAGE = "/workspace/customers/"


def posted(bank, case_id: UUID):
    """Ask for a letter to be printed and posted outside."""
    parameters = {
        "recipient": f"customer:{bank.customer_id}",
        "document_id": str(uuid4()),
        "document_digest": "0" * 64,
        "pages": 1,
    }
    action = Action(
        kind="letters.post",
        parameters=parameters,
        resource=f"party:{bank.customer_id}",
        case_id=case_id,
        idempotency_key=str(uuid4()),
        sources=dict.fromkeys(parameters, Source(Provenance.EMPLOYEE_CONFIRMED, "orch_task:1")),
    )
    with transaction.atomic():
        return decide(
            action=action,
            principal=bank.employees["omar"],
            facts=(),
            purpose="servicing",
            at=datetime.now(UTC),
        )


def codes(decision):
    return [reason.policy_id for reason in decision.reasons]


def reads():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sentinel_record WHERE kind = 'access'")
        return cursor.fetchone()[0]


def test_list_then_send_outside_is_stopped_in_the_case_it_was_read_for(bank):
    case_id, _ = a_case(bank)
    browser, before = signed_in("omar"), reads()
    assert codes(posted(bank, case_id)) == []

    shown = browser.post(PAGE, {"q": "vries", "case": str(case_id)}, follow=True)

    assert "Anna de Vries" in shown.content.decode()
    assert "nothing is sent outside from it" in shown.content.decode()
    assert reads() > before
    assert codes(posted(bank, case_id)) == ["list-then-send-outside"]
    assert codes(posted(bank, uuid4())) == []


@pytest.mark.parametrize("case", ["", "x", "0000"])
def test_a_list_read_for_no_case_is_written_down_and_stops_nothing(bank, case):
    before = reads()

    signed_in("omar").post(PAGE, {"q": "vries", "case": case}, follow=True)

    assert reads() > before
    assert codes(posted(bank, uuid4())) == []


def test_a_search_that_finds_nobody_reads_no_list(bank):
    before = reads()

    signed_in("omar").post(PAGE, {"q": "zzzzzz"}, follow=True)

    assert reads() == before
