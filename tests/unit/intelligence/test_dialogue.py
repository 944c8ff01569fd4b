"""Second turns: answers, corrections, yes, no, and the attached document."""

import pytest

from intelligence.capabilities.dialogue import CONFIRMATION, NO_DIALOGUE, DialogueContext
from tests.unit.intelligence.shipped import said

CONFIRMING = DialogueContext("pay", CONFIRMATION)
ASKED_AMOUNT = DialogueContext("pay", "amount")
ASKED_PAYEE = DialogueContext("pay", "payee")
ASKED_CARD = DialogueContext("card_block", "card")
WITH_FILE = DialogueContext(has_document=True)

TURNS = [
    (CONFIRMING, "yes", "confirm", {}),
    (CONFIRMING, "Yes, please!", "confirm", {}),
    (CONFIRMING, "ok go ahead", "confirm", {}),
    (CONFIRMING, "no", "cancel", {}),
    (CONFIRMING, "never mind", "cancel", {}),
    (CONFIRMING, "cancel the payment", "cancel", {}),
    (CONFIRMING, "no, 300", "correct", {"amount": (30_000, None)}),
    (CONFIRMING, "I meant Bob", "correct", {"payee": "Bob Jansen"}),
    (CONFIRMING, "make it 20", "correct", {"amount": (2_000, None)}),
    (CONFIRMING, "actually tomorrow", "correct", {"date": "2026-11-22"}),
    (CONFIRMING, "yes but 20 euro", "correct", {"amount": (2_000, "EUR")}),
    (CONFIRMING, "300", "correct", {"amount": (30_000, None)}),
    (CONFIRMING, "what is my balance", "balance", {}),
    (CONFIRMING, "i want to talk to a human", "talk_to_person", {}),
    (ASKED_AMOUNT, "300", "pay", {"amount": (30_000, None)}),
    (ASKED_AMOUNT, "fifty euro please", "pay", {"amount": (5_000, "EUR")}),
    (ASKED_AMOUNT, "block my card", "card_block", {}),
    (ASKED_PAYEE, "Bob", "pay", {"payee": "Bob Jansen"}),
    (ASKED_PAYEE, "to anna", "pay", {"payee": "Anna Bakker"}),
    (ASKED_PAYEE, "Xavier de la Cruz", "pay", {"payee": "?Xavier de la Cruz"}),
    (ASKED_PAYEE, "NL91ABNA0417164300", "pay", {"iban": "NL91ABNA0417164300"}),
    (ASKED_CARD, "the one ending in 1234", "card_block", {"card": ("1234", None, False)}),
    (WITH_FILE, "pay this", "pay_document", {}),
    (WITH_FILE, "", "pay_document", {}),
    (WITH_FILE, "please pay", "pay_document", {}),
    (WITH_FILE, "what is my balance", "balance", {}),
    (NO_DIALOGUE, "pay the attached invoice", "pay_document", {}),
    (NO_DIALOGUE, "yes", "confirm", {}),
    (NO_DIALOGUE, "cancel", "cancel", {}),
]


@pytest.mark.parametrize(("dialogue", "text", "intent", "slots"), TURNS, ids=lambda v: str(v)[:30])
def test_a_turn_is_read_in_its_dialogue(dialogue, text, intent, slots):
    found_intent, found = said(text, dialogue)

    assert found_intent == intent
    assert slots.items() <= found.items()
