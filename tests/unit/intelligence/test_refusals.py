"""Amounts, dates and IBANs that are not taken, each with its code, and never with an effect."""

import pytest

from intelligence.capabilities.dialogue import DialogueContext
from intelligence.capabilities.slots.refusals import WORDS
from tests.unit.intelligence.shipped import meaning_of

AMOUNTS = {
    "pay bob 0": "amount_zero",
    "pay bob 0,00 euro": "amount_zero",
    "pay bob zero euro": "amount_zero",
    "pay bob -50": "amount_negative",
    "pay bob \u221250 euro": "amount_negative",
    "pay bob €-50": "amount_negative",
    "pay bob -€50": "amount_negative",
    "pay bob minus fifty": "amount_negative",
    "pay bob 1250.123": "amount_too_many_decimals",
    "pay bob 0.123 euro": "amount_too_many_decimals",
    "pay bob 1,250.505": "amount_too_many_decimals",
    "pay bob 250.50 yen": "amount_too_many_decimals",
    "pay bob 12.345 euro": "amount_ambiguous",
    "pay bob 1.250": "amount_ambiguous",
    "pay bob 1,250": "amount_ambiguous",
    "pay bob 1.250.50": "amount_ambiguous",
    "pay bob 12,34,567": "amount_ambiguous",
    "pay bob 10-20 euro": "amount_ambiguous",
    "pay bob twelve fifty": "amount_ambiguous",
    "pay bob 1 250": "amount_ambiguous",
    "pay bob 1000000000000000000": "amount_too_large",
    "pay bob 999999999999999 euro": "amount_too_large",
    "pay bob 1e3": "amount_not_a_number",
    "pay bob 0x10": "amount_not_a_number",
    "pay bob 1/2": "amount_not_a_number",
    "pay bob 250x": "amount_not_a_number",
    "pay bob \uff12\uff15\uff10": "amount_unusual_digits",
    "pay bob \u0662\u0665\u0660": "amount_unusual_digits",
    "pay bob \u00bd": "amount_unusual_digits",
    "pay bob 2\u00b2": "amount_unusual_digits",
    "pay bob a couple hundred": "amount_vague",
    "pay bob 20 more": "amount_relative",
    "pay bob another 20": "amount_relative",
    "pay bob 20 each": "amount_relative",
    "pay bob 30 euro and pay sophie 20": "several_amounts",
    "pay bob 5 bitcoin": "currency_not_supported",
    "pay bob €250 dollars": "currency_ambiguous",
}


@pytest.mark.parametrize(("text", "code"), AMOUNTS.items(), ids=AMOUNTS.values())
def test_an_amount_in_doubt_is_refused_in_words(text, code):
    meaning = meaning_of(text)

    assert meaning.slots.amount is None
    assert code in [refusal.code for refusal in meaning.refusals]
    assert all(refusal.customer == WORDS[refusal.code] for refusal in meaning.refusals)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("pay bob 20 on 31 february", "date_invalid"),
        ("pay bob 20 on 01/12/2026", "date_ambiguous"),
        ("pay bob 20 on 2026-13-01", "date_invalid"),
    ],
)
def test_a_date_in_doubt_is_refused_and_the_amount_stays(text, code):
    meaning = meaning_of(text)

    assert meaning.slots.date is None
    assert meaning.slots.amount.minor_units == 2_000
    assert [refusal.code for refusal in meaning.refusals] == [code]


@pytest.mark.parametrize(
    ("iban", "code"),
    [
        ("NL91ABNA0417164301", "iban_wrong_check_digits"),
        ("NL91 ABNA 0417 1643 0", "iban_unknown_form"),
    ],
)
def test_a_wrong_iban_is_kept_as_such_and_never_repaired(iban, code):
    meaning = meaning_of(f"pay {iban} 20 euro")

    assert meaning.slots.iban.value == iban.replace(" ", "")
    assert not meaning.slots.iban.is_valid
    assert code in [refusal.code for refusal in meaning.refusals]


def test_two_ibans_are_asked_about():
    meaning = meaning_of("pay NL91ABNA0417164300 or BE68539007547034 20 euro")

    assert meaning.slots.iban is None
    assert len(meaning.slots.ibans) == 2
    assert "several_ibans" in [refusal.code for refusal in meaning.refusals]


@pytest.mark.parametrize(("text", "code"), [("", "message_empty"), ("  \n", "message_empty")])
def test_nothing_said_is_nothing_read(text, code):
    meaning = meaning_of(text)

    assert meaning.slots.names() == ()
    assert [refusal.code for refusal in meaning.refusals] == [code]


def test_a_megabyte_is_refused_unread():
    meaning = meaning_of("pay bob 20 " * 100_000)

    assert meaning.slots.names() == ()
    assert [refusal.code for refusal in meaning.refusals] == ["message_too_long"]


FOREIGN = {
    "Betaal Anna 250 euro voor de huur": "nl",
    "Wat is mijn saldo?": "nl",
    "Ik ben mijn pas kwijt": "nl",
    "Überweise Anna 250 Euro für die Miete": "de",
    "Wie hoch ist mein Kontostand?": "de",
    "Bitte sperren Sie meine Karte": "de",
    "Virer 250 euros à Anna pour le loyer": "fr",
    "Quel est mon solde ?": "fr",
    "J'ai perdu ma carte": "fr",
    "Paga 250 euros a Anna por el alquiler": "es",
    "¿Cuál es mi saldo?": "es",
    "He perdido mi tarjeta": "es",
    "ادفع لآنا 250 يورو للإيجار": "ar",
    "ما هو رصيدي؟": "ar",
    "向安娜支付250欧元房租": "zh",
    "我的余额是多少": "zh",
    "asdf qwer zxcv poiu": "und",
}


@pytest.mark.parametrize(("text", "language"), FOREIGN.items(), ids=FOREIGN.values())
def test_another_language_is_said_and_never_guessed(text, language):
    meaning = meaning_of(text)

    assert meaning.language == language
    assert meaning.intent == "other"
    assert meaning.slots.names() == ()
    assert [refusal.code for refusal in meaning.refusals] == ["language_not_supported"]


@pytest.mark.parametrize(
    "text",
    ["pay Anna 250 euro for de huur", "pya Ana 25 euro plase", "balance", "yes", "pay Łukasz 20"],
)
def test_english_with_names_mistakes_or_a_foreign_purpose_is_read(text):
    assert meaning_of(text).language == "en"


def test_a_bad_answer_to_a_question_stays_in_the_dialogue():
    meaning = meaning_of("1e3", DialogueContext("pay", "amount"))

    assert meaning.intent == "pay"
    assert meaning.slots.amount is None
    assert [refusal.code for refusal in meaning.refusals] == ["amount_not_a_number"]


def test_a_currency_beyond_another_value_does_not_belong_to_the_number():
    meaning = meaning_of("1 NL91ABNA0417164300 euro")

    assert meaning.slots.amount.span.text == "1"
    assert meaning.slots.amount.currency is None
