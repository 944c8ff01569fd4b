"""Decision tables: every hit policy, what matched, and what cannot be decided."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from orchestration.dmn import DecisionUnknown, MatchedRule, ModelRefused, parse, publishable
from orchestration.feel import to_feel
from tests.unit.orchestration.dmn.models import decision, input_data, model, rule, table

THREE = (
    rule("r1", "&lt; 10", '"low"', note="small sums"),
    rule("r2", "&lt; 100", '"middle"', note="common sums"),
    rule("r3", "-", '"high"'),
)
VALUES = '"high","middle","low"'


def decide(policy: str, amount, *rules: str, values: str = "", default: str = "", **inputs):
    drawn = table(policy, ["amount"], ["band"], *(rules or THREE), values=values, default=default)
    definitions = parse(model(input_data("amount", "number"), decision("band", drawn, "amount")))
    return definitions.evaluate(decision="band", inputs={"amount": amount, **inputs})


@pytest.mark.parametrize(
    ("policy", "amount", "expected", "matched"),
    [
        ('hitPolicy="FIRST"', 5, "low", [1]),
        ('hitPolicy="FIRST"', 500, "high", [3]),
        ('hitPolicy="UNIQUE"', 500, "high", [3]),
        ('hitPolicy="UNIQUE"', 5, None, [1, 2, 3]),
        ("", 500, "high", [3]),
        ('hitPolicy="ANY"', 5, None, [1, 2, 3]),
        ('hitPolicy="ANY"', 500, "high", [3]),
        ('hitPolicy="PRIORITY"', 5, "high", [3]),
        ('hitPolicy="RULE ORDER"', 50, ("middle", "high"), [2, 3]),
        ('hitPolicy="OUTPUT ORDER"', 50, ("high", "middle"), [3, 2]),
        ('hitPolicy="COLLECT"', 50, ("middle", "high"), [2, 3]),
        ('hitPolicy="COLLECT" aggregation="COUNT"', 5, Decimal(3), [1, 2, 3]),
    ],
)
def test_hit_policy_chooses_and_says_which_rules(policy, amount, expected, matched):
    result = decide(policy, amount, values=VALUES)

    assert result.outputs == expected
    assert [each.index for each in result.matched_rules] == matched
    assert all(each.table == "band" for each in result.matched_rules)


@pytest.mark.parametrize(("aggregation", "expected"), [("SUM", "30"), ("MIN", "10"), ("MAX", "20")])
def test_aggregation_folds_what_was_collected(aggregation, expected):
    rules = (rule("a", "&gt; 0", "10"), rule("b", "&gt; 1", "20"), rule("c", "&gt; 9", "30"))

    result = decide(f'hitPolicy="COLLECT" aggregation="{aggregation}"', 5, *rules)

    assert result.outputs == Decimal(expected)


@pytest.mark.parametrize(
    ("aggregation", "outputs", "expected"),
    [
        # What FEEL's own sum, count, min and max make of the same list.
        ("COUNT", [], Decimal(0)),
        ("SUM", [], None),
        ("MIN", [], None),
        ("SUM", ['"a"', '"b"'], None),
        ("MAX", ["1", '"b"'], None),
        ("MIN", ["1", "null"], None),
        ("MAX", ['"a"', '"b"'], "b"),
    ],
)
def test_aggregation_is_the_builtin_of_its_name(aggregation, outputs, expected):
    never = rule("never", "&lt; 0", "1")
    rules = (never, *(rule(f"r{at}", "-", text) for at, text in enumerate(outputs)))

    result = decide(f'hitPolicy="COLLECT" aggregation="{aggregation}"', 5, *rules)

    assert result.outputs == expected
    assert expected is not None or result.reasons


def test_aggregation_of_several_outputs_is_null_with_the_reason():
    drawn = table(
        'hitPolicy="COLLECT" aggregation="MIN"',
        ["amount"],
        ["fee", "band"],
        rule("a", "-", "1", "2"),
    )
    definitions = parse(model(input_data("amount", "number"), decision("fee", drawn, "amount")))

    result = definitions.evaluate(decision="fee", inputs={"amount": 5})

    assert result.outputs is None
    assert result.reasons == ("min has no result for these arguments",)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("PRIORITY", "high"), ("OUTPUT ORDER", ("high", "middle", "low"))],
)
def test_values_of_the_declared_type_order_the_outputs(policy, expected):
    listed = f"<allowedValues><text>{VALUES}</text></allowedValues>"
    band = f'<itemDefinition name="tBand"><typeRef>string</typeRef>{listed}</itemDefinition>'
    alias = '<itemDefinition name="tAlias"><typeRef>tBand</typeRef></itemDefinition>'
    drawn = table(f'hitPolicy="{policy}"', ["amount"], ["band"], *THREE)
    drawn = drawn.replace('<output name="band"', '<output name="band" typeRef="tAlias"')
    parts = (band, alias, input_data("amount", "number"), decision("band", drawn, "amount"))

    result = parse(model(*parts)).evaluate(decision="band", inputs={"amount": 5})

    assert result.outputs == expected


def test_matched_rule_carries_id_and_annotation():
    result = decide('hitPolicy="FIRST"', 5)

    assert result.matched_rules == (MatchedRule("band", "r1", 1, (("reason", "small sums"),)),)
    assert result.inputs == {"amount": Decimal(5)}


def test_nothing_that_matches_is_null_with_a_reason_or_the_default():
    rules = (rule("a", "&lt; 0", '"never"'),)

    without = decide("", 5, *rules)
    with_default = decide("", 5, *rules, default='"usual"')
    collected = decide('hitPolicy="COLLECT"', 5, *rules)

    assert (without.outputs, without.matched_rules) == (None, ())
    assert without.reasons == ("band: no rule matches",)
    assert with_default.outputs == "usual"
    assert collected.outputs == ()


def test_table_with_several_outputs_gives_a_context():
    drawn = table("", ["amount"], ["band", "fee"], rule("a", "-", '"low"', "amount * 2"))
    definitions = parse(model(input_data("amount", "number"), decision("d", drawn, "amount")))

    result = definitions.evaluate(decision="d", inputs={"amount": 4})

    assert result.outputs == {"band": "low", "fee": Decimal(8)}


def test_input_of_another_type_is_null_with_a_reason():
    result = decide('hitPolicy="FIRST"', "many")

    assert result.inputs == {"amount": None}
    assert "amount: the value is not of its declared type" in result.reasons


def test_missing_input_says_so():
    definitions = parse(
        model(input_data("amount", "number"), decision("d", "amount + 1", "amount"))
    )

    result = definitions.evaluate(decision="d", inputs={})

    assert result.outputs is None
    assert result.reasons[0] == "the input 'amount' is missing"


def test_decision_is_found_by_name_and_id_and_nothing_else():
    definitions = parse(model(decision("two words", "1")))

    assert definitions.evaluate(decision="two words", inputs={}).outputs == 1
    assert definitions.evaluate(decision="_two words", inputs={}).outputs == 1
    with pytest.raises(DecisionUnknown):
        definitions.evaluate(decision="three words", inputs={})


def test_required_decision_is_made_once_and_its_rules_are_listed():
    inner = table("", ["amount"], ["x"], rule("a", "-", "amount"))
    definitions = parse(
        model(
            input_data("amount", "number"),
            decision("inner", inner, "amount"),
            decision("left", "inner + 1", requires=["inner"]),
            decision("right", "inner + 2", requires=["inner"]),
            decision("all", "left * right", requires=["left", "right"]),
        )
    )

    result = definitions.evaluate(decision="all", inputs={"amount": 1})

    assert result.outputs == Decimal(6)
    assert [each.table for each in result.matched_rules] == ["inner"]


def test_decision_that_depends_on_itself_ends_in_null():
    definitions = parse(
        model(decision("a", "b", requires=["b"]), decision("b", "a", requires=["a"]))
    )

    result = definitions.evaluate(decision="a", inputs={})

    assert result.outputs is None
    assert "a depends on itself" in result.reasons


def test_decision_sees_only_what_it_requires():
    definitions = parse(model(input_data("amount", "number"), decision("d", "amount")))

    assert definitions.evaluate(decision="d", inputs={"amount": 1}).outputs is None


def test_instant_is_handed_in():
    definitions = parse(model(decision("d", "string(today())")))
    at = datetime(2026, 3, 2, tzinfo=UTC)

    assert definitions.evaluate(decision="d", inputs={}, at=at).outputs == "2026-03-02"


def test_types_of_the_model_are_checked_deeply():
    types = """<itemDefinition name="tCountry"><typeRef>string</typeRef>
      <allowedValues><text>"NL","BE"</text></allowedValues></itemDefinition>
      <itemDefinition name="tPayee"><itemComponent name="home country">
      <typeRef>tCountry</typeRef></itemComponent></itemDefinition>"""
    definitions = parse(
        model(
            types,
            input_data("payee", "tPayee"),
            decision("d", "payee.home country", "payee"),
        )
    )

    def home(country):
        given = to_feel({"payee": {"home country": country}})
        return definitions.evaluate(decision="d", inputs=given)

    assert home("NL").outputs == "NL"
    assert home("US").outputs is None
    assert home("US").inputs == {"payee": None}


def test_faulty_feel_leaves_the_other_decisions_alone_and_is_not_publishable():
    definitions = parse(model(decision("bad", "1 +"), decision("good", "1")))

    assert definitions.evaluate(decision="good", inputs={}).outputs == 1
    assert definitions.evaluate(decision="bad", inputs={}).outputs is None
    (finding,) = definitions.findings
    assert (finding.code, finding.element) == ("feel_error", "bad")
    with pytest.raises(ModelRefused):
        publishable(definitions)


@pytest.mark.parametrize(
    ("xml", "code"),
    [
        (b"", "not_readable"),
        (b"<a>", "not_readable"),
        (b"<a/>", "not_dmn"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "not_readable"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "not_readable"),
        (b"x" * 6_000_000, "not_readable"),
        (model(decision("a", "1"), decision("a", "2")), "repeated_id"),
        (model(decision("a", table('hitPolicy="BEST"', ["x"], ["y"]))), "hit_policy_unknown"),
    ],
)
def test_what_is_no_safe_model_is_refused(xml, code):
    with pytest.raises(ModelRefused) as refused:
        parse(xml)

    assert refused.value.code == code
