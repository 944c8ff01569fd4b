"""What employees look up: a flow that is only proposed, and a rule among many."""

import json
from uuid import uuid4

import pytest

from orchestration import journeys
from orchestration.public import propose_release
from tests.authority import now
from tests.journeys.test_hostile_browser import signed_in
from tests.layers.orchestration.flows import HEAD, SCRIPTS

FLOWS = "/workspace/flows/"
RULES = "/console/rules/"


@pytest.fixture
def proposed(bank, settings, tmp_path):
    """Ask for a flow that the bank does not have; return its proposal."""
    drawing = (
        f'{HEAD}<process id="check_a_sum" isExecutable="true">{SCRIPTS}</process></definitions>'
    )
    (tmp_path / "p.bpmn").write_text(drawing)
    (tmp_path / "seen.json").write_text(json.dumps({"type": "object", "properties": {}}))
    content = {
        "drawing": "p.bpmn",
        "forms": {"check": "seen.json"},
        "title": "A check",
        "summary": "",
        "purpose": "servicing",
    }
    journey = {"journey": "test", "flows": {"check_a_sum": content}}
    (tmp_path / "journey.json").write_text(json.dumps(journey))
    settings.JOURNEYS = [tmp_path]
    journeys.journeys.cache_clear()
    proposal_id = uuid4()
    case_id = propose_release(
        proposal_id=proposal_id,
        process="check_a_sum",
        given_up={},
        why="Sums go wrong.",
        principal=bank.employees["omar"],
        at=now(),
    )
    yield proposal_id, case_id
    journeys.journeys.cache_clear()


def test_a_flow_that_is_only_proposed_stands_among_the_flows(proposed):
    proposal_id, _ = proposed
    carla = signed_in("carla")

    listed = carla.get(FLOWS).content.decode()
    opened = carla.get(f"{FLOWS}check_a_sum/compare/?old=&new={proposal_id}")

    assert f"{FLOWS}check_a_sum/compare/?old=&amp;new={proposal_id}" in listed
    assert "Check a sum</a>" in listed
    assert opened.status_code == 200
    assert "This flow has no scenarios" in opened.content.decode()
    assert f'{FLOWS}check_a_sum/"' not in listed


def test_the_case_of_a_change_names_the_flow_as_people_do(proposed):
    _, case_id = proposed

    page = signed_in("carla").get(f"/workspace/cases/{case_id}/").content.decode()

    assert "Change of check a sum" in page
    assert "Publish the new flow check a sum: Sums go wrong." in page
    assert "check_a_sum:" not in page


def test_rules_are_narrowed_by_their_words(bank):
    carla = signed_in("carla")
    whole = carla.get(RULES).content.decode()

    found = carla.get(RULES, {"q": "SANCTIONS list"}).content.decode()

    assert "The payee is on a sanctions list." in whole
    assert "The payee is on a sanctions list." in found
    assert "kill-switch-throw" in whole
    assert "kill-switch-throw" not in found
    assert "Catalogue of actions" not in found
    assert 'value="SANCTIONS list"' in found


def test_only_what_was_found_is_sent_while_somebody_types(bank):
    carla = signed_in("carla")

    part = carla.get(RULES, {"q": "payments.transfer"}, headers={"HX-Request": "true"})

    page = part.content.decode()
    assert "<html" not in page
    assert "Catalogue of actions" in page
    assert "payments.transfer" in page
    assert "cards.block</td>" not in page


def test_what_no_rule_says_is_said_to_be_nowhere(bank):
    page = signed_in("carla").get(RULES, {"q": "<b>nowhere</b>"}).content.decode()

    assert "No rule and no action matches" in page
    assert "<b>nowhere" not in page
