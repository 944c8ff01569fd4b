"""FEEL as DMN 1.5 writes it: what expressions mean."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from orchestration.feel import (
    FeelSyntaxError,
    ValueNotFeel,
    compile_expression,
    compile_unary_tests,
    to_feel,
    to_plain,
)
from orchestration.feel.formatting import text_of

CONTEXT = to_feel(
    {
        "amount": 250,
        "monthly income": 3000,
        "total - fee": 7,
        "total": 10,
        "fee": 1,
        "country": "NL",
        "order": {"amount": 40, "lines": [{"sum": 1}, {"sum": 5}, {"sum": 9}]},
        "due": date(2026, 1, 31),
        "flag": True,
        "nothing": None,
    }
)


def value(text: str, context=CONTEXT):
    return compile_expression(text, names=context).evaluate(context).value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", "7"),
        ("(1 + 2) * 3", "9"),
        ("2 ** 3 ** 2", "64"),
        ("-2 ** 2", "4"),
        ("0.1 + 0.2", "0.3"),
        ("1 / 3", "0." + "3" * 34),
        ("10 - 2 - 3", "5"),
        ("amount * 2", "500"),
        ("monthly income / 12", "250"),
        ("total - fee", "7"),
        ("total -  fee", "7"),
        ("total - amount", "-240"),
        ("order.amount + 1", "41"),
        ("order.lines[2].sum", "5"),
        ("order.lines[-1].sum", "9"),
        ("sum(order.lines.sum)", "15"),
        ("count(order.lines[sum > 1])", "2"),
        ("if amount > 100 then 1 else 2", "1"),
        ("if nothing > 100 then 1 else 2", "2"),
        ("{a: 1, b: a + 1}.b", "2"),
        ('{"two words": 2}.two words', "2"),
        ("(function(a, b) a - b)(b: 1, a: 3)", "2"),
        ("due.month", "1"),
        ('string length("\\U01F40E")', "1"),
        ("1 // a comment\n + 1", "2"),
        ("1 /* another */ + 1", "2"),
    ],
)
def test_numbers_come_out_exactly(text, expected):
    assert value(text) == Decimal(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("amount between 100 and 300", True),
        ("amount in (100..250)", False),
        ("amount in [100..250]", True),
        ("amount in (>= 250, < 10)", True),
        ('country in ("NL", "BE")', True),
        ("true and nothing", None),
        ("false and nothing", False),
        ("true or nothing", True),
        ("nothing = null", True),
        ("nothing != 1", True),
        ('1 = "1"', None),
        ('1 < "1"', None),
        ("[1, 2] = [1, 2]", True),
        ("{a: 1, b: 2} = {b: 2, a: 1}", True),
        ("some line in order.lines satisfies line.sum > 8", True),
        ("every line in order.lines satisfies line.sum > 8", False),
        ("amount instance of number", True),
        ("order.lines instance of list<context<sum: number>>", True),
        ("order.lines instance of list<context<price: number>>", False),
        ("null instance of number", False),
        ('due < date("2026-02-01")', True),
        ('@"2026-01-31T10:00:00+01:00" = @"2026-01-31T09:00:00Z"', True),
        ("not(flag)", False),
        ("not(nothing)", None),
        ("1 in [2, 3, 1]", True),
        ("1 in [[2, 3, 1]]", False),
    ],
)
def test_questions_have_three_answers(text, expected):
    assert value(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("for i in 1..3 return i * 2", "[2, 4, 6]"),
        ("for i in 3..1 return i", "[3, 2, 1]"),
        ("for i in [1..3) return i", "[1, 2]"),
        ("for i in 1..2, j in 1..2 return i * 10 + j", "[11, 12, 21, 22]"),
        ("for i in 1..4 return if i = 1 then 1 else i * partial[-1]", "[1, 2, 6, 24]"),
        ("[3, 1, 2][item > 1]", "[3, 2]"),
        ("amount[item = 250]", "[250]"),
        ('@"2026-01-31" + @"P1M"', "2026-02-28"),
        ('@"2026-03-31" - @"P1M"', "2026-02-28"),
        ('@"2024-02-29T23:30:00Z" + @"PT45M"', "2024-03-01T00:15:00Z"),
        ('@"2026-01-31" - @"2026-01-01"', "P30D"),
        ('@"P1D" / 4', "PT6H"),
        ('date("-0044-03-15").year', "-44"),
        ('date("2026-02-29")', "null"),
        ('time("24:00:00")', "00:00:00"),
        ("[1..5)", "[1..5)"),
        ("(< 5)", "< 5"),
        ('{a: [1, "x"]}', '{a: [1, "x"]}'),
        ('"a" + "b"', "ab"),
    ],
)
def test_values_are_written_as_feel_writes_them(text, expected):
    assert text_of(value(text)) == expected


@pytest.mark.parametrize(
    "text",
    ["1 +", "if 1 then 2", "[1, 2", "f(1, a: 2)", "for in 1..2 return 1", '"open', "1 2", "", "@1"],
)
def test_what_is_not_feel_is_refused_with_its_place(text):
    with pytest.raises(FeelSyntaxError) as refused:
        compile_expression(text)

    assert 0 <= refused.value.position <= len(text)
    assert refused.value.line == 1


def test_python_is_not_feel():
    for text in ("__import__('os')", "[x for x in y]", "lambda: 1", "().__class__"):
        with pytest.raises(FeelSyntaxError):
            compile_expression(text)
    assert value('"a".__class__') is None


@pytest.mark.parametrize(
    ("tests", "given", "expected"),
    [
        ("-", 1, True),
        ("> 5", 6, True),
        ("> 5, < 2", 3, False),
        ("[1..3]", 3, True),
        ("not(1, 2)", 3, True),
        ("not(1, 2)", 2, False),
        ('"a", "b"', "b", True),
        ("[1, 2]", 2, True),
        ("? > 5 and even(?)", 8, True),
        ("true", False, False),
        ("null", None, True),
        ("> limit", 11, True),
        ('starts with(?, "x")', "xy", True),
    ],
)
def test_unary_tests(tests, given, expected):
    compiled = compile_unary_tests(tests, names=["limit"])
    result = compiled.evaluate(to_feel({"limit": 10}), value=to_feel(given))

    assert result.value is expected


def test_null_comes_with_its_reason():
    result = compile_expression("unknown + 1").evaluate({})

    assert result.value is None
    assert result.reasons == ("'unknown' has no value here", "Null + number has no result")


def test_expression_knows_what_it_reads():
    expression = compile_expression(
        "order.amount > limit and (some x in lines satisfies x.sum > y) and {a: 1, b: a}.b = z"
    )

    assert expression.reads == (("limit",), ("lines",), ("order", "amount"), ("y",), ("z",))
    assert expression.values_read(CONTEXT) == {"order.amount": Decimal(40)}


def test_now_is_the_instant_handed_in_and_null_without_one():
    expression = compile_expression("[now(), today()]")
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)

    told = expression.evaluate({}, at=at).value
    untold = expression.evaluate({}).value

    assert [text_of(each) for each in told] == ["2026-03-02T12:00:00Z", "2026-03-02"]
    assert untold == (None, None)


def test_plain_data_goes_in_and_comes_out():
    plain = {"a": [1, Decimal("1.5"), None, True], "day": date(2026, 1, 31), "text": "x"}

    assert to_plain(to_feel(plain)) == {**plain, "day": "2026-01-31"}


def test_what_is_no_feel_value_stays_out():
    for alien in (object(), b"bytes", float("nan"), {1, 2}):
        with pytest.raises(ValueNotFeel):
            to_feel(alien)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('true and "yes"', "boolean and string has no answer"),
        ('3 in [2.."a"]', "number in what is tested has no answer"),
    ],
)
def test_question_without_answer_is_null_with_its_reason(text, reason):
    result = compile_expression(text).evaluate({})

    assert result.value is None
    assert result.reasons == (reason,)
