"""Whatever the text, evaluation ends, within its limits, without an exception."""

from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.feel import FeelSyntaxError, Limits, compile_expression

SECONDS_MAX = 5


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("for i in 1..1000000000 return i", "steps"),
        ("for i in 1..60 return partial", "size"),
        ("string(for i in 1..60 return partial)", "size"),
        ("{f: function(x, n) if n = 0 then x else f([x, x], n - 1), r: f(1, 30)}.r", "size"),
        ("{f: function(n) f(n + 1), r: f(1)}.r", "depth"),
        ("count(for i in 1..400 return [partial])", "levels"),
        (
            '{f: function(x, n) if n = 0 then x else f(x + x, n - 1), r: f("aaaaaaaa", 30)}.r',
            "size",
        ),
    ],
)
def test_runaway_is_stopped_and_says_why(text, limit):
    expression = compile_expression(text)
    began = process_time()

    result = expression.evaluate({})

    assert process_time() - began < SECONDS_MAX
    assert result.value is None
    assert result.reasons[-1].startswith("stopped: more than")
    assert result.reasons[-1].endswith(limit)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 500 + "1" + ")" * 500,
        "+".join(["1"] * 5000),
        "[" * 3000,
        "-" * 3000 + "1",
        "x" * 70_000,
        "f(" * 500 + ")" * 500,
        "1" * 60_000 + "e99999",
    ],
)
def test_monstrous_text_is_refused(text):
    with pytest.raises(FeelSyntaxError):
        compile_expression(text)


def test_pattern_that_may_run_without_end_is_not_run():
    text = 'matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "^(a+)+$")'

    assert compile_expression(text).evaluate({}).value is None


def test_limits_are_the_callers_choice():
    expression = compile_expression("count(for i in 1..50 return i)")

    assert expression.evaluate({}, limits=Limits(steps=10)).value is None
    assert expression.evaluate({}).value == 50


WORDS = [
    *"()[]{},.:+-*/<>=?@",
    *("if", "then", "else", "for", "in", "return", "some", "satisfies", "and", "or", "not"),
    *("1", "0.5", '"a"', "null", "true", "x", "..", "**", "between", "instance of", "function"),
    *("sum", "date", '@"2026-01-01"', "item", "list contains", "sort", "flatten"),
]


@settings(max_examples=1500, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=14))
def test_any_words_either_parse_or_are_refused(words):
    try:
        expression = compile_expression(" ".join(words))
    except FeelSyntaxError:
        return

    expression.evaluate({"x": (1, {"a": None})})
