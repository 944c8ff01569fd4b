"""The flows of a release: beside those in force, asked for by one person, agreed by another."""

import json
from dataclasses import replace
from uuid import uuid4

import pytest

from orchestration import journeys
from orchestration.durable.definitions import FlowUnknown, current_flow, flow_of
from orchestration.durable.publication import publish
from orchestration.public import (
    ChangeNotProposed,
    TaskFilters,
    Trial,
    ask_roll_out,
    compare_proposal,
    proposal_verdicts,
    proposals_of,
    propose_release,
    released_flows,
    tasks,
)
from orchestration.versions.rollouts import rule_of
from tests.authority import found_bank, now
from tests.layers.orchestration.flows import HEAD, SCRIPTS
from tests.layers.orchestration.test_versions import (
    another,
    decided,
    officer,  # noqa: F401
    proposer,  # noqa: F401
)

FORM = {"type": "object", "properties": {"seen": {"type": "boolean"}}}
CHANGE_FLOW = next(each for each in journeys.flow_sources() if each.process == "change_flow")


@pytest.fixture(autouse=True)
def rules(entity, db):
    found_bank()
    publish(CHANGE_FLOW)


@pytest.fixture
def release(settings, tmp_path):
    """A release of one journey, written anew with what it says otherwise."""
    settings.JOURNEYS = [tmp_path]

    def written(*, body=SCRIPTS, title="A check", form=FORM):
        drawing = f'{HEAD}<process id="p" isExecutable="true">{body}</process></definitions>'
        (tmp_path / "p.bpmn").write_text(drawing)
        (tmp_path / "seen.json").write_text(json.dumps(form))
        content = {
            "drawing": "p.bpmn",
            "forms": {"seen": "seen.json"},
            "title": title,
            "summary": "",
            "purpose": "servicing",
        }
        journey = {"journey": "test", "flows": {"p": content}}
        (tmp_path / "journey.json").write_text(json.dumps(journey))
        journeys.journeys.cache_clear()
        (source,) = journeys.flow_sources()
        return source

    yield written
    journeys.journeys.cache_clear()


def asked(person, **more):
    words = {"process": "p", "given_up": {}, "why": "It came with the release."}
    return propose_release(
        **{"proposal_id": uuid4(), "principal": person, "at": now(), **words, **more}
    )


def standing():
    (found,) = released_flows()
    return found.standing, found.version, found.differs


@pytest.mark.parametrize(
    ("change", "files"),
    [
        ({"title": "Another check"}, ["journey.json"]),
        ({"form": {**FORM, "required": ["seen"]}}, ["seen.json"]),
        ({"body": SCRIPTS.replace("* 2", "* 3")}, []),
    ],
)
def test_what_a_release_says_otherwise_is_in_force_once_another_agrees(
    release,
    proposer,  # noqa: F811
    officer,  # noqa: F811
    change,
    files,
):
    publish(release())
    assert standing() == ("same", 1, False)
    source = release(**change)
    assert standing() == ("newer", 1, True)

    asked(proposer)
    assert rule_of("p").version == 1
    (proposal,) = proposals_of(process="p")
    assert [each["file"] for each in proposal.report["rules"]] == files
    decided(officer)

    in_force = rule_of("p")
    assert (in_force.digest, in_force.version) == (source.digest, 2)
    assert (in_force.content, in_force.forms) == (source.content, source.forms)
    assert standing() == ("same", 2, False)


def test_a_new_flow_is_there_once_another_agrees(release, proposer, officer):  # noqa: F811
    source = release()
    assert standing() == ("new", 0, True)

    asked(proposer)
    with pytest.raises(FlowUnknown):
        rule_of("p")
    (proposal,) = proposals_of(process="p")
    both = compare_proposal(proposal_id=proposal.id, principal=officer)
    assert (both.old_version, both.old_xml, both.new_xml) == (None, "", source.bpmn)
    assert [each["file"] for each in both.rules] == ["journey.json", "seen.json"]
    assert proposal_verdicts(proposal_id=proposal.id, principal=officer) == ()
    decided(officer)

    assert rule_of("p").digest == source.digest
    assert standing() == ("same", 1, False)


