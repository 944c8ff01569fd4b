"""Whatever the text, evaluation ends, within its limits, without an exception."""

from decimal import Decimal
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.feel import (
    FeelSyntaxError,
    Limits,
    ValueNotFeel,
    compile_expression,
    to_feel,
)

SECONDS_MAX = 5
LIST = "{l: for i in 1..20000 return i, r: "
LONG = '{long: string join(for i in 1..9000 return "aaaaaaaaaa"), r: '


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("for i in 1..1000000000 return i", "steps"),
        ("for i in 1..60 return partial", "size"),
        ("string(for i in 1..60 return partial)", "size"),
        ("{f: function(x, n) if n = 0 then x else f([x, x], n - 1), r: f(1, 30)}.r", "size"),
        ("{f: function(n) f(n + 1), r: f(1)}.r", "depth"),
        ("count(for i in 1..400 return [partial])", "levels"),
        (LIST + "for i in l return count(l)}.r", "work"),
        (LIST + "for i in l return i in l}.r", "work"),
        (LIST + "for i in l return l = l}.r", "work"),
        (LIST + "for i in l return l instance of list<number>}.r", "work"),
        (
            "{l: for i in 1..20000 return i, f: function(a: list<number>) 1, "
            "r: for i in l return f(l)}.r",
            "work",
        ),
        (LIST + "for i in l return count(partial)}.r", "work"),
        (LIST + "concatenate(" + ",".join(["l"] * 5000) + ")}.r", "work"),
        (LIST + "[" + ",".join(["l"] * 9000) + "]}.r", "size"),
        (LIST + "sort(l, function(a, b) modulo(a * 7919, 20011) > b)}.r", "steps"),
        (LONG + "string join(for i in 1..90000 return long)}.r", "size"),
        (LONG + 'replace(long, "a", long)}.r', "size"),
        (LONG + "for i in 1..90000 return upper case(long)}.r", "work"),
        (LONG + 'for i in 1..90000 return long + "a"}.r', "work"),
        ("string(for i in 1..90000 return 1e6144)", "size"),
        ("for i in 1..90000 return 1.00001 ** 12345.678", "work"),
        ("for x in 1..1000, y in 1..1000 return x", "steps"),
        ("some x in 1..1e9 satisfies x < 0", "steps"),
        ("(function(f) f(f))(function(f) f(f))", "depth"),
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
        "for a in [1] return " * 200 + "1",
        "1 instance of " + "list<" * 3000 + "number" + ">" * 3000,
        "/*" * 30_000,
    ],
)
def test_monstrous_text_is_refused(text):
    with pytest.raises(FeelSyntaxError):
        compile_expression(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "^(a+)+$")', False),
        ('matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!", "^(a|aa)+$")', False),
        ('matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "^(a|aa)+$")', True),
        ('matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "(a?){35}a{35}")', True),
        (LONG + 'matches(long, "a*a*a*b")}.r', False),
        (LONG + 'matches(long, ".*.*.*=.*")}.r', False),
        (LONG + 'replace(long, "(a|b)*c|a{90000}$", "d")}.r', None),
        (r'matches("abb", "^(a|b)*(\1|x)$")', True),
        (LONG + r'matches(long, "^(a*)*\1b$")}.r', None),
        ('matches("a", "(((a{100}){100}){100}){100}")', None),
        ('matches("a", "' + "(" * 400 + "a" + ")" * 400 + '")', None),
    ],
)
def test_pattern_ends_whatever_it_is(text, expected):
    expression = compile_expression(text)
    began = process_time()

    result = expression.evaluate({})

    assert process_time() - began < SECONDS_MAX
    assert result.value is expected
    assert (expected is None) == bool(result.reasons)


@pytest.mark.parametrize(
    "text",
    [
        "{" + ",".join(f"a b{i}:1" for i in range(5000)) + "}",
        "for " + ",".join(f"a {i} in [1]" for i in range(4000)) + " return 1",
        "f(" + ",".join(f"a{i}" for i in range(9000)) + ")",
    ],
)
def test_many_names_are_read_quickly(text):
    began = process_time()

    compile_expression(text)

    assert process_time() - began < SECONDS_MAX


@pytest.mark.parametrize(
    "text",
    [
        "2 ** 999999999",
        "10 ** 6145",
        "1e6144 * 10",
        'number("1e400000")',
        'duration("P1D") * 1e6100',
        'duration("P99999999999999999999Y")',
        'date("999999999-12-31") + duration("P1D")',
    ],
)
def test_what_is_out_of_range_has_no_value(text):
    result = compile_expression(text).evaluate({})

    assert result.value is None
    assert result.reasons


def test_number_from_outside_has_a_bounded_exponent():
    with pytest.raises(ValueNotFeel):
        to_feel({"amount": Decimal("1e999999")})


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
