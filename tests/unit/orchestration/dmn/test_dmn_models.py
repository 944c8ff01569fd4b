"""Models of several elements: what is in scope, what is converted, what is refused."""

from datetime import UTC, datetime

import pytest

from orchestration.dmn import ModelRefused, parse
from orchestration.feel.temporal import UTC_ZONE, Date, DateTime, Time
from tests.unit.orchestration.dmn.models import NAMESPACE, decision, input_data, model, rule, table


def typed_decision(name: str, type_ref: str, text: str) -> str:
    return (
        f'<decision id="_{name}" name="{name}"><variable name="{name}" typeRef="{type_ref}"/>'
        f"<literalExpression><text>{text}</text></literalExpression></decision>"
    )


def knowledge(name: str, parameters: str, text: str, *, type_ref: str = "", kind: str = "") -> str:
    formal = "".join(
        '<formalParameter name="{}" typeRef="{}"/>'.format(*each.split(":"))
        for each in parameters.split()
    )
    declared = f' typeRef="{type_ref}"' if type_ref else ""
    sort = f' kind="{kind}"' if kind else ""
    return (
        f'<businessKnowledgeModel id="k{name}" name="{name}"><variable name="{name}"{declared}/>'
        f"<encapsulatedLogic{sort}>{formal}<literalExpression><text>{text}</text>"
        "</literalExpression></encapsulatedLogic></businessKnowledgeModel>"
    )


def using(name: str, text: str, *knowledge_names: str) -> str:
    links = "".join(
        f'<knowledgeRequirement><requiredKnowledge href="#k{each}"/></knowledgeRequirement>'
        for each in knowledge_names
    )
    return (
        f'<decision id="_{name}" name="{name}"><variable name="{name}"/>{links}'
        f"<literalExpression><text>{text}</text></literalExpression></decision>"
    )


def item(name: str, type_ref: str, *, allowed: str = "", constraint: str = "", many: bool = False):
    tests = f"<allowedValues><text>{allowed}</text></allowedValues>" if allowed else ""
    tests += f"<typeConstraint><text>{constraint}</text></typeConstraint>" if constraint else ""
    collection = ' isCollection="true"' if many else ""
    return (
        f'<itemDefinition name="{name}"{collection}><typeRef>{type_ref}</typeRef>{tests}'
        "</itemDefinition>"
    )


def outcome(xml: bytes, name: str = "d", **inputs):
    return parse(xml).evaluate(decision=name, inputs=inputs).outputs


@pytest.mark.parametrize(
    ("type_ref", "text", "expected"),
    [
        ("number", "7", 7),
        ("number", "[7]", 7),
        ("number", '"7"', None),
        ("tNumbers", "7", (7,)),
        ("tNumbers", "[7, 8]", (7, 8)),
        ("tNumbers", '[7, "8"]', None),
        ("string", "null", None),
        ("date and time", 'date("2026-01-01")', "2026-01-01"),
        ("tSmall", "3", 3),
        ("tSmall", "30", None),
        ("tSmalls", "[3, 30]", None),
        ("tPair", "[3, 4]", (3, 4)),
        ("tPair", "[3]", None),
        ("tNowhere", "3", None),
        ("feel:number", "3", 3),
        ("Any", "[1]", (1,)),
    ],
)
def test_result_is_converted_to_its_declared_type_or_null(type_ref, text, expected):
    types = (
        item("tNumbers", "number", many=True),
        item("tSmall", "number", allowed="[0..10]"),
        item("tSmalls", "number", allowed="[0..10]", many=True),
        item("tPair", "number", constraint="count(?) = 2", many=True),
    )

    result = outcome(model(*types, typed_decision("d", type_ref, text)))

    if isinstance(result, DateTime):
        assert result.date == Date(2026, 1, 1)
        assert result.time.second_of_day == 0
    else:
        assert result == expected


