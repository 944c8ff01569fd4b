"""Files meant to exhaust the reader are refused by type, at once, with the line where known."""

from time import process_time

import pytest

from orchestration.dmn import ModelRefused, parse
from tests.unit.orchestration.dmn.models import NAMESPACE, decision, model

SECONDS_MAX = 5
LAUGHS = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 12))


def box(depth: int) -> bytes:
    inside = "<list>" * depth + "<literalExpression><text>1</text></literalExpression>"
    return model(decision("d", inside + "</list>" * depth))


@pytest.mark.parametrize(
    "xml",
    [
        f'<!DOCTYPE d [<!ENTITY l0 "ha">{LAUGHS}]><d>&l11;</d>'.encode(),
        b'<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><d>&e;</d>',
        b'<!DOCTYPE d [<!ENTITY % e SYSTEM "http://localhost/x.dtd"> %e;]><d/>',
        '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE d [<!ENTITY a "b">]><d>&a;</d>'.encode(
            "utf-16"
        ),
        b"<d>" + b"x" * 20_000_000 + b"</d>",
        b"<d>" * 100_000,
        b"<d " + b" ".join(b'a%d="1"' % at for at in range(100_000)),
        box(5_000),
        b"\x00\xff\xfe" * 1000,
    ],
    ids=["laughs", "entity", "parameter", "utf16", "20mb", "deep", "attributes", "boxes", "bytes"],
)
def test_hostile_file_is_refused(xml):
    began = process_time()

    with pytest.raises(ModelRefused) as refused:
        parse(xml)

    assert process_time() - began < SECONDS_MAX
    assert refused.value.code == "not_readable"


def test_boxes_nest_as_deep_as_people_draw_them():
    value: object = parse(box(60)).evaluate(decision="d", inputs={}).outputs

    for _ in range(60):
        assert isinstance(value, tuple)
        (value,) = value
    assert value == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("for i in 1..1e9 return i", "steps"),
        ("(" * 500 + "1" + ")" * 500, "nests too deeply"),
        ("string(for i in 1..90000 return 1e6144)", "size"),
    ],
)
def test_bomb_in_a_decision_is_null_with_the_reason(text, reason):
    began = process_time()

    result = parse(model(decision("d", text))).evaluate(decision="d", inputs={})

    assert process_time() - began < SECONDS_MAX
    assert result.outputs is None
    assert reason in result.reasons[-1]


def test_chain_of_decisions_shares_one_budget():
    steps = [decision("n0", "for i in 1..30000 return i")]
    steps += [
        decision(f"n{at}", f"for i in n{at - 1} return i + 1", requires=[f"n{at - 1}"])
        for at in range(1, 40)
    ]

    result = parse(model(*steps)).evaluate(decision="n39", inputs={})

    assert result.outputs is None
    assert result.reasons[-1].startswith("stopped: more than")


def test_long_chain_of_requirements_ends():
    steps = [decision("n0", "1")]
    steps += [
        decision(f"n{at}", f"n{at - 1} + 1", requires=[f"n{at - 1}"]) for at in range(1, 3000)
    ]
    xml = model(*steps)
    assert NAMESPACE.encode() in xml

    result = parse(xml).evaluate(decision="n2999", inputs={})

    assert result.outputs is None
    assert result.reasons[-1] == "stopped: nested too deeply"
