"""A proposed version is tried out by its scenarios before anybody is asked to agree to it."""

import json
from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import connection

from orchestration import journeys
from orchestration.durable.publication import publish
from orchestration.public import (
    Change,
    ChangeNotProposed,
    FlowReadersOnly,
    FlowUnknown,
    Move,
    ScenarioRefused,
    Trial,
    TryScript,
    compare_versions,
    drawing_to_try,
    proposals_of,
    propose_version,
    stories_of_version,
    try_version,
    version_files,
)
from orchestration.public import flows as flows_of_the_bank
from tests.authority import found_bank, now
from tests.layers.orchestration.flows import SCRIPTS
from tests.layers.orchestration.test_versions import (  # noqa: F401  (fixtures)
    SECOND,
    decided,
    first,
    officer,
    proposer,
)


@pytest.fixture(autouse=True)
def rules(db):
    found_bank()


def scenarios(end="e", name="A check is made", given=21, never=()):
    answers = {"check": {"done": {}, "after": "PT1H"}}
    asked = {"name": name, "given": {"amount": given}, "expect": {"end": end, "never": [*never]}}
    return json.dumps({"flow": "p", "answers": answers, "scenarios": [asked]})


def proposed(principal, **change):
    proposal_id = uuid4()
    propose_version(
        proposal_id=proposal_id,
        process="p",
        change=Change(**change),
        why="Better.",
        trial=Trial(),
        principal=principal,
        at=now(),
    )
    (found,) = (each for each in proposals_of(process="p") if each.id == proposal_id)
    return found


def instances():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orch_instance WHERE process = 'p'")
        return cursor.fetchone()[0]


def test_the_report_says_which_scenarios_pass(first, proposer):  # noqa: F811
    found = proposed(proposer, bpmn=SECOND, scenarios=scenarios())

    tried = found.report["scenarios"]
    assert tried["results"] == [{"name": "A check is made", "has_passed": True, "broken": []}]
    assert (tried["faults"], tried["gone"]) == ([], [])
    assert tried["elements_seen"] == tried["elements"]


def test_a_failing_scenario_is_shown_with_what_broke_and_bound_by_the_hash(first, proposer):  # noqa: F811
    good = proposed(proposer, bpmn=SECOND, scenarios=scenarios())
    bad = proposed(proposer, bpmn=SECOND, scenarios=scenarios(never=["check"]))

    (result,) = bad.report["scenarios"]["results"]
    assert not result["has_passed"]
    assert result["broken"][0]["place"] == "scenarios[0].expect.never[0]"
    assert "'check' was entered all the same" in result["broken"][0]["words"]
    assert good.report_hash != bad.report_hash


def test_a_flow_that_must_pass_is_not_proposed_when_it_fails(flows, proposer):  # noqa: F811
    publish(next(each for each in journeys.flow_sources() if each.process == "change_flow"))
    flows.published(SCRIPTS, must_pass=True)
    before = instances(), len(proposals_of(process="p"))

    for broken, words in (
        (scenarios(never=["check"]), "'check' was entered"),
        ("", "It has none."),
    ):
        with pytest.raises(ChangeNotProposed) as refused:
            proposed(proposer, bpmn=SECOND, scenarios=broken)
        assert refused.value.reason == "scenario_fails"
        assert words in refused.value.words

    assert (instances(), len(proposals_of(process="p"))) == before
    assert proposed(proposer, bpmn=SECOND, scenarios=scenarios())


TRIPLED = {
    "name": "It is tripled",
    "given": {"amount": 21},
    "expect": {"end": "e", "variables": {"total": 63}},
}
FOURFOLD = SECOND.replace("amount * 3", "amount * 4")
SOONER = SECOND.replace('due="PT4H"', 'due="PT2H"').replace('warn="PT3H"', 'warn="PT1H"')


@pytest.fixture
def insists(flows, proposer, officer):  # noqa: F811
    """A flow that must pass, in force with a scenario that says what it comes to."""
    publish(next(each for each in journeys.flow_sources() if each.process == "change_flow"))
    flows.published(SCRIPTS, must_pass=True)
    strong = json.loads(scenarios())
    strong["scenarios"].append(TRIPLED)
    proposed(proposer, bpmn=SECOND, scenarios=json.dumps(strong))
    decided(officer)


def not_proposed(principal, **change):
    before = instances(), len(proposals_of(process="p"))
    with pytest.raises(ChangeNotProposed) as refused:
        proposed(principal, **change)
    assert (instances(), len(proposals_of(process="p"))) == before
    return refused.value


def test_a_weaker_scenario_does_not_hide_that_one_in_force_fails(insists, proposer):  # noqa: F811
    weaker = json.loads(scenarios())
    weaker["scenarios"].append({**TRIPLED, "expect": {"end": "e"}})

    refused = not_proposed(proposer, bpmn=FOURFOLD, scenarios=json.dumps(weaker))

    assert refused.reason == "scenario_given_up"
    assert "“It is tripled”: it fails: " in refused.words
    assert "63" in refused.words


