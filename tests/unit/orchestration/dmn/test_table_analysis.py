"""What an author of a decision table is told before it is published."""

from time import process_time

import pytest

from orchestration.dmn import ModelRefused, Severity, analyse, parse, publishable
from tests.unit.orchestration.dmn.models import NAMESPACE


def grid(policy: str, columns: dict[str, str], *rules: str, default: str = "") -> str:
    """A table of one output: a rule is its tests and its result, set apart by bars."""
    usual = f"<defaultOutputEntry><text>{default}</text></defaultOutputEntry>" if default else ""
    parts = [f'<decisionTable id="t" hitPolicy="{policy}">']
    for name, kind in columns.items():
        type_ref, _, allowed = kind.partition(":")
        listed = f"<inputValues><text>{allowed}</text></inputValues>" if allowed else ""
        parts.append(
            f'<input><inputExpression typeRef="{type_ref}"><text>{name}</text></inputExpression>'
            f"{listed}</input>"
        )
    parts.append(f'<output name="o">{usual}</output>')
    for rule in rules:
        *tests, result = (part.strip() for part in rule.split("|"))
        entries = "".join(f"<inputEntry><text>{_plain(test)}</text></inputEntry>" for test in tests)
        parts.append(
            f"<rule>{entries}<outputEntry><text>{_plain(result)}</text></outputEntry></rule>"
        )
    return "".join([*parts, "</decisionTable>"])


def _plain(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")


def findings(table: str, *, items: str = ""):
    decision = f'<decision id="d" name="d"><variable name="d"/>{table}</decision>'
    inputs = "".join(
        f'<inputData id="{name}" name="{name}"><variable name="{name}"/></inputData>'
        for name in ("x", "y", "kind", "since")
    )
    root = f'<definitions xmlns="{NAMESPACE}" namespace="n" name="m" id="m">'
    xml = f"{root}{items}{inputs}{decision}</definitions>"
    return analyse(parse(xml.encode()).model)


def told(table: str, **more):
    return [(each.code, each.rules, dict(each.example)) for each in findings(table, **more)]


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (grid("UNIQUE", {"x": "number"}, "<= 5 | 1", "> 5 | 2"), []),
        (grid("UNIQUE", {"x": "number"}, "< 5 | 1", "> 5 | 2"), [("gap", (), {"x": "5"})]),
        (
            grid("UNIQUE", {"x": "number"}, "<= 5 | 1", ">= 6 | 2"),
            [("gap", (), {"x": "5.5"})],
        ),
        (
            grid("UNIQUE", {"x": "number"}, "[0..10] | 1", "(20..30] | 2"),
            [("gap", (), {"x": "-1"}), ("gap", (), {"x": "11"}), ("gap", (), {"x": "31"})],
        ),
        (grid("UNIQUE", {"x": "number:[0..10]"}, "[0..4] | 1", "(4..10] | 2"), []),
        (
            grid("UNIQUE", {"x": "number"}, "<= 5 | 1", ">= 5 | 2"),
            [("overlap", (1, 2), {"x": "5"})],
        ),
        (
            grid("UNIQUE", {"kind": "string"}, '"a" | 1', '"b", "c" | 2'),
            [("gap", (), {"kind": "any other text"})],
        ),
        (grid("UNIQUE", {"kind": "string"}, '"a" | 1', 'not("a") | 2'), []),
        (grid("UNIQUE", {"kind": 'string:"a", "b"'}, '"a" | 1', '"b" | 2'), []),
        (
            grid("UNIQUE", {"kind": 'string:"a", "b", "c"'}, '"a" | 1', '"b" | 2'),
            [("gap", (), {"kind": '"c"'})],
        ),
        (grid("UNIQUE", {"x": "boolean"}, "true | 1"), [("gap", (), {"x": "false"})]),
        (
            grid(
                "UNIQUE",
                {"since": "date"},
                '< date("2026-01-01") | 1',
                '[date("2026-01-01")..date("2026-01-31")] | 2',
                '>= date("2026-02-01") | 3',
            ),
            [],
        ),
        (
            grid("UNIQUE", {"since": "date"}, '<= @"2026-01-01" | 1', '> @"2026-01-03" | 2'),
            [("gap", (), {"since": "2026-01-02"})],
        ),
        (
            grid("UNIQUE", {"since": "time"}, '< @"12:00:00" | 1', '> @"12:00:00" | 2'),
            [("gap", (), {"since": "12:00:00"})],
        ),
        (
            grid("UNIQUE", {"since": ""}, '< @"P1D" | 1', '>= @"P2D" | 2'),
            [("gap", (), {"since": "P1D"})],
        ),
        (grid("UNIQUE", {"since": ""}, '<= @"P1M" | 1', '>= @"P2M" | 2'), []),
        (
            grid("FIRST", {"x": "number"}, "> 10 | 1", "> 20 | 2", "- | 3"),
            [("unreachable", (2,), {})],
        ),
        (
            grid("FIRST", {"x": "number"}, "> 10 | 1", "<= 10 | 2", "- | 3"),
            [("unreachable", (3,), {})],
        ),
        (
            grid("UNIQUE", {"x": "number:[0..10]"}, "<= 10 | 1", "> 10 | 2"),
            [("unreachable", (2,), {})],
        ),
        (
            grid("ANY", {"x": "number"}, "<= 5 | 1", ">= 5 | 2"),
            [("overlap", (1, 2), {"x": "5"})],
        ),
        (grid("ANY", {"x": "number"}, "<= 5 | 1", ">= 5 | 1.0"), []),
        (grid("PRIORITY", {"x": "number"}, "<= 5 | 1", ">= 5 | 2"), []),
        (grid("COLLECT", {"x": "number"}, "< 5 | 1", "< 7 | 2"), []),
        (grid("UNIQUE", {"x": "number"}, "< 5 | 1", default="0"), []),
        (
            grid("UNIQUE", {"x": "number"}, "null | 1", "- | 2"),
            [("overlap", (1, 2), {"x": "null"})],
        ),
        (
            grid("UNIQUE", {"x": "number", "y": "boolean"}, "< 5 | - | 1", ">= 5 | true | 2"),
            [("gap", (), {"x": "5", "y": "false"})],
        ),
    ],
)
def test_faults_of_a_table_are_found_with_a_case_that_shows_them(table, expected):
    assert told(table) == expected


