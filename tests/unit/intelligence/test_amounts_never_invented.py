"""A thousand texts and more: no amount comes out whose digits do not stand in the text."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from intelligence.capabilities.slots.digits import AmountRefused, minor_units_of
from intelligence.capabilities.slots.extract import extract
from intelligence.capabilities.slots.number_words import JOINERS, NUMBER_WORDS
from tests.unit.intelligence.shipped import PAYEES, TODAY

_LISTED = (
    "pay send to Anna Bob for rent euro € $ EUR and no wait make it not 1e3 -5 20% tomorrow . , ' k"
    " 1.250 IBAN NL91ABNA0417164300 card invoice on 2026-12-01 cents dollars the 2 more"
)
WORDS = st.sampled_from(_LISTED.split())
NUMBERS = st.from_regex(r"[0-9]{1,7}([.,' ][0-9]{1,3}){0,3}", fullmatch=True)
TEXTS = st.lists(st.one_of(WORDS, NUMBERS, st.text(max_size=6)), max_size=14).map(" ".join)


@settings(max_examples=1_500, deadline=None)
@given(TEXTS)
def test_no_amount_that_does_not_stand_in_the_text(text):
    slots = extract(text=text, today=TODAY, payees=PAYEES).slots

    if slots.amount:
        span = slots.amount.span
        assert text[span.start : span.end] == span.text
        assert 0 < slots.amount.minor_units <= 10**13
        written = re.sub(r"\D", "", span.text).strip("0")
        is_in_words = set(span.text.lower().replace("-", " ").split()) <= NUMBER_WORDS | JOINERS
        assert is_in_words or str(slots.amount.minor_units).strip("0") == written


@settings(max_examples=500, deadline=None)
@given(st.integers(min_value=1, max_value=10**11), st.sampled_from([",", "."]))
def test_every_written_form_of_an_amount_is_read_back(minor_units, mark):
    whole, cents = divmod(minor_units, 100)
    other = "." if mark == "," else ","
    grouped = f"{whole:,}".replace(",", other)

    assert minor_units_of(f"{whole}{mark}{cents:02}") == minor_units
    assert minor_units_of(f"{grouped}{mark}{cents:02}") == minor_units


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=12))
def test_a_number_is_read_or_refused_and_nothing_else_happens(text):
    try:
        minor_units = minor_units_of(text)
    except AmountRefused as refused:
        reason = refused.reason
    else:
        reason = "amount_taken"
        assert minor_units > 0
        assert text.isascii() or "\u00a0" in text or "\u202f" in text or "\u2019" in text
    assert reason.startswith("amount_")


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text_at_all_is_read_without_a_crash(text):
    extraction = extract(text=text, today=TODAY, payees=PAYEES)

    for slot in extraction.slots.ibans:
        assert text[slot.span.start : slot.span.end] == slot.span.text
