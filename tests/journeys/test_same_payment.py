"""The same payment asked for twice: said on the card, left to the customer, and on record."""

from dataclasses import replace
from uuid import uuid4

import pytest

import orchestration.public
from deploy.sample.invoice import draw_invoice
from orchestration.public import Attachment
from orchestration.wording import date_words
from tests.journeys.test_hostile_browser import signed_in

ASK = "pay Hendriks Vastgoed 250 euro for the rent"
SAME = "the same (payee, amount and description)"


def asked(chat, text=ASK, *attachments):
    (card,) = [c for c in chat.says(text, *attachments).cards if c.kind == "confirm_payment"]
    return card


def paid(chat, card):
    confirmed = chat.answers(card, answer="confirm")
    (step_up,) = [c for c in confirmed.cards if c.kind == "step_up"]
    return chat.answers(step_up, answer="code", code=chat.code())


def today(bank):
    return date_words(bank.clock.now().date().isoformat())


def warned(card):
    return [words for words in card.details["warnings"] if SAME in words]


@pytest.fixture
def invoice(bank, tmp_path) -> Attachment:
    path = tmp_path / "invoice.pdf"
    draw_invoice(path=path, on=bank.clock.now().date())
    return Attachment(uuid4(), "invoice.pdf", "application/pdf", path.read_bytes())


def test_a_first_payment_is_not_called_a_repetition(bank):
    assert warned(asked(bank.chat())) == []


def test_the_same_paid_before_is_said_and_the_customer_may_go_on(bank):
    chat = bank.chat()
    before = bank.balance()
    paid(chat, asked(chat))

    again = asked(bank.chat())

    assert warned(again) == [f"You paid {SAME} on {today(bank)}."]
    assert bank.balance() == before - 25_000

    chat = bank.chat()
    bank.clock.later(minutes=1)
    paid(chat, asked(chat))

    assert bank.balance() == before - 50_000


def test_going_on_all_the_same_is_on_record_and_stopping_is_not(bank):
    chat = bank.chat()
    paid(chat, asked(chat))
    chat = bank.chat()
    card = asked(chat)

    chat.answers(card, answer="confirm")

    case = orchestration.public.case(
        case_id=card.case_id, principal=bank.employees["carla"], at=bank.clock.now()
    )
    told = [line for line in case.history if line.words.startswith("Confirmed by the customer")]
    assert [(line.words, line.actor_words, line.tone) for line in told] == [
        (
            f"Confirmed by the customer, who was told: You paid {SAME} on {today(bank)}.",
            "The customer",
            "warning",
        )
    ]


def test_the_same_invoice_dropped_twice_is_said_while_the_first_is_under_way(bank, invoice):
    chat = bank.chat()
    transfers = bank.transfers()
    chat.answers(asked(chat, "pay this", invoice), answer="confirm")

    other = bank.chat()
    again = asked(other, "pay this", replace(invoice, id=uuid4()))

    assert warned(again) == [f"You asked for {SAME} on {today(bank)}, and it is under way."]
    assert bank.transfers() == transfers


@pytest.mark.parametrize(
    "text",
    [
        "pay Hendriks Vastgoed 251 euro for the rent",
        "pay Hendriks Vastgoed 250 euro for the garage",
    ],
)
def test_another_amount_or_description_is_another_payment(bank, text):
    chat = bank.chat()
    paid(chat, asked(chat))

    assert warned(asked(bank.chat(), text)) == []


def test_what_was_cancelled_moved_nothing_and_is_no_repetition(bank):
    chat = bank.chat()
    chat.answers(asked(chat), answer="cancel")

    assert warned(asked(bank.chat())) == []


def test_a_payment_of_every_month_is_no_repetition(bank):
    chat = bank.chat()
    paid(chat, asked(chat))
    bank.clock.later(days=28)

    assert warned(asked(bank.chat())) == []


def test_the_warning_stands_on_the_card_of_the_page(bank):
    chat = bank.chat()
    paid(chat, asked(chat))
    browser = signed_in("anna")

    shown = browser.post("/app/chat/", {"text": ASK, "sent_id": str(uuid4())}, follow=True)

    assert f"You paid {SAME} on {today(bank)}." in shown.content.decode()
