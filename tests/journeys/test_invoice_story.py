"""The story: an invoice with a number that is not the landlord's, from refusal to payment."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection

import orchestration.public
import sentinel.public
from deploy.sample.invoice import draw_invoice
from deploy.sample.seeding import DESK_HOURS
from deploy.sample.story import (
    INVOICE_IBAN,
    LANDLORD_IBAN,
    LANDLORD_NAME,
    RENT_MINOR_UNITS,
    elsewhere_phone,
)
from orchestration.durable import sweeping
from orchestration.public import Attachment, TaskFilters
from orchestration.worklist.calendars import read_calendar

CALLED = {"reached": True, "spoke_to": "Mr Hendriks", "called_number": "+31 20 555 0100"}


@pytest.fixture
def invoice(bank, tmp_path) -> Attachment:
    path = tmp_path / "invoice.pdf"
    draw_invoice(path=path, on=bank.clock.now().date())
    return Attachment(uuid4(), "invoice.pdf", "application/pdf", path.read_bytes())


def tasks_of(bank, who, kind):
    listed = orchestration.public.tasks(
        principal=bank.employees[who], filters=TaskFilters(kind=kind)
    )
    return list(listed)


def done(bank, who, task, answer, comment=""):
    return orchestration.public.complete(
        task_id=task.id,
        principal=bank.employees[who],
        answer=answer,
        comment=comment,
        at=bank.clock.now(),
    )


def case_of(bank, task, who="omar"):
    return orchestration.public.case(
        case_id=task.case_id, principal=bank.employees[who], at=bank.clock.now()
    )


def refused(bank, chat, invoice):
    """Go to the refusal and return the task of operations."""
    shown = chat.says("pay this", invoice)
    (card,) = [card for card in shown.cards if card.kind == "confirm_payment"]
    chat.answers(card, answer="confirm")
    (task,) = tasks_of(bank, "omar", "call_back")
    return task


def test_an_iban_from_a_document_is_not_paid_without_a_call_back(bank, invoice):
    chat = bank.chat()
    before, transfers = bank.balance(), bank.transfers()

    shown = chat.says("pay this", invoice)

    (card,) = [card for card in shown.cards if card.kind == "confirm_payment"]
    assert card.details["creditor_iban"] == INVOICE_IBAN
    assert card.details["warnings"]

    answered = chat.answers(card, answer="confirm")

    (refusal,) = [card for card in answered.cards if card.kind == "refusal"]
    assert refusal.details["reason_id"] == "iban-from-document-needs-call-back"
    assert str(refusal.details["words"]).startswith("The account number on this document is not")
    assert str(refusal.details["case_reference"]).startswith("MB-")
    assert bank.balance() == before
    assert bank.transfers() == transfers


def test_the_employee_sees_both_numbers_side_by_side_and_the_rule_in_words(bank, invoice):
    task = refused(bank, bank.chat(), invoice)

    case = case_of(bank, task)

    assert case.comparison["ours"]["value"].replace(" ", "") == LANDLORD_IBAN
    assert case.comparison["theirs"]["value"].replace(" ", "") == INVOICE_IBAN
    assert case.comparison["ours"]["phone"] == elsewhere_phone("NL", LANDLORD_NAME)
    rules = {reason.policy_id: reason.staff for reason in case.reasons}
    assert "Call the payee back" in rules["iban-from-document-needs-call-back"]
    iban = next(item for item in case.evidence if item.name == "creditor_iban")
    assert iban.provenance == "document"
    assert iban.differs_from.replace(" ", "") == LANDLORD_IBAN
    assert iban.document_id == invoice.id
    assert case.active_nodes == ("call_back",)
    assert "pay" in case.done_nodes
    assert case.documents[0].name == "invoice.pdf"


def test_called_back_corrected_approved_and_confirmed_the_payment_is_made(bank, invoice):
    chat = bank.chat()
    before, transfers = bank.balance(), bank.transfers()
    task = refused(bank, chat, invoice)

    done(bank, "omar", task, {**CALLED, "iban_choice": "known"})

    assert bank.balance() == before
    (approval,) = tasks_of(bank, "omar", "approval")
    done(bank, "omar", approval, {"verdict": "approve"})

    assert bank.balance() == before
    (step_up,) = [card for card in chat.cards("step_up") if card.state == "open"]
    assert step_up.details["creditor_iban"] == LANDLORD_IBAN
    assert step_up.details["amount"] == {"minor_units": RENT_MINOR_UNITS, "currency": "EUR"}
    chat.answers(step_up, answer="code", code=chat.code())

    assert bank.balance() == before - RENT_MINOR_UNITS
    assert bank.transfers() == transfers + 1
    (payment,) = orchestration.public.payments(principal=bank.anna, at=bank.clock.now())
    assert payment.state == "done"
    assert payment.creditor_iban == LANDLORD_IBAN
    case = case_of(bank, task)
    assert case.state == "closed"


def test_a_payee_who_was_not_reached_is_not_paid(bank, invoice):
    task = refused(bank, bank.chat(), invoice)
    before = bank.balance()

    with pytest.raises(orchestration.public.AnswerRefused) as error:
        done(bank, "omar", task, {"iban_choice": "known"})

    assert set(error.value.errors) >= {"spoke_to", "called_number"}
    assert [task.state for task in tasks_of(bank, "omar", "call_back")] == ["open"]
    assert bank.balance() == before


def test_a_false_invoice_is_stopped_and_the_customer_is_told(bank, invoice):
    chat = bank.chat()
    task = refused(bank, chat, invoice)
    before, transfers = bank.balance(), bank.transfers()

    done(bank, "omar", task, {"iban_choice": "reject"}, "The landlord sent no invoice.")

    assert bank.balance() == before
    assert bank.transfers() == transfers
    (payment,) = orchestration.public.payments(principal=bank.anna, at=bank.clock.now())
    assert payment.state == "refused"
    events = orchestration.public.events_after(cursor="", limit=1000)
    assert any(
        event.type == "conversation.reply"
        and "called the payee"
        in orchestration.public.spoken_words(spoken_id=UUID(event.payload["spoken_id"]))
        for event in events
    )


def test_the_adviser_may_not_do_the_work_of_operations(bank, invoice):
    task = refused(bank, bank.chat(), invoice)

    with pytest.raises(orchestration.public.NotYourTask):
        done(bank, "eva", task, {**CALLED, "iban_choice": "known"})

    assert tasks_of(bank, "eva", "call_back") == []
    assert len(tasks_of(bank, "omar", "call_back")) == 1


def test_a_rejected_approval_ends_the_payment(bank, invoice):
    chat = bank.chat()
    before = bank.balance()
    task = refused(bank, chat, invoice)
    done(bank, "omar", task, {**CALLED, "iban_choice": "known"})
    (approval,) = tasks_of(bank, "omar", "approval")

    done(bank, "omar", approval, {"verdict": "reject"}, "Not convinced.")

    assert bank.balance() == before
    (payment,) = orchestration.public.payments(principal=bank.anna, at=bank.clock.now())
    assert payment.state == "refused"
    assert chat.cards("step_up") == ()


def test_the_customer_cannot_approve_their_own_payment(bank, invoice):
    chat = bank.chat()
    task = refused(bank, chat, invoice)
    done(bank, "omar", task, {**CALLED, "iban_choice": "known"})
    (approval,) = tasks_of(bank, "omar", "approval")

    with pytest.raises(orchestration.public.NotYourTask):
        orchestration.public.complete(
            task_id=approval.id,
            principal=bank.anna,
            answer={"verdict": "approve"},
            comment="",
            at=bank.clock.now(),
        )

    request = sentinel.public.open_approval_requests(roles=("operations",))
    assert len(request) == 1


def test_an_approval_nobody_gives_is_brought_forward_and_told_once_it_presses(bank, invoice):
    task = refused(bank, bank.chat(), invoice)
    done(bank, "omar", task, {**CALLED, "iban_choice": "known"})
    (approval,) = tasks_of(bank, "omar", "approval")
    desk = read_calendar(DESK_HOURS)
    assert approval.warn_at == desk.add(approval.created_at, "PT3H")
    assert approval.due_at == desk.add(approval.created_at, "PT4H")
    (request,) = sentinel.public.open_approval_requests(roles=("operations",))
    # A weekend does not use up the time in which it may be given.
    assert request.expires_at == desk.add(approval.created_at, "P3D")

    assert pressing(approval.warn_at - timedelta(minutes=1), approval) == []
    told = pressing(approval.warn_at + timedelta(minutes=1), approval)

    assert told == [("escalated", approval.role)]
    (approval,) = tasks_of(bank, "omar", "approval")
    assert approval.is_escalated
    assert pressing(approval.due_at + timedelta(minutes=1), approval)[1:] == [
        ("overdue", approval.role)
    ]


def pressing(at, task):
    """Let the bank look at its work at an instant; return what was told of a task by then."""
    sweeping.sweep(limit=100, clock=lambda: at)
    orchestration.public.notify_once(clock=lambda: at)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, role FROM orch_notice WHERE task_id = %s ORDER BY at", [task.id]
        )
        return cursor.fetchall()
