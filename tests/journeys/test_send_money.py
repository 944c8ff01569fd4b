"""A payment from the first word to the booking, and everything that may keep it from being made."""

import pytest


def paid(chat, text="pay Hendriks Vastgoed 250 euro for the rent"):
    """Go from a message to the end of a payment and return the last reply."""
    shown = chat.says(text)
    (card,) = [card for card in shown.cards if card.kind == "confirm_payment"]
    confirmed = chat.answers(card, answer="confirm")
    (step_up,) = [card for card in confirmed.cards if card.kind == "step_up"]
    return chat.answers(step_up, answer="code", code=chat.code())


def test_a_payment_is_confirmed_with_a_code_and_posted_once(bank):
    chat = bank.chat()
    before, transfers = bank.balance(), bank.transfers()

    shown = chat.says("pay Hendriks Vastgoed 250 euro for the rent")

    (card,) = shown.cards
    assert card.kind == "confirm_payment"
    assert card.details["creditor_name"] == "Hendriks Vastgoed B.V."
    assert card.details["amount"] == {"minor_units": 25_000, "currency": "EUR"}
    assert card.details["name_check"] == "match"
    assert bank.balance() == before

    confirmed = chat.answers(card, answer="confirm")

    assert [each.kind for each in confirmed.cards][-1] == "step_up"
    assert bank.balance() == before

    step_up = confirmed.cards[-1]
    done = chat.answers(step_up, answer="code", code=chat.code())

    assert [each.kind for each in done.cards][-1] == "receipt"
    assert done.position
    assert bank.balance() == before - 25_000
    assert bank.transfers() == transfers + 1
