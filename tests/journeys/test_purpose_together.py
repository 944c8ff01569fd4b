"""Several payments to somebody new on one day count together for what needs a purpose."""

import pytest

from orchestration.durable import sweeping
from tests.journeys.test_purpose_asked import open_cards
from tests.races.test_task_claimed_once import at_once

HALF = "pay Maria Schmidt NL02ABNA0123456789 3000 euro"
QUESTION = (
    "You have not paid this account before today, and together with what you send there today"
    " it is a large amount. What is the payment for?"
)


@pytest.fixture
def first(bank):
    """A conversation in which half of the threshold and more was asked for."""
    chat = bank.chat()
    chat.says(HALF)
    assert open_cards(chat) == ["confirm_payment"]
    return chat


def test_a_second_payment_of_the_day_is_asked_about_while_the_first_is_under_way(bank, first):
    second = bank.chat()

    asked = second.says(HALF)

    assert asked.text == f"One moment. {QUESTION}"
    assert open_cards(second) == ["request"]
    assert open_cards(first) == ["confirm_payment"]


def test_a_second_payment_of_the_day_is_asked_about_when_the_first_was_made(bank):
    first = bank.chat()
    for _ in range(2):
        _paid(first, bank, 2_000)
    second = bank.chat()

    asked = second.says("pay Maria Schmidt NL02ABNA0123456789 1000.01 euro")

    assert asked.text == f"One moment. {QUESTION}"
    assert open_cards(second) == ["request"]


def test_five_thousand_of_one_day_exactly_is_not_asked_about(bank, first):
    second = bank.chat()

    second.says("pay Maria Schmidt NL02ABNA0123456789 2000 euro")

    assert open_cards(second) == ["confirm_payment"]


def test_one_cent_more_is_asked_about(bank, first):
    second = bank.chat()

    second.says("pay Maria Schmidt NL02ABNA0123456789 2000.01 euro")

    assert open_cards(second) == ["request"]


@pytest.mark.parametrize("way", ["cancel", "correct", "expire"])
def test_what_was_not_made_does_not_count(bank, first, way):
    if way == "cancel":
        (card,) = first.cards("confirm_payment")
        first.answers(card, answer="cancel")
        second = bank.chat()
        second.says(HALF)
    elif way == "correct":
        second = first
        second.says("no, 4000")
    else:
        bank.clock.later(minutes=11)
        (card,) = first.cards("confirm_payment")
        first.answers(card, answer="confirm")
        sweeping.sweep(limit=100, clock=bank.clock.now)
        second = bank.chat()
        second.says(HALF)

    assert open_cards(second) == ["confirm_payment"]


def test_what_went_to_others_does_not_count(bank, first):
    second = bank.chat()

    second.says("pay Pieter Bakker NL91ABNA0417164300 3000 euro")

    assert open_cards(second) == ["confirm_payment"]


def test_what_is_for_a_known_payee_is_not_counted(bank):
    for _ in range(2):
        chat = bank.chat()
        chat.says("pay Hendriks Vastgoed 3000 euro")
        assert open_cards(chat) == ["confirm_payment"]


def test_two_halves_asked_for_at_once_do_not_slip_by(bank):
    chats = [bank.chat() for _ in range(4)]

    at_once(lambda index: chats[index].says(HALF), len(chats))

    shown = sorted(card for chat in chats for card in open_cards(chat))
    assert shown == ["confirm_payment", "request", "request", "request"]


def _paid(chat, bank, euros):
    bank.clock.later(seconds=61)
    reply = chat.says(f"pay Maria Schmidt NL02ABNA0123456789 {euros} euro")
    (card,) = [each for each in reply.cards if each.kind == "confirm_payment"]
    reply = chat.answers(card, answer="confirm")
    for step_up in [each for each in reply.cards if each.kind == "step_up"]:
        reply = chat.answers(step_up, answer="code", code=chat.code())
    assert [each.kind for each in reply.cards if each.kind == "receipt"] == ["receipt"], reply.text