def test_a_new_flow_that_is_not_agreed_is_not_there(release, proposer, officer):  # noqa: F811
    release()
    asked(proposer)

    decided(officer, "reject")

    with pytest.raises(FlowUnknown):
        current_flow("p")


def test_a_new_flow_that_another_has_brought_meanwhile_is_refused(
    release,
    proposer,  # noqa: F811
    officer,  # noqa: F811
):
    release()
    asked(proposer)
    other = publish(release(title="Somebody else's"))

    decided(officer)

    assert rule_of("p").digest == other.digest
    assert current_flow("p").version == 1


def rolled_out(version, proposer, officer, *, share=100):  # noqa: F811
    ask_roll_out(
        change_id=uuid4(),
        digest=version.digest,
        trial=Trial(share=share),
        why="The other is in doubt.",
        principal=proposer,
        at=now(),
    )
    decided(another(officer))


def test_what_was_rolled_back_is_told_from_what_is_newer(release, proposer, officer):  # noqa: F811
    first = publish(release())
    release(title="Another check")
    asked(proposer)
    decided(officer)
    assert standing() == ("same", 2, False)

    rolled_out(first, proposer, officer)

    assert standing() == ("rolled_back", 1, False)
    assert [each.released_as for each in released_flows()] == [2]
    release(title="A third check")
    assert standing() == ("newer", 1, True)
    assert [each.released_as for each in released_flows()] == [0]


def test_a_first_decision_that_goes_back_is_a_rollback(release, proposer, officer):  # noqa: F811
    first = publish(release())
    publish(release(title="Another check"))
    assert standing() == ("same", 2, False)

    rolled_out(first, proposer, officer)

    assert standing() == ("rolled_back", 1, False)


def test_what_was_tried_only_was_never_the_rule(release, proposer, officer):  # noqa: F811
    publish(release())
    release(title="Another check")
    asked(proposer)
    decided(officer)
    third = publish(release(title="A check on trial"))
    assert standing() == ("newer", 2, True)

    rolled_out(third, proposer, officer, share=5)

    assert standing() == ("newer", 2, True)


def test_a_first_publication_says_what_deserves_a_look(release, proposer):  # noqa: F811
    release()

    asked(proposer)

    (proposal,) = proposals_of(process="p")
    (doubt,) = proposal.doubts
    assert (doubt.element, doubt.code, doubt.file) == ("double", "name_missing", "p.bpmn")
    assert doubt.words == "The activity has no name, so nobody can be told what it does."
    assert doubt.line > 0


def test_what_an_old_proposal_kept_is_still_said(release, proposer):  # noqa: F811
    release()
    asked(proposer)
    (proposal,) = proposals_of(process="p")

    old = replace(proposal, report={"warnings": ["Something looks wrong."]})

    assert [(each.words, each.element, each.line) for each in old.doubts] == [
        ("Something looks wrong.", "", 0)
    ]
    assert replace(proposal, report={}).doubts == ()


def test_who_proposes_does_not_agree(release, proposer):  # noqa: F811
    release()
    asked(proposer)
    both = replace(proposer, roles=("operations", "compliance_officer", "employee"))

    assert tasks(principal=both, filters=TaskFilters(kind="approval")) == ()


def test_what_differs_in_nothing_is_not_proposed(release, proposer):  # noqa: F811
    publish(release())

    with pytest.raises(ChangeNotProposed) as refused:
        asked(proposer)

    assert refused.value.reason == "nothing_changed"
    assert proposals_of(process="p") == ()


def test_a_version_the_bank_went_on_from_is_older(release):
    first = release()
    publish(first)
    publish(replace(first, bpmn=first.bpmn.replace("* 2", "* 3")))

    assert standing() == ("older", 2, False)
    assert flow_of(first.digest).version == 1


def test_a_flow_the_release_does_not_have_is_not_proposed(release, proposer):  # noqa: F811
    release()

    with pytest.raises(FlowUnknown):
        asked(proposer, process="q")


def test_others_propose_nothing(release, officer):  # noqa: F811
    release()

    with pytest.raises(ChangeNotProposed) as refused:
        asked(officer)

    assert refused.value.reason == "not_yours"