def test_structure_needs_its_components():
    person = (
        '<itemDefinition name="tPerson">'
        '<itemComponent name="full name"><typeRef>string</typeRef></itemComponent>'
        '<itemComponent name="age"><typeRef>number</typeRef></itemComponent></itemDefinition>'
    )

    def made(text: str):
        return outcome(model(person, typed_decision("d", "tPerson", text)))

    assert made('{"full name": "A", age: 4}') == {"full name": "A", "age": 4}
    assert made('{"full name": "A", age: 4, more: 1}')["more"] == 1
    assert made('{"full name": "A", age: "4"}') is None
    assert made('{"full name": "A"}') is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("add(1, 2)", 3),
        ("add(b: 1, a: 5)", 4),
        ("add([1], 2)", 3),
        ('add("1", 2)', None),
        ("add(1)", None),
        ("add(a: 1)", None),
        ("add(1, 2, 3)", None),
        ("add(a: 1, c: 2)", None),
        ("add instance of function&lt;number, number&gt; -> number", True),
        ("add instance of function&lt;string, number&gt; -> number", False),
        ("add instance of function&lt;number, number&gt; -> string", False),
    ],
)
def test_knowledge_is_called_as_a_function(text, expected):
    logic = knowledge(
        "add", "a:number b:number", "if b &lt; 2 then a - b else a + b", type_ref="number"
    )

    assert outcome(model(logic, using("d", text, "add"))) == expected


def test_knowledge_sees_only_what_it_requires():
    inner = knowledge("inner", "", "hidden")
    hidden = decision("hidden", "5")
    asking = using("d", "inner()", "inner")

    assert outcome(model(hidden, inner, asking)) is None


def test_knowledge_may_call_itself_within_the_limit():
    endless = knowledge("down", "n:number", "if n = 0 then 0 else 1 + down(n - 1)")

    assert outcome(model(endless, using("d", "down(20)", "down"))) == 20
    stopped = parse(model(endless, using("d", "down(1000)", "down"))).evaluate(
        decision="d", inputs={}
    )
    assert stopped.outputs is None
    assert stopped.reasons[-1].startswith("stopped:")


@pytest.mark.parametrize("kind", ["Java", "PMML"])
def test_external_function_is_null_with_the_reason(kind):
    outside = knowledge("far", "a:number", "{java: {class: 1}}", kind=kind)

    result = parse(model(outside, using("d", "far(1)", "far"))).evaluate(decision="d", inputs={})

    assert result.outputs is None
    words = "far: the mapping of the external function is not one that is known here"
    assert words in result.reasons


def test_decisions_that_require_each_other_end_with_the_reason():
    one = decision("one", "two + 1", requires=["two"])
    two = decision("two", "one + 1", requires=["one"])

    result = parse(model(one, two)).evaluate(decision="one", inputs={})

    assert result.outputs is None
    assert "one depends on itself" in result.reasons


def test_imports_reach_through_and_keep_names_apart():
    def file(namespace: str, *parts: str) -> bytes:
        root = f'<definitions xmlns="{NAMESPACE}" namespace="{namespace}" name="{namespace}">'
        return f"{root}{''.join(parts)}</definitions>".encode()

    def imports(name: str, namespace: str) -> str:
        return f'<import name="{name}" namespace="{namespace}" importType="{NAMESPACE}"/>'

    def over(text: str, *links: str) -> str:
        needs = "".join(
            f'<informationRequirement><requiredDecision href="{each}"/></informationRequirement>'
            for each in links
        )
        return (
            f'<decision id="rate" name="rate"><variable name="rate"/>{needs}'
            f"<literalExpression><text>{text}</text></literalExpression></decision>"
        )

    base = parse(file("base", over("2")))
    known = {"base": base}
    middle = parse(
        file("middle", imports("the base", "base"), over("the base.rate * 10", "base#rate")),
        imported=known,
    )
    other = parse(file("other", over("7")))
    top = parse(
        file(
            "top",
            imports("m", "middle"),
            imports("o", "other"),
            over("m.rate + o.rate", "middle#rate", "other#rate"),
        ),
        imported={"middle": middle, "other": other},
    )

    assert top.evaluate(decision="rate", inputs={}).outputs == 27


@pytest.mark.parametrize(
    "namespace",
    [
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    ],
)
def test_every_version_of_dmn_is_read(namespace):
    xml = model(input_data("amount", "number"), decision("d", "amount + 1", "amount"))

    assert outcome(xml.replace(NAMESPACE.encode(), namespace.encode()), amount=1) == 2


