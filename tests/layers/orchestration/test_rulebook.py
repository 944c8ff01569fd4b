"""Rules changed by people who do not program: cell by cell, with tests, behind a second person."""

import json
from dataclasses import replace
from uuid import uuid4

import pytest

from orchestration import journeys
from orchestration.durable.publication import publish
from orchestration.public import (
    NO_DRAFT,
    CellRefused,
    ChangeNotProposed,
    FlowReadersOnly,
    RuleDraft,
    RulesUnknown,
    RuleTestDraft,
    ScenarioRefused,
    Trial,
    changes_asked,
    proposals_of,
    propose_rules,
    rule_files,
    rule_page,
)
from orchestration.versions.proposals import source_of
from orchestration.versions.rollouts import rule_of
from tests.authority import found_bank, now
from tests.layers.orchestration.test_versions import decided, officer, proposer  # noqa: F401

FILE = "payment_rules.dmn"
LIMIT = "verdict_table.3.i2"


@pytest.fixture(autouse=True)
def shipped(db, entity):
    found_bank()
    for source in journeys.flow_sources():
        if source.process in {"send_money", "change_flow"}:
            publish(source)


def page_of(principal, draft=NO_DRAFT, file=FILE):
    return rule_page(process="send_money", file=file, draft=draft, principal=principal)


def proposed(principal, draft):
    proposal_id = uuid4()
    propose_rules(
        proposal_id=proposal_id,
        process="send_money",
        file=FILE,
        draft=draft,
        why="A lower limit.",
        trial=Trial(),
        principal=principal,
        at=now(),
    )
    return proposal_id


def with_limit(page, limit, expected):
    """The draft of a new limit, with the tests at its edge written anew."""
    tests = tuple(
        replace(each.draft, inputs=json.dumps({"amount_minor_units": expected[each.draft.name]}))
        if each.draft.name in expected
        else each.draft
        for each in page.tests
    )
    return RuleDraft({LIMIT: f"> {limit}"}, tests)


EDGE = {"One million goes on": 50000000, "One cent more than a million is refused": 50000001}


def test_the_rules_are_listed_with_their_tests_and_findings(proposer):  # noqa: F811
    (line,) = rule_files(principal=proposer)

    assert (line.file, line.process, line.version, line.tables, line.rules) == (
        FILE,
        "send_money",
        1,
        3,
        12,
    )
    assert line.tests == 18


def test_a_page_runs_the_tests_and_shows_nothing_changed(proposer):  # noqa: F811
    page = page_of(proposer)

    assert (page.changed, page.failing, page.faults) == (0, 0, ())
    assert all(each.result for each in page.tests)


def test_a_draft_shows_what_it_changes_and_which_tests_fail(proposer):  # noqa: F811
    page = page_of(proposer, RuleDraft({LIMIT: "> 50000000"}))

    assert page.changed == 1
    assert [each.draft.name for each in page.tests if each.result.broken] == ["One million goes on"]
    assert rule_of("send_money").version == 1


def test_a_dead_rule_is_found_with_the_draft(proposer):  # noqa: F811
    page = page_of(proposer, RuleDraft({"verdict_table.1.i1": "-"}))

    assert {"unreachable", "never"} & {each.code for each in page.findings} or any(
        "never" in each.words for each in page.findings
    )


def test_a_cell_that_is_no_rule_is_told_with_its_line(proposer):  # noqa: F811
    page = page_of(proposer, RuleDraft({LIMIT: "> ("}))

    assert page.faults
    assert all(each.result is None for each in page.tests)


def test_rules_whose_tests_fail_are_not_proposed(proposer):  # noqa: F811
    with pytest.raises(ChangeNotProposed) as refused:
        proposed(proposer, RuleDraft({LIMIT: "> 50000000"}))

    assert refused.value.reason == "rule_test_fails"
    assert "One million goes on" in refused.value.words
    assert proposals_of(process="send_money") == ()


def test_the_scenarios_of_the_flow_hold_too(proposer):  # noqa: F811
    draft = with_limit(page_of(proposer), 50000000, EDGE)

    with pytest.raises(ChangeNotProposed) as refused:
        proposed(proposer, draft)

    assert refused.value.reason == "scenario_fails"
    assert "A million exactly goes on" in refused.value.words


def test_a_new_limit_is_proposed_agreed_to_and_in_force(proposer, officer):  # noqa: F811
    edge = {"One million goes on": 150000000, "One cent more than a million is refused": 150000001}
    draft = with_limit(page_of(proposer), 150000000, edge)
    higher = RuleDraft({**draft.cells}, draft.tests)
    with pytest.raises(ChangeNotProposed) as refused:
        proposed(proposer, higher)
    assert "More than a million is for the adviser" in refused.value.words

    words = RuleDraft({"verdict_table.3.o3": '"Please speak with your adviser."'})
    proposal_id = proposed(proposer, words)
    (asked,) = changes_asked(principal=proposer)
    assert (asked.id, asked.standing) == (proposal_id, "asked")
    assert source_of(proposal_id).scenarios
    decided(officer)

    now_in_force = page_of(proposer)
    assert now_in_force.version == 2
    assert now_in_force.tables[0].rows[2].cells[-1].text == '"Please speak with your adviser."'
    assert now_in_force.failing == 0
    assert len(now_in_force.tests) == 18


def test_tests_go_with_their_version(proposer, officer):  # noqa: F811
    page = page_of(proposer)
    more = RuleTestDraft("Two cents go on", "ruling", '{"amount_minor_units": 2}', '{"code": ""}')
    draft = RuleDraft(
        {"verdict_table.3.o3": '"Ask your adviser."'}, (*(each.draft for each in page.tests), more)
    )

    proposal_id = proposed(proposer, draft)
    (report,) = (each.report for each in proposals_of(process="send_money"))
    decided(officer)

    assert report["scenarios"]["gone"] == []
    assert "Two cents go on" in source_of(proposal_id).scenarios
    assert more in [each.draft for each in page_of(proposer).tests]


@pytest.mark.parametrize(
    ("test", "words"),
    [
        (RuleTestDraft("T", "ruling", "{", "{}"), "no JSON"),
        (RuleTestDraft("T", "ruling", "[]", "{}"), "dictionary"),
        (RuleTestDraft("T", "ruling", '{}, "x": 1', "{}"), "no JSON"),
    ],
)
def test_a_test_that_is_none_is_refused(proposer, test, words):  # noqa: F811
    with pytest.raises(ScenarioRefused) as refused:
        page_of(proposer, RuleDraft({}, (test,)))

    assert words in refused.value.faults[0].words


def test_what_is_not_there_is_refused(proposer):  # noqa: F811
    with pytest.raises(RulesUnknown):
        page_of(proposer, file="other.dmn")
    with pytest.raises(CellRefused):
        page_of(proposer, RuleDraft({"verdict_table.99.i1": "-"}))


@pytest.mark.parametrize("role", ["adviser", "fraud_analyst"])
def test_rules_are_read_by_those_who_answer_for_them_only(proposer, role):  # noqa: F811
    stranger = replace(proposer, roles=(role,))

    with pytest.raises(FlowReadersOnly):
        rule_files(principal=stranger)
    with pytest.raises(FlowReadersOnly):
        page_of(stranger)


def test_a_compliance_officer_reads_and_does_not_propose(proposer):  # noqa: F811
    reader = replace(proposer, roles=("compliance_officer",))

    assert page_of(reader).failing == 0
    with pytest.raises(ChangeNotProposed) as refused:
        proposed(reader, RuleDraft({"verdict_table.3.o3": '"Ask."'}))
    assert refused.value.reason == "not_yours"
