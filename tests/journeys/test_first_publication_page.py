"""The page of a flow's first publication says what deserves a look in it."""

import json
from html import unescape
from uuid import uuid4

import pytest

from orchestration import journeys
from orchestration.public import propose_release
from tests.journeys.test_hostile_browser import signed_in
from tests.layers.orchestration.flows import HEAD, SCRIPTS


@pytest.fixture
def release(settings, tmp_path):
    drawing = f'{HEAD}<process id="p" isExecutable="true">{SCRIPTS}</process></definitions>'
    (tmp_path / "p.bpmn").write_text(drawing)
    content = {"drawing": "p.bpmn", "title": "A", "summary": "", "purpose": "servicing"}
    journey = {"journey": "test", "flows": {"p": content}}
    (tmp_path / "journey.json").write_text(json.dumps(journey))
    settings.JOURNEYS = [tmp_path]
    journeys.journeys.cache_clear()
    yield
    journeys.journeys.cache_clear()


def test_what_deserves_a_look_stands_with_its_element_on_the_page(bank, release):
    proposal_id = uuid4()
    propose_release(
        proposal_id=proposal_id,
        process="p",
        given_up={},
        why="It came with the release.",
        principal=bank.employees["omar"],
        at=bank.clock.now(),
    )

    page = signed_in("omar").get(f"/workspace/flows/p/compare/?new={proposal_id}")

    shown = unescape(page.content.decode())
    assert page.status_code == 200
    assert "Deserves a look before the first publication" in shown
    assert "The activity has no name, so nobody can be told what it does." in shown
    assert 'at <span class="mono">double</span>, <span class="mono">p.bpmn</span>, line' in shown
