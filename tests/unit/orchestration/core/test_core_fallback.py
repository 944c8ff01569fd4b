"""Fallback: the error a step ends with once no attempt is left, where the drawing catches it."""

import pytest

from orchestration.core import commands as c
from orchestration.core.state import Wait
from tests.unit.orchestration.core.stage import (
    Player,
    about,
    boundary,
    end,
    flow,
    process,
    service,
    start,
)

STRAIGHT = flow("start > work > end")
FALLING_BACK = service("work", '<f:retry attempts="2" fallback="not_reached"/>')
NOT_REACHED = '<error id="missed-error" errorCode="not_reached"/>'
OTHER_WAY = (
    boundary("missed", "work", about("error", "missed-error"))
    + service("instead")
    + flow("missed > instead > end")
)


def falling_back(way: str, work: str = FALLING_BACK) -> Player:
    return Player(process(start(), work, end(), STRAIGHT, way, declared=NOT_REACHED))


def test_after_the_last_technical_failure_the_fallback_is_taken():
    play = falling_back(OTHER_WAY)
    play.start()

    play.break_down("work", "timeout")

    assert play.waiting == ["instead"]
    assert play.issued(c.RaiseIncident) == []
    play.complete("instead")
    assert play.is_completed


def test_a_fallback_nothing_catches_is_an_incident_that_can_be_tried_again():
    play = falling_back("")
    play.start()

    play.break_down("work", "timeout")

    (incident,) = play.issued(c.RaiseIncident)
    assert (incident.node, incident.code) == ("work", "timeout")
    assert play.state.tokens[0].work is Wait.SERVICE


@pytest.mark.parametrize("code", ["call_lost", "moves_exhausted"])
def test_what_has_no_known_outcome_takes_no_other_way(code):
    play = falling_back(OTHER_WAY)
    play.start()

    play.break_down("work", code)

    assert [each.code for each in play.issued(c.RaiseIncident)] == [code]


def test_what_breaks_without_a_fallback_is_not_caught():
    play = falling_back(OTHER_WAY, service("work"))
    play.start()

    play.break_down("work", "timeout")

    assert [each.node for each in play.issued(c.RaiseIncident)] == ["work"]
