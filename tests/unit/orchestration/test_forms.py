"""Forms: what is asked, what is refused, and forms that ask in words we do not know."""

import pytest

from orchestration.worklist.forms import (
    AnswerRefused,
    FormRefused,
    check_form,
    checked_answer,
    filled_in,
)

FORM = {
    "type": "object",
    "properties": {
        "choice": {"type": "string", "enum": ["known", "document", "reject"]},
        "reached": {"type": "boolean", "default": False},
        "spoke_to": {"type": "string", "minLength": 2, "maxLength": 10},
        "number": {"type": "string", "pattern": "^[0-9+ ]{5,20}$"},
        "count": {"type": "integer", "minimum": 1, "maximum": 3},
        "on": {"type": "string", "format": "date"},
        "seen": {
            "type": "array",
            "items": {"type": "string", "enum": ["passport", "letter"]},
            "minItems": 1,
            "uniqueItems": True,
        },
    },
    "required": ["choice"],
    "allOf": [
        {
            "if": {"properties": {"choice": {"const": "known"}}, "required": ["choice"]},
            "then": {"required": ["spoke_to"]},
        }
    ],
}


def refused(**answer):
    with pytest.raises(AnswerRefused) as error:
        checked_answer(FORM, answer)
    return set(error.value.errors)


def test_an_answer_in_form_comes_back_with_its_defaults():
    answer = checked_answer(FORM, {"choice": "reject"})

    assert answer == {"choice": "reject", "reached": False}


def test_a_field_another_answer_asks_for_is_required():
    assert refused(choice="known") == {"spoke_to"}
    assert checked_answer(FORM, {"choice": "known", "spoke_to": "Jan"})["spoke_to"] == "Jan"


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        ({}, "choice"),
        ({"choice": "maybe"}, "choice"),
        ({"choice": 1}, "choice"),
        ({"choice": "reject", "spoke_to": "x"}, "spoke_to"),
        ({"choice": "reject", "spoke_to": "x" * 11}, "spoke_to"),
        ({"choice": "reject", "number": "not a number"}, "number"),
        ({"choice": "reject", "reached": "yes"}, "reached"),
        ({"choice": "reject", "count": True}, "count"),
        ({"choice": "reject", "count": 4}, "count"),
        ({"choice": "reject", "other": "x"}, "other"),
        ({"choice": "reject", "on": "31 November"}, "on"),
        ({"choice": "reject", "on": "2026-11-31"}, "on"),
        ({"choice": "reject", "seen": []}, "seen"),
        ({"choice": "reject", "seen": ["visa"]}, "seen"),
        ({"choice": "reject", "seen": "letter"}, "seen"),
    ],
)
def test_what_the_form_does_not_take_is_refused_by_field(answer, field):
    assert refused(**answer) == {field}


@pytest.mark.parametrize(
    "form",
    [
        {"type": "array"},
        {"type": "object", "properties": {"a": {"type": "string", "format": "email"}}},
        {"type": "object", "properties": {"a": {"type": "number"}}},
        {"type": "object", "properties": {}, "required": ["a"]},
        {"type": "object", "oneOf": []},
    ],
)
def test_a_form_with_unknown_words_is_refused_when_published(form):
    with pytest.raises(FormRefused):
        check_form(form)


def test_a_field_comes_filled_in_with_the_input_it_names():
    field = {"type": "string", "minLength": 3, "x-input": "draft"}
    form = {"type": "object", "properties": {"text": field}, "required": ["text"]}
    check_form(form)

    filled = filled_in(form, {"draft": "Dear Anna"})

    assert checked_answer(filled, {}) == {"text": "Dear Anna"}
    assert checked_answer(filled, {"text": "Dear Bob"}) == {"text": "Dear Bob"}
    assert "default" not in field
    for given in ({}, {"draft": None}, {"draft": 7}):
        assert filled_in(form, given) == form


def test_what_a_field_comes_filled_in_with_must_fit_the_form_too():
    form = {"type": "object", "properties": {"text": {"type": "string", "maxLength": 3}}}
    form["properties"]["text"]["x-input"] = "draft"

    with pytest.raises(AnswerRefused):
        checked_answer(filled_in(form, {"draft": "too long"}), {})
