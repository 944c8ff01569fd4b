"""Letters: nothing in them counts as typed, and no draft says what nobody gave."""

import pytest

from intelligence.capabilities.letters.grounding import ungrounded
from intelligence.capabilities.letters.reader import LetterReader
from intelligence.capabilities.letters.writer import LetterWriter
from sentinel.vocabulary import Provenance
from tests.unit.intelligence.shipped import TODAY, model

LETTER = """Dear Sir or Madam,

please transfer 1.250,00 euro to Joost Visser, IBAN NL20 INGB 0001 2345 67.

Kind regards,
Anna de Vries"""
FACTS = {"accounts": "Current account EUR 1,234.50", "as_of": "21 November 2026"}


def test_every_value_of_a_letter_is_read_from_a_document():
    slots = model("letters.read-1").read(LETTER, today=TODAY).slots

    assert (slots.amount.minor_units, slots.amount.currency) == (125_000, "EUR")
    assert slots.iban.value == "NL20INGB0001234567"
    spans = [slots.amount.span, slots.iban.span, slots.payee.span]
    assert {span.source for span in spans} == {Provenance.DOCUMENT}
    assert [LETTER[span.start : span.end] for span in spans] == [span.text for span in spans]


def test_what_is_refused_in_a_letter_is_of_the_document_too():
    reading = model("letters.read-1").read("Pay 1.250 euro, please", today=TODAY)

    assert reading.slots.amount is None
    assert [each.span.source for each in reading.refusals if each.span] == [Provenance.DOCUMENT]


def test_a_letter_too_long_to_read_is_not_read_in_part():
    reading = model("letters.read-1").read("pay 250 euro " * 400, today=TODAY)

    assert (reading.slots.names(), [each.code for each in reading.refusals]) == (
        (),
        ["message_too_long"],
    )


def test_a_draft_holds_the_facts_given_and_nothing_else():
    draft = model("letters.reply-1").draft(label="balance", language="en", facts=FACTS)

    assert "EUR 1,234.50" in draft.text
    assert set(draft.used) == {"accounts", "as_of"}
    assert ungrounded(draft.text, facts=FACTS.values()) == ()


@pytest.mark.parametrize(
    ("label", "language", "facts", "missing"),
    [
        ("balance", "nl", FACTS, ("template",)),
        ("pay", "en", FACTS, ("template",)),
        ("balance", "en", {"as_of": "today"}, ("accounts",)),
        ("balance", "en", {**FACTS, "accounts": ""}, ("accounts",)),
    ],
)
def test_without_words_or_facts_there_is_no_draft(label, language, facts, missing):
    draft = model("letters.reply-1").draft(label=label, language=language, facts=facts)

    assert (draft.text, draft.missing) == ("", missing)


def test_a_fact_is_never_read_as_a_template():
    facts = {**FACTS, "accounts": "{as_of} {secret}"}

    draft = model("letters.reply-1").draft(label="balance", language="en", facts=facts)

    assert "{as_of} {secret}" in draft.text


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("You hold EUR 1,234.50.", ()),
        ("You hold USD 1,234.50.", ("USD 1,234.50",)),
        ("You hold EUR 1,234.51.", ("EUR 1,234.51",)),
        ("Pay to NL20INGB0001234567", ("NL20INGB0001234567",)),
        ("See https://example.org/pay, or write to me@example.org.",
         ("https://example.org/pay", "me@example.org")),
        ("On 22 November 2026", ("22",)),
        ("On 21 November 2026", ()),
    ],
)  # fmt: skip
def test_what_no_fact_holds_is_found_in_any_text(text, found):
    assert ungrounded(text, facts=FACTS.values()) == found


@pytest.mark.parametrize(
    "card",
    [
        {"format": "letter-slots/1", "characters_max": 10, "slots": ["password"]},
        {"format": "letter-slots/1", "characters_max": "10", "slots": []},
        {"format": "linear-intent/1", "characters_max": 10, "slots": []},
    ],
)
def test_a_reader_that_cannot_read_is_refused(card):
    with pytest.raises(ValueError, match=r"slots|format|artefact"):
        LetterReader.from_artefact(card)


@pytest.mark.parametrize("template", ["You owe us EUR 5.", None])
def test_a_writer_with_numbers_of_its_own_is_refused(template):
    card = {"format": "letter-templates/1", "templates": {"en": {"balance": template}}}

    with pytest.raises(ValueError, match="balance"):
        LetterWriter.from_artefact(card)