def test_finding_is_written_for_the_author():
    [found] = findings(grid("UNIQUE", {"x": "number", "y": "boolean"}, "< 5 | - | 1"))[:1]

    assert found.words == "Table 'd': no rule covers x = 5."
    assert (found.table, found.element, found.severity) == ("d", "t", Severity.WARNING)


@pytest.mark.parametrize(
    ("policy", "results", "severity"),
    [
        ("UNIQUE", ("1", "1"), Severity.ERROR),
        ("ANY", ("1", "2"), Severity.ERROR),
        ("ANY", ("x", "x + 1"), Severity.WARNING),
    ],
)
def test_overlap_weighs_what_the_hit_policy_makes_of_it(policy, results, severity):
    one, other = results
    [found] = findings(grid(policy, {"x": "number"}, f"- | {one}", f"> 3 | {other}"))

    assert found.severity is severity
    assert found.words.startswith("Table 'd': rules 1 and 2 both apply to x = ")


def test_values_of_a_declared_type_bound_the_column():
    items = (
        '<itemDefinition name="tKind"><typeRef>string</typeRef>'
        '<allowedValues><text>"a", "b"</text></allowedValues></itemDefinition>'
    )

    assert told(grid("UNIQUE", {"kind": "tKind"}, '"a" | 1', '"b" | 2'), items=items) == []


def test_cell_that_depends_on_more_is_said_and_never_blamed():
    table = grid("UNIQUE", {"x": "number"}, "< y | 1", ">= 5 | 2")

    assert [(each.code, each.rules, each.severity) for each in findings(table)] == [
        ("cell_not_analysed", (1,), Severity.NOTE)
    ]


@pytest.mark.parametrize(
    "table",
    [
        grid("UNIQUE", {"x": ""}, '"a" | 1', "5 | 2"),
        grid("UNIQUE", {"x": "number"}, *(f"{at} | 1" for at in range(501))),
    ],
)
def test_table_beyond_the_analysis_says_so(table):
    [found] = findings(table)

    assert (found.code, found.severity) == ("not_analysed", Severity.NOTE)
    assert "not analysed, because" in found.words


def test_large_table_ends_quickly():
    columns = {f"c{at}": "number" for at in range(12)}
    rules = [
        " | ".join([f"> {(at * 7 + row * 13) % 50}" for at in range(12)] + ["1"])
        for row in range(60)
    ]
    began = process_time()

    found = findings(grid("FIRST", columns, *rules))

    assert process_time() - began < 20
    assert found


def test_model_whose_rules_contradict_each_other_is_not_published():
    table = grid("UNIQUE", {"x": "number"}, "<= 5 | 1", ">= 5 | 2")
    root = f'<definitions xmlns="{NAMESPACE}" namespace="n" name="m" id="m">'
    inputs = '<inputData id="x" name="x"><variable name="x"/></inputData>'
    decision = f'<decision id="d" name="d"><variable name="d"/>{table}</decision>'
    model = parse(f"{root}{inputs}{decision}</definitions>".encode())

    with pytest.raises(ModelRefused) as refused:
        publishable(model)

    assert refused.value.code == "overlap"
    assert refused.value.findings[0].words.startswith("Table 'd': rules 1 and 2 both apply")
