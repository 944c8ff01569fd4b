"""External functions: the listed ones compute, every other is null with its reason."""

import pytest

from orchestration.dmn import parse
from orchestration.feel import compile_expression
from tests.unit.orchestration.dmn.models import decision, model


def borrowed(owner: str, signature: str, *arguments: str) -> str:
    names = ", ".join(f"p{at}" for at, _ in enumerate(arguments))
    mapping = f'{{java: {{class: "{owner}", method signature: "{signature}"}}}}'
    return f"(function({names}) external {mapping})({', '.join(arguments)})"


def outcome(text: str):
    result = compile_expression(f"string([{text}])").evaluate({})
    return result.value[1:-1], result.reasons


FORMAT = "format(java.lang.String, [Ljava.lang.Object;)"


@pytest.mark.parametrize(
    ("owner", "signature", "arguments", "expected"),
    [
        ("Math", "sqrt(double)", ["2.25"], "1.5"),
        ("Math", "max(int, int)", ["6", "11"], "11"),
        ("Math", "min(long,long)", ["-6", "11"], "-6"),
        ("Math", "abs(java.lang.Integer)", ["-8"], "8"),
        ("Math", "pow(double, double)", ["2", "10"], "1024.0"),
        ("Math", "round(double)", ["-2.5"], "-2"),
        ("Integer", "parseInt(java.lang.String)", ['"-17"'], "-17"),
        ("Integer", "toHexString(int)", ["255"], '"ff"'),
        ("String", "valueOf(double)", ["7"], '"7.0"'),
        ("String", "valueOf(double)", ["25000000"], '"2.5E7"'),
        ("String", "valueOf(boolean)", ["true"], '"true"'),
        ("String", "valueOf(java.lang.Object)", ["null"], '"null"'),
        ("String", FORMAT, ['"%s owes %.2f%%"', '["Ada", 1.005]'], '"Ada owes 1.01%"'),
        ("String", FORMAT, ['"one: %s"', "1"], '"one: 1"'),
    ],
)
def test_a_listed_method_computes(owner, signature, arguments, expected):
    assert outcome(borrowed(f"java.lang.{owner}", signature, *arguments))[0] == expected


@pytest.mark.parametrize(
    ("signature", "arguments"),
    [
        ("max(int,int)", ["1", "null"]),
        ("max(int,int)", ["1", '"2"']),
        ("max(int,int)", ["1", "2147483648"]),
        ("max(int,int)", ["1"]),
        ("log(double)", ["-1"]),
        ("exp(double)", ["1e5"]),
        ("sqrt(double)", ["1e6000"]),
    ],
)
def test_what_a_method_cannot_take_gives_null_with_the_reason(signature, arguments):
    value, reasons = outcome(borrowed("java.lang.Math", signature, *arguments))

    assert value == "null"
    assert reasons


@pytest.mark.parametrize(
    ("pattern", "values"),
    [
        ("%x", "[1]"),
        ("%d", "[1]"),
        ("%s %s", '["one"]'),
        ("%f", '["one"]'),
        ("%s" * 51, "for x in 1..51 return x"),
    ],
)
def test_a_format_that_is_not_written_gives_null(pattern, values):
    text = borrowed("java.lang.String", FORMAT, f'"{pattern}"', values)

    assert outcome(text)[0] == "null"


@pytest.mark.parametrize(
    "mapping",
    [
        '{java: {class: "java.lang.Runtime", method signature: "exec(java.lang.String)"}}',
        '{java: {class: "java.lang.Math", method signature: "random()"}}',
        '{java: {class: "os", method signature: "system(java.lang.String)"}}',
        '{java: {class: "java.lang.Math", method signature: "cos"}}',
        '{java: {class: "java.lang.Math"}}',
        "{java: null}",
        '{pmml: {document: "rates.pmml", model: "rates"}}',
        "1",
    ],
)
def test_any_other_mapping_is_null_with_the_reason(mapping):
    value, reasons = outcome(f'(function(a) external {mapping})("id")')

    assert value == "null"
    assert "is not one that is known here" in reasons[0]


def boxed(kind: str, result: str) -> bytes:
    entries = "".join(
        f'<contextEntry><variable name="{name}"/><literalExpression><text>"{text}"</text>'
        "</literalExpression></contextEntry>"
        for name, text in (("class", "java.lang.Math"), ("method signature", "floor(double)"))
    )
    far = (
        f'<businessKnowledgeModel id="k" name="far"><variable name="far" typeRef="{result}"/>'
        f'<encapsulatedLogic kind="{kind}"><formalParameter name="x" typeRef="number"/>'
        f"<context>{entries}</context></encapsulatedLogic></businessKnowledgeModel>"
    )
    needs = '<knowledgeRequirement><requiredKnowledge href="#k"/></knowledgeRequirement>'
    asking = decision("d", "far(3.7)").replace("<literal", needs + "<literal", 1)
    return model(far, asking)


def test_a_knowledge_model_may_borrow_a_method():
    assert parse(boxed("Java", "number")).evaluate(decision="d", inputs={}).outputs == 3


def test_what_a_method_gives_is_held_to_the_declared_type():
    result = parse(boxed("Java", "string")).evaluate(decision="d", inputs={})

    assert result.outputs is None
    assert "far: the external function gives a value of another type" in result.reasons