def test_removing_a_scenario_in_force_is_said_with_a_reason_that_the_approver_sees(
    insists,
    proposer,  # noqa: F811
):
    refused = not_proposed(proposer, bpmn=SOONER, scenarios=scenarios())
    assert refused.words.endswith("“It is tripled”: it is removed")
    blank = not_proposed(
        proposer, bpmn=SOONER, scenarios=scenarios(), given_up={"It is tripled": "  "}
    )
    assert blank.reason == "scenario_given_up"

    said = {"It is tripled": "Nobody asks for it."}
    found = proposed(proposer, bpmn=FOURFOLD, scenarios=scenarios(), given_up=said)

    (before,) = found.report["scenarios"]["before"]
    assert (before["name"], before["is"]) == ("It is tripled", "removed")
    assert "63" in before["words"]
    assert before["why"] == "Nobody asks for it."
    other = proposed(
        proposer, bpmn=FOURFOLD, scenarios=scenarios(), given_up={"It is tripled": "It was wrong."}
    )
    assert found.report_hash != other.report_hash


def test_a_reason_for_what_is_not_given_up_is_refused(insists, proposer):  # noqa: F811
    for name in ("It is tripled", "Another"):
        refused = not_proposed(proposer, bpmn=SOONER, given_up={name: "Why not."})
        assert refused.reason == "scenario_not_given_up"


def test_what_says_something_else_and_passes_as_it_was_is_named_without_a_reason(
    insists,
    proposer,  # noqa: F811
):
    more = json.loads(scenarios())
    more["scenarios"].append({**TRIPLED, "expect": {"end": "e", "path": ["check"]}})

    found = proposed(proposer, bpmn=SOONER, scenarios=json.dumps(more))

    (before,) = found.report["scenarios"]["before"]
    assert (before["name"], before["is"], before["words"]) == ("It is tripled", "changed", "")


def test_a_scenario_in_force_that_fits_the_new_drawing_no_more_is_named(insists, proposer):  # noqa: F811
    renamed = SECOND.replace('"check"', '"look"')
    fitting = scenarios().replace('"check"', '"look"')

    refused = not_proposed(proposer, bpmn=renamed, scenarios=fitting)

    assert "the drawing has no element 'check'" in refused.words


def test_scenarios_that_do_not_fit_the_drawing_fail_as_a_whole(first, proposer):  # noqa: F811
    found = proposed(proposer, bpmn=SECOND, scenarios=scenarios(end="nowhere"))

    (fault,) = found.report["scenarios"]["faults"]
    assert fault["words"] == "the drawing has no element 'nowhere'"


def test_scenarios_that_are_none_are_refused(first, proposer):  # noqa: F811
    with pytest.raises(ScenarioRefused):
        proposed(proposer, bpmn=SECOND, scenarios="{")

    assert proposals_of(process="p") == ()


def test_scenarios_go_with_their_version_and_missing_ones_are_named(first, proposer, officer):  # noqa: F811
    second = proposed(proposer, bpmn=SECOND, scenarios=scenarios())
    decided(officer)

    kept = proposed(proposer, bpmn=first.bpmn)
    weaker = proposed(proposer, bpmn=first.bpmn, scenarios=scenarios(name="Another"))
    changed = proposed(proposer, bpmn=first.bpmn, scenarios=scenarios(given=1))

    assert [each["name"] for each in kept.report["scenarios"]["results"]] == ["A check is made"]
    assert kept.report["scenarios"]["gone"] == []
    assert weaker.report["scenarios"]["gone"] == ["A check is made"]
    assert changed.report["scenarios"]["gone"] == ["A check is made"]
    (story,) = stories_of_version(process="p", version=second.digest, principal=proposer)
    assert (story.name, json.loads(story.given)) == ("A check is made", {"amount": 21})


def test_running_and_proposed_versions_are_tried_out_without_starting_anything(first, proposer):  # noqa: F811
    before = instances()
    proposal = proposed(proposer, bpmn=SECOND, scenarios=scenarios())
    asked = instances()

    script = TryScript("A check is made", moves=(Move("end"),))
    ended = try_version(process="p", version=str(proposal.id), script=script, principal=proposer)
    own = try_version(
        process="p",
        version=first.digest,
        script=TryScript(given='{"amount": 4}'),
        principal=proposer,
    )

    assert ended.is_ended
    assert own.active == ("check",)
    assert instances() == asked == before
    assert drawing_to_try(process="p", version=first.digest, principal=proposer) == first.bpmn


@pytest.mark.parametrize("version", ["x", "f3dfc63a-cee2-4858-b663-cb1b9188c1c6", "0" * 64])
def test_a_version_nobody_knows_is_not_tried_out(first, proposer, version):  # noqa: F811
    with pytest.raises(FlowUnknown):
        try_version(process="p", version=version, script=TryScript(), principal=proposer)


def test_a_version_of_another_flow_is_not_tried_out(first, proposer):  # noqa: F811
    with pytest.raises(FlowUnknown):
        try_version(process="q", version=first.digest, script=TryScript(), principal=proposer)


@pytest.mark.parametrize("role", ["adviser", "fraud_analyst", "underwriter"])
def test_flows_are_read_by_those_who_answer_for_them_only(first, proposer, role):  # noqa: F811
    other = replace(proposer, roles=(role,))
    customer = replace(proposer, kind="customer")

    for stranger in (other, customer):
        for read in (
            lambda who: flows_of_the_bank(principal=who),
            lambda who: compare_versions(
                old_digest=first.digest, new_digest=first.digest, principal=who
            ),
            lambda who: version_files(digest=first.digest, principal=who),
            lambda who: try_version(
                process="p", version=first.digest, script=TryScript(), principal=who
            ),
        ):
            with pytest.raises(FlowReadersOnly):
                read(stranger)


def test_who_reads_flows_is_shown_them(first, proposer):  # noqa: F811
    officer_of_it = replace(proposer, roles=("compliance_officer",))

    assert "p" in {each.process for each in flows_of_the_bank(principal=officer_of_it)}
