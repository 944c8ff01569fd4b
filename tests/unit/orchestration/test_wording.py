"""Sentences: filled once, from data that stays data."""

import pytest

from orchestration.wording import date_words, filled, iban_words, money_words


@pytest.mark.parametrize(
    ("minor_units", "currency", "words"),
    [
        (125_000, "EUR", "EUR 1,250.00"),
        (5, "EUR", "EUR 0.05"),
        (-123_456_789, "EUR", "EUR -1,234,567.89"),
        (1_500, "JPY", "JPY 1,500"),
    ],
)
def test_money_is_written_with_all_its_decimals(minor_units, currency, words):
    assert money_words(minor_units, currency) == words


def test_places_are_filled_by_path_and_form():
    values = {
        "amount": {"minor_units": 100, "currency": "EUR"},
        "iban": "NL91ABNA0417164300",
        "day": "2026-11-21",
        "reasons": [{"customer": "Because."}],
        "flow": "block_card",
    }

    sentence = filled(
        "{amount} {iban|iban} {day|date} {flow|name} {reasons.0.customer} {nothing}", values
    )

    assert sentence == "EUR 1.00 NL91 ABNA 0417 1643 00 21 November 2026 block card Because. -"


def test_invariant_11_what_is_filled_in_is_never_read_as_a_sentence():
    assert filled("Hello {name}", {"name": "{secret}", "secret": "x"}) == "Hello {secret}"


def test_a_name_that_ends_in_a_full_stop_ends_the_sentence():
    assert filled("Paid to {name}. Done.", {"name": "Hendriks B.V."}) == (
        "Paid to Hendriks B.V. Done."
    )
    assert filled("Wait...", {}) == "Wait..."


def test_a_number_in_groups_and_a_date_in_words():
    assert iban_words("NL91ABNA0417164300") == "NL91 ABNA 0417 1643 00"
    assert date_words("2026-01-02T10:00:00+00:00") == "2 January 2026"
