"""No activity begins before its inputs exist; what may be missing is said to be optional."""

import json

import pytest

from orchestration.core import commands as c
from orchestration.core import decode_state, encode, encode_state, rebuild
from orchestration.core import events as e
from orchestration.core.state import Wait
from tests.unit.orchestration.core.stage import (
    Player,
    end,
    flow,
    node,
    output,
    process,
    service,
    start,
)

STRAIGHT = flow("start > work > end")


def needs(value="= x", how=""):
    said = f'value="{value}"' if value else ""
    return f'<f:input name="given" {said} {how}/>'


def drawn(kind, extra):
    """A process with one activity of a kind."""
    calls = {
        "serviceTask": '<f:task call="read:thing"/>',
        "sendTask": '<f:task call="read:thing"/>',
    }
    called = {"calledElement": "other"} if kind == "callActivity" else {}
    return process(
        start(), node(kind, "work", "", calls.get(kind, "") + extra, **called), end(), STRAIGHT
    )


def begun(definition, **variables):
    play = Player(definition)
    play.send(e.Started(variables, requires_inputs=True))
    return play


def incidents(play):
    return [each for each in play.last.commands if isinstance(each, c.RaiseIncident)]


@pytest.mark.parametrize("kind", ["serviceTask", "userTask", "callActivity", "sendTask"])
def test_an_activity_whose_input_was_never_set_does_not_begin(kind):
    play = begun(drawn(kind, needs()))

    (incident,) = incidents(play)
    assert incident.code == "input_missing"
    assert incident.words == "work: the input 'given' needs 'x', which was never set"
    asked = (c.CallService, c.CreateHumanTask, c.StartChild)
    assert not any(isinstance(each, asked) for each in play.last.commands)
    assert [each.wait for each in play.state.tokens] == [Wait.INCIDENT]


@pytest.mark.parametrize(
    ("extra", "missing"),
    [
        (needs("= {a: a.b, c: c}"), "a"),
        (needs("= if x = null then 1 else x"), "x"),
        (needs(None), "given"),
        (needs('= "text"') + needs("= y.z"), "y"),
    ],
)
def test_what_is_missing_is_named(extra, missing):
    extra = extra.replace('"text"', "&quot;text&quot;")

    (incident,) = incidents(begun(drawn("serviceTask", extra)))

    assert f"needs {missing!r}" in incident.words


@pytest.mark.parametrize("extra", [needs("= x", 'optional="true"'), needs(None, 'optional="true"')])
def test_an_optional_input_is_null(extra):
    play = begun(drawn("serviceTask", extra))

    (asked,) = [each for each in play.last.commands if isinstance(each, c.CallService)]
    assert asked.inputs == {"given": None}


@pytest.mark.parametrize("value", [None, 0, "", {"b": None}])
def test_what_was_set_exists_whatever_it_is(value):
    play = begun(drawn("serviceTask", needs()), x=value)

    (asked,) = [each for each in play.last.commands if isinstance(each, c.CallService)]
    assert asked.inputs == {"given": value}


def test_a_step_begins_once_its_input_was_set():
    two = process(
        start(),
        service("find", output("x", "= result.x")),
        service("work", needs()),
        end(),
        flow("start > find > work > end"),
    )
    play = begun(two)
    assert incidents(play) == []

    play.complete("find", x=7)

    (asked,) = [each for each in play.last.commands if isinstance(each, c.CallService)]
    assert asked.inputs == {"given": 7}


def test_trying_again_with_the_input_still_missing_is_the_same_incident():
    play = begun(drawn("serviceTask", needs()))

    play.send(e.IncidentResolved(play.token("work"), e.Resolution.RETRY))

    assert [each.code for each in incidents(play)] == ["input_missing"]


def test_an_instance_begun_before_goes_on_as_it_began():
    play = Player(drawn("serviceTask", needs()))
    play.start()

    (asked,) = [each for each in play.last.commands if isinstance(each, c.CallService)]
    assert asked.inputs == {"given": None}
    assert "requires_inputs" not in json.loads(encode_state(play.state))["state"]
    assert "requires_inputs" not in json.loads(encode(play.events[0][0]))
    assert rebuild(play.definition, play.events) == play.state


def test_that_inputs_are_required_is_kept_with_the_instance():
    play = begun(drawn("serviceTask", needs()), x=1)

    assert decode_state(encode_state(play.state)).requires_inputs
    assert rebuild(play.definition, play.events) == play.state
