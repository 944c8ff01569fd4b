"""Tests of decision tables, and cells written anew without touching anything else."""

import re
from datetime import datetime
from pathlib import Path

import pytest

from orchestration import dmn
from orchestration.rulebook.cells import CellRefused, tables_in, with_cells
from orchestration.trying.deciding import decided
from orchestration.trying.scenarios import RuleTest
from tests.unit.orchestration.trying.drawn import ran, story, written

RULES = Path("apps/journeys/payments/payment_rules.dmn").read_text(encoding="utf-8")
LIMIT = "verdict_table.3.i2"
MODELS = {"r.dmn": dmn.parse(RULES.encode())}
AT = datetime.fromisoformat("2026-03-02T09:00:00+00:00")


def made(**parts):
    parts = {"name": "One", "decision": "r.dmn#ruling", "inputs": {}, "outputs": {}} | parts
    return decided(RuleTest(**parts), MODELS, AT)


def test_a_decision_is_held_against_what_is_expected():
    result = made(inputs={"amount_minor_units": 1}, outputs={"verdict": "go_on"}, rules=["goes_on"])

    assert (result.broken, result.rules) == ((), ("goes_on",))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"outputs": {"verdict": "refuse"}}, 'expected verdict to be "refuse", but it is "go_on"'),
        ({"rules": ["has_problem"]}, "expected the rules has_problem, but goes_on applied"),
        ({"outputs": "go_on"}, 'expected result to be "go_on"'),
        ({"decision": "r.dmn#nothing"}, "there is no decision"),
        ({"decision": "q.dmn#ruling"}, "there is no decision"),
    ],
)
def test_what_is_decided_otherwise_is_named(parts, words):
    assert words in made(inputs={"amount_minor_units": 1}, **parts).broken[0]


def test_a_decision_with_one_result_is_that_result():
    assert made(decision="r.dmn#warnings", inputs={"same_days": 99}, outputs=[]).broken == ()


def test_tests_of_decisions_run_with_the_scenarios():
    good, bad = ran(
        story(answers={"look": {"refused": {"code": "denied"}}}, expect={"end": "bad"}),
        decisions=[{"name": "T", "decision": "r.dmn#x", "inputs": {}, "outputs": 1}],
    )

    assert good.has_passed
    assert (bad.name, bad.broken[0].place) == ("T", "decisions[0].outputs")
    assert written(story(), decisions=[])


def test_a_table_is_read_as_rows_of_cells():
    verdict, warnings, question = tables_in(RULES, RULES)

    assert (verdict.decision, verdict.policy) == ("ruling", "FIRST")
    assert verdict.inputs == ("A problem was found", "Amount in cents")
    assert verdict.outputs == ("verdict", "code", "words")
    assert [row.name for row in verdict.rows][2:] == ["too_much_at_once", "goes_on"]
    assert verdict.rows[2].cells[1].text == "> 100000000"
    assert len(warnings.rows) == 6
    names = [row.name for row in question.rows]
    assert names == ["purpose_missing", "purpose_missing_together"]


def test_a_threshold_is_changed_and_nothing_else():
    changed = with_cells(RULES, {LIMIT: "> 50000000"})

    cells = [
        cell for table in tables_in(changed, RULES) for row in table.rows for cell in row.cells
    ]
    assert [(each.key, each.text, each.before) for each in cells if each.is_changed] == [
        (LIMIT, "> 50000000", "> 100000000")
    ]
    model = dmn.parse(changed.encode())
    assert (
        model.evaluate(decision="ruling", inputs={"amount_minor_units": 50000001}).outputs[
            "verdict"
        ]
        == "refuse"
    )
    back = with_cells(changed, {LIMIT: "> 100000000"})
    assert dmn.parse(back.encode()).model == dmn.parse(RULES.encode()).model


def test_what_says_the_same_leaves_the_file_as_it_is():
    assert with_cells(RULES, {LIMIT: " > 100000000 "}) == RULES


@pytest.mark.parametrize(("key", "text"), [("verdict_table.9.i1", "-"), (LIMIT, "1" * 1001)])
def test_a_cell_that_is_not_there_or_too_long_is_refused(key, text):
    with pytest.raises(CellRefused):
        with_cells(RULES, {key: text})


def without_ids(xml, *names):
    """The rules with the ids of some elements taken out, as other tools write them."""
    for name in names:
        xml = re.sub(rf'(<{name}\b[^>]*?) id="[^"]*"', r"\1", xml)
    return xml


@pytest.mark.parametrize("names", [["decisionTable"], ["decisionTable", "decision"]])
def test_cells_of_tables_without_an_id_are_told_apart(names):
    bare = without_ids(RULES, *names)
    first, second, _third = tables_in(bare, bare)
    cell = second.rows[0].cells[0]
    assert first.id != second.id
    keys = [each.key for table in (first, second) for row in table.rows for each in row.cells]
    assert len(set(keys)) == len(keys)

    changed = with_cells(bare, {cell.key: "> 7\n"})

    told = [
        (each.key, each.text)
        for table in tables_in(changed, bare)
        for row in table.rows
        for each in row.cells
        if each.is_changed
    ]
    assert told == [(cell.key, "> 7")]
