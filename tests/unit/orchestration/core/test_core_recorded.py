"""What an earlier release wrote is read, replays to the same state, and goes on from there."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from orchestration.bpmn import parse
from orchestration.core import decode, decode_state, deploy, rebuild
from orchestration.core import events as e
from orchestration.core.state import InstanceState
from tests.unit.orchestration.core.stage import Player

RECORDED = sorted(Path(__file__).with_name("recorded").glob("*.json"))


@pytest.fixture(params=RECORDED, ids=lambda path: path.stem)
def recorded(request):
    return json.loads(request.param.read_text(encoding="utf-8"))


def events_of(recorded):
    return [
        (decode(event.encode(), object), datetime.fromisoformat(at))
        for event, at in recorded["events"]
    ]


def test_stored_texts_are_read(recorded):
    state = decode(recorded["state"].encode(), InstanceState)

    assert decode_state(recorded["enveloped"].encode()) == state
    for text in (*recorded["history"], *recorded["commands"]):
        assert decode(text.encode(), object) is not None


def test_recorded_events_lead_to_the_stored_state(recorded):
    definition = deploy(parse(recorded["drawing"].encode()))

    state = rebuild(definition, events_of(recorded))

    assert state == decode(recorded["state"].encode(), InstanceState)


def test_stored_instance_goes_on_to_its_end(recorded):
    play = Player(deploy(parse(recorded["drawing"].encode())))
    play.state = decode(recorded["state"].encode(), InstanceState)
    play.events = events_of(recorded)
    play.at = play.events[-1][1]

    play.send(e.IncidentResolved(play.token("deep"), e.Resolution.RETRY))
    play.complete("deep")
    play.complete("ask")
    for number, token in enumerate([t for t in play.state.tokens if t.item is not None]):
        play.send(e.TaskCompleted(token.id, {"x": number}))
    play.complete("undo-book")

    assert play.is_completed
    assert play.variables["all"] == (0, 1)
