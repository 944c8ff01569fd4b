"""What a payment is for stands in a field of its own: on the card, in the case, in the decision."""

from uuid import uuid4

import pytest

import orchestration.public
import sentinel.public
from deploy.sample.invoice import draw_invoice
from deploy.sample.story import INVOICE_IBAN
from orchestration.public import Attachment
from tests.journeys.test_purpose_asked import NEW, open_cards, payment
from tests.journeys.test_send_money import card_of

PURPOSE = "A used car, the blue one"


@pytest.fixture
def chat(bank):
    """A conversation in which the customer wrote what a payment is for."""
    chat = bank.chat()
    chat.says(NEW)
    (card,) = chat.cards("request")
    chat.answers(card, answer="reply", text="A used car,\n the blue one")
    return chat


def newest(bank):
    return orchestration.public.payments(principal=bank.anna, at=bank.clock.now())[0]


def decision_on(case_id):
    wanted = sentinel.public.DecisionFilter(case_id=case_id, action_kind="payments.transfer")
    row, *_ = sentinel.public.decisions(filters=wanted).rows
    decision_id = row.id
    return sentinel.public.explain(decision_id=decision_id)


def test_the_purpose_is_a_fact_of_the_decision_and_no_word_of_it_goes_to_the_payee(bank, chat):
    chat.says("yes")

    explained = decision_on(payment(bank).case_id)

    (fact,) = [each for each in explained.facts if each.name == "payment_purpose"]
    (card,) = chat.cards("request")
    assert (fact.value, fact.source) == (PURPOSE, f"orch_card:{card.id}")
    told = {each.name: each.value for each in explained.parameters}
    assert told["remittance"] == ""
    assert PURPOSE not in map(str, told.values())


def test_the_case_shows_the_purpose_and_who_gave_it(bank, chat):
    chat.says("yes")

    case = orchestration.public.case(
        case_id=payment(bank).case_id, principal=bank.employees["carla"], at=bank.clock.now()
    )

    (item,) = [each for each in case.evidence if each.name == "purpose"]
    assert (item.label, item.value) == ("Purpose", PURPOSE)
    assert item.source_words == "Typed by the customer"
    assert [each.name for each in case.evidence if each.name == "remittance"] == []


def test_the_description_of_a_document_stays_beside_the_purpose(bank, tmp_path):
    path = tmp_path / "invoice.pdf"
    draw_invoice(path=path, on=bank.clock.now().date())
    bank.chat().says(f"pay Maria Schmidt {INVOICE_IBAN} 4900 euro")
    chat = bank.chat()
    chat.says("pay this", Attachment(uuid4(), "invoice.pdf", "application/pdf", path.read_bytes()))
    assert open_cards(chat) == ["request"]
    before = newest(bank).remittance
    assert before != ""

    (card,) = chat.cards("request")
    shown = chat.answers(card, answer="reply", text="the rent")

    confirm = card_of(shown, "confirm_payment")
    assert (confirm.details["remittance"], confirm.details["purpose"]) == (before, "the rent")
    assert (newest(bank).remittance, newest(bank).purpose) == (before, "the rent")


def test_a_payment_nobody_asked_about_has_no_purpose(bank):
    chat = bank.chat()

    shown = chat.says("pay Hendriks Vastgoed 250 euro for the rent")

    assert card_of(shown, "confirm_payment").details["purpose"] is None
    assert (payment(bank).remittance, payment(bank).purpose) == ("the rent", "")


def test_a_corrected_amount_keeps_the_purpose_that_was_given(bank, chat):
    shown = chat.says("no, 7000")

    confirm = card_of(shown, "confirm_payment")
    assert confirm.details["amount"]["minor_units"] == 700_000
    assert confirm.details["purpose"] == PURPOSE
    assert open_cards(chat) == ["confirm_payment"]
