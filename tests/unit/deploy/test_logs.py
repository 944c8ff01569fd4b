"""No log line says who it is about."""

import json
import logging

import pytest

from deploy.logs import formatter, mask_personal_data, masked


@pytest.mark.parametrize(
    "words",
    [
        "paid to NL91ABNA0417164300",
        "paid to NL91 ABNA 0417 1643 00",
        "sign-in by anna@example.com",
        "card 4111 1111 1111 1111 blocked",
        "token eyJhbGciOiJFZDI1NTE5In0.eyJqdGkiOiIxIn0.c2ln",
    ],
)
def test_what_names_a_person_is_masked_in_free_words(words):
    shown = masked(words)

    assert "***" in shown
    assert not {"NL91", "anna", "4111", "eyJ"} & set(shown.replace("@", " ").split())
    assert shown.split()[0] == words.split()[0]


def test_what_names_nobody_is_left_alone():
    event = {"event": "paid", "amount": 25000, "case_id": "0b1f3c1e-8f4e-4a56-9a51-5f0e9e0f1a2b"}

    assert masked(event) == event


def test_personal_keys_are_masked_however_deep():
    event = {
        "event": "seen",
        "payload": [{"email": "x", "iban": 1}, {"Password": "y", "kind": "z"}],
    }

    shown = mask_personal_data(None, "info", dict(event))

    assert shown["payload"] == [{"email": "***", "iban": "***"}, {"Password": "***", "kind": "z"}]


def test_a_line_of_the_standard_library_is_masked_too(monkeypatch):
    monkeypatch.setenv("LOG_FORMAT", "json")
    record = logging.LogRecord("x", logging.INFO, "f", 1, "to %s", ("NL91ABNA0417164300",), None)

    line = json.loads(formatter().format(record))

    assert line["event"] == "to ***"
    assert line["level"] == "info"


@pytest.mark.parametrize(
    "words",
    [
        'null value in column "x"\nDETAIL:  Failing row contains (1, Anna de Vries, rent).',
        "1 error\nname\n  too long [type=x, input_value='Anna de Vries', input_type=str]",
    ],
)
def test_what_an_error_quotes_is_masked(words):
    assert "Anna" not in masked(words)
    assert masked(words).splitlines()[0] == words.splitlines()[0]
