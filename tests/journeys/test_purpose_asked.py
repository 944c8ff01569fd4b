"""A large payment to somebody new with no purpose: the customer is asked, and the payment waits."""

from datetime import UTC, datetime, timedelta

import pytest

import orchestration.public
from orchestration.durable import sweeping
from tests.journeys.test_send_money import card_of

NEW = "pay Maria Schmidt NL02ABNA0123456789 6000 euro"
QUESTION = (
    "You have not paid this account before, and it is a large amount. What is the payment for?"
)


def open_cards(chat):
    return [card.kind for card in chat.cards() if card.state == "open"]


def payment(bank):
    (found,) = orchestration.public.payments(principal=bank.anna, at=bank.clock.now())
    return found


@pytest.fixture
def chat(bank):
    """A conversation in which the purpose of a payment was asked for."""
    chat = bank.chat()
    asked = chat.says(NEW)
    assert asked.text == f"One moment. {QUESTION}"
    assert card_of(asked, "request").details["question"] == QUESTION
    assert open_cards(chat) == ["request"]
    return chat


def test_the_payment_goes_on_with_the_purpose_written_on_the_card(bank, chat):
    (card,) = chat.cards("request")

    shown = chat.answers(card, answer="reply", text="  A used car,\n the blue one ")

    confirm = card_of(shown, "confirm_payment")
    assert confirm.details["purpose"] == "A used car, the blue one"
    assert confirm.details["remittance"] == ""
    assert open_cards(chat) == ["confirm_payment"]
    assert (payment(bank).purpose, payment(bank).remittance) == ("A used car, the blue one", "")


@pytest.mark.parametrize("text", ["a used car", "For a used car", "it's for a used car"])
def test_the_purpose_can_be_said_in_the_chat(bank, chat, text):
    before = bank.balance()

    shown = chat.says(text)

    confirm = card_of(shown, "confirm_payment")
    assert confirm.details["purpose"].lower().endswith("a used car")
    assert confirm.details["amount"]["minor_units"] == 600_000
    assert open_cards(chat) == ["confirm_payment"]
    assert bank.balance() == before


def test_with_its_purpose_the_payment_goes_the_way_of_any_other(bank, chat):
    before = bank.balance()
    chat.says("a used car")

    waiting = chat.says("yes")

    assert "A colleague looks at this payment before we make it." in waiting.text
    assert bank.balance() == before
    assert (payment(bank).state, payment(bank).purpose) == ("in_review", "a used car")


def test_nobody_answers_in_two_hours(bank, chat):
    before = (bank.balance(), bank.transfers())
    late = timedelta(hours=2, minutes=1)

    sweeping.sweep(limit=100, clock=lambda: datetime.now(UTC) + late)

    assert payment(bank).state == "expired"
    assert [card.state for card in chat.cards("request")] == ["expired"]
    assert (bank.balance(), bank.transfers()) == before
    bank.clock.later(hours=2, minutes=1)
    (card,) = chat.cards("request")
    too_late = chat.answers(card, answer="reply", text="a used car")
    assert "expired" in too_late.text
    assert (bank.balance(), bank.transfers()) == before


def test_the_customer_stops_instead_of_answering(bank, chat):
    before = bank.transfers()

    reply = chat.says("stop")

    assert reply.text == "All right, I have stopped. Nothing has happened."
    assert payment(bank).state == "cancelled"
    assert open_cards(chat) == []
    assert bank.transfers() == before


def test_a_yes_is_no_purpose(chat):
    reply = chat.says("yes")

    assert reply.text == QUESTION
    assert open_cards(chat) == ["request"]


def test_a_smaller_amount_needs_no_purpose(chat):
    shown = chat.says("no, 300")

    assert card_of(shown, "confirm_payment").details["amount"]["minor_units"] == 30_000
    assert open_cards(chat) == ["confirm_payment"]


@pytest.mark.parametrize(
    "text",
    [
        "pay Maria Schmidt NL02ABNA0123456789 5000 euro",
        "pay Maria Schmidt NL02ABNA0123456789 6000 euro for a used car",
        "pay Hendriks Vastgoed 6000 euro",
    ],
)
def test_who_is_known_what_is_said_and_what_is_small_is_not_asked_about(bank, text):
    chat = bank.chat()

    chat.says(text)

    assert open_cards(chat) == ["confirm_payment"]