def test_rule_without_a_cell_for_each_column_is_refused():
    two_columns = table("", ["1", "2"], ["o"], rule("r", "-", "1"))

    with pytest.raises(ModelRefused) as refused:
        parse(model(decision("d", two_columns)))

    assert (refused.value.code, refused.value.element) == ("rule_shape", "r")


def test_moment_is_the_one_given():
    at = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)

    result = parse(model(decision("d", "today()"))).evaluate(decision="d", inputs={}, at=at)

    assert result.outputs == Date(2026, 1, 15)


def test_date_becomes_a_moment_before_its_constraint_is_asked():
    after = item("tMoment", "date and time", allowed="&gt; @&quot;2026-01-01T00:00:00Z&quot;")

    def of(day: str):
        return outcome(model(after, typed_decision("d", "tMoment", f"@&quot;{day}&quot;")))

    assert of("2026-03-01") == DateTime(Date(2026, 3, 1), Time(0, 0, 0, 0, UTC_ZONE))
    assert of("2025-03-01") is None


def test_type_may_carry_the_prefix_of_its_own_namespace():
    count = item("tCount", "number")

    assert outcome(model(count, typed_decision("d", "own:tCount", "7"))) == 7
    assert outcome(model(count, typed_decision("d", "own:tOther", "7"))) is None


def test_types_of_an_import_are_known_by_their_prefix_and_their_components():
    parts = (
        '<itemComponent name="full name"><typeRef>string</typeRef></itemComponent>'
        '<itemComponent name="age"><typeRef>number</typeRef></itemComponent>'
    )
    people = f'<itemDefinition name="t Person">{parts}</itemDefinition>'
    person = "{full name: &quot;Ada&quot;, age: 36}"
    base = parse(model(people, decision("ada", person)))
    root = model(
        '<import name="the base" namespace="n" importType="dmn"/>',
        decision("d", f"{person} instance of the base.t Person"),
        '<decision id="_e" name="e"><variable name="e"/><informationRequirement>'
        '<requiredDecision href="n#_ada"/></informationRequirement>'
        "<literalExpression><text>the base.ada.full name</text></literalExpression></decision>",
    ).replace(b'namespace="n" name="m"', b'namespace="top" name="m"')
    top = parse(root, imported={"n": base})

    assert top.evaluate(decision="d", inputs={}).outputs is True
    assert top.evaluate(decision="e", inputs={}).outputs == "Ada"


def test_columns_and_entries_of_several_words_are_known_to_other_boxes():
    cells = "".join(
        f"<row><literalExpression><text>{day}</text></literalExpression>"
        f"<literalExpression><text>{fee}</text></literalExpression></row>"
        for day, fee in ((1, 5), (30, 9))
    )
    relation = f'<relation><column name="due day"/><column name="fee"/>{cells}</relation>'
    fees, asking = decision("fees", relation), decision("d", "fees[due day = 30].fee")
    needs = '<requiredDecision href="#_fees"/>'
    asking = asking.replace(
        "<literal", f"<informationRequirement>{needs}</informationRequirement><literal", 1
    )

    assert outcome(model(fees, asking)) == (9,)
    # A name that could be a sum stays one.
    minus = fees.replace("due day", "due - day")
    taken = decision("d", "{due: 5, day: 2, left: due - day}.left")
    assert outcome(model(minus, taken)) == 3


@pytest.mark.parametrize(("result", "expected"), [("number", 6), ("string", None)])
def test_service_may_declare_the_type_of_its_function(result, expected):
    takes = (
        f'<itemDefinition name="tTwice"><functionItem outputTypeRef="{result}">'
        '<parameters name="x" typeRef="number"/></functionItem></itemDefinition>'
    )
    service = (
        '<decisionService id="kS" name="S"><variable name="S" typeRef="tTwice"/>'
        '<outputDecision href="#_twice"/><inputData href="#x"/></decisionService>'
    )
    twice = decision("twice", "x * 2", "x")
    parts = (takes, input_data("x", "number"), twice, service, using("d", "S(3)", "S"))

    assert outcome(model(*parts)) == expected
