"""Events in the flow: starts, intermediate events and ends, one case for each."""

from datetime import timedelta

import pytest

from orchestration.core import commands as c
from orchestration.core import events as e
from orchestration.core import openings, opens
from orchestration.core.state import Status
from tests.conformance.elements.catalogue import (
    DECLARED,
    case,
    link,
    one,
    play,
    sub,
    undone,
    when,
)
from tests.unit.orchestration.core.stage import (
    NOON,
    Player,
    about,
    boundary,
    end,
    flow,
    node,
    process,
    start,
    timer,
)

CATCH, THROW = "intermediateCatchEvent", "intermediateThrowEvent"
STRAIGHT = flow("start > work > end")


def begun_by(trigger: str) -> Player:
    begun = node("startEvent", "begun", trigger)
    after = node("userTask", "after")
    parts = (start(), begun, after, end(), flow("start > end"), flow("begun > after > end"))
    return Player(process(*parts, declared=DECLARED))


@case("startEvent message", "startEvent signal", "startEvent timer")
@pytest.mark.parametrize(
    "trigger", [about("message", "m"), about("signal", "s"), timer("R/PT1H", "timeCycle")]
)
def test_process_begins_at_the_start_whose_event_came(trigger):
    player = begun_by(trigger)

    assert [each.node for each in openings(player.definition)] == ["begun"]
    player.send(e.Started({"n": 1}, start_node="begun"))

    assert (player.waiting, player.variables) == (["after"], {"n": 1})


@case("startEvent conditional")
def test_process_begins_when_its_condition_becomes_true():
    player = begun_by(when("balance &lt; 0"))
    (opening,) = openings(player.definition)

    assert not opens(player.definition, opening, {"balance": 5}, NOON)
    assert opens(player.definition, opening, {"balance": -5}, NOON)
    player.send(e.Started({"balance": -5}, start_node=opening.node))
    assert player.waiting == ["after"]


@case("intermediateCatchEvent")
@case("intermediateCatchEvent timer")
def test_timer_lets_the_token_go_on_when_it_is_due():
    player = one(node(CATCH, "work", timer("PT1H")))

    assert player.issued(c.ArmTimer)[0].due_at == NOON + timedelta(hours=1)
    player.fire("work")
    assert player.waiting == ["after"]


@case("intermediateCatchEvent message")
def test_message_lets_one_token_go_on():
    player = one(node(CATCH, "work", about("message", "m")))

    player.send(e.MessageReceived("paid"))

    assert player.waiting == ["after"]
    assert player.send(e.MessageReceived("paid")).ignored is not None


@case("intermediateCatchEvent signal")
def test_signal_lets_the_token_go_on():
    player = one(node(CATCH, "work", about("signal", "s")))

    player.send(e.SignalReceived("bell"))

    assert player.waiting == ["after"]


@case("intermediateCatchEvent conditional")
def test_condition_lets_the_token_go_on_once_variables_make_it_true():
    player = one(node(CATCH, "work", when("stock &gt; 0")), stock=0)

    assert player.waiting == ["work"]
    player.send(e.VariablesCorrected({"stock": 0}))
    assert player.waiting == ["work"]
    player.send(e.VariablesCorrected({"stock": 3}))
    assert player.waiting == ["after"]


def test_condition_that_is_true_already_does_not_hold_the_token():
    assert one(node(CATCH, "work", when("stock &gt; 0")), stock=1).waiting == ["after"]


@case("intermediateCatchEvent link", "intermediateThrowEvent link")
def test_link_goes_on_at_the_catching_link_of_its_name():
    player = play(
        *(start(), node(THROW, "there", link("x")), node(CATCH, "here", link("x"))),
        *(node("userTask", "after"), end(), flow("start > there"), flow("here > after > end")),
    )

    assert player.trail == ["start", "there", "here", "after"]


@case("intermediateThrowEvent")
def test_none_throw_event_does_nothing():
    assert one(node(THROW, "work")).waiting == ["after"]


@case("intermediateThrowEvent message", "endEvent message")
@pytest.mark.parametrize("place", [node(THROW, "work", about("message", "m")), ""])
def test_thrown_message_is_sent_and_the_token_goes_on(place):
    last = end("end", about("message", "m")) if not place else end()
    parts = (start(), place or node("task", "work"), last, STRAIGHT)

    player = play(*parts)

    assert [each.name for each in player.issued(c.SendMessage)] == ["paid"]
    assert player.is_completed


@case("intermediateThrowEvent signal", "endEvent signal")
@pytest.mark.parametrize("place", [node(THROW, "work", about("signal", "s")), ""])
def test_thrown_signal_is_broadcast_and_the_token_goes_on(place):
    last = end("end", about("signal", "s")) if not place else end()

    player = play(start(), place or node("task", "work"), last, STRAIGHT)

    assert [each.name for each in player.issued(c.BroadcastSignal)] == ["bell"]
    assert player.is_completed


@case("intermediateThrowEvent escalation", "endEvent escalation")
@pytest.mark.parametrize("place", [node(THROW, "work", about("escalation", "u")), ""])
def test_escalation_nobody_catches_goes_to_the_caller_and_stops_nothing(place):
    last = end("end", about("escalation", "u")) if not place else end()

    player = play(start(), place or node("task", "work"), last, STRAIGHT)

    assert [each.code for each in player.issued(c.RaiseEscalation)] == ["late"]
    assert player.is_completed


UNDOING = (
    start() + undone("book") + undone("pay"),
    flow("start > book > pay > back > end"),
)


@case("intermediateThrowEvent compensate", "boundaryEvent compensate")
def test_compensation_undoes_completed_activities_last_first_and_once():
    throw = node(THROW, "back", about("compensate")) + node(THROW, "again", about("compensate"))
    player = play(
        UNDOING[0],
        *(throw, end(), flow("start > book > pay > back > again > end")),
    )
    for name in ("book", "pay", "undo-pay", "undo-book"):
        assert name in player.waiting
        player.complete(name)

    assert player.is_completed
    assert player.trail.count("undo-book") == 1


@case("endEvent compensate")
def test_compensation_end_completes_when_all_is_undone():
    player = play(UNDOING[0], end("back", about("compensate")), flow("start > book > pay > back"))
    for name in ("book", "pay", "undo-pay"):
        player.complete(name)

    assert player.state.status is Status.RUNNING
    player.complete("undo-book")
    assert player.is_completed


def test_compensation_that_is_not_waited_for_runs_beside_the_rest():
    throw = node(THROW, "back", '<compensateEventDefinition waitForCompletion="false"/>')
    player = play(UNDOING[0], throw, end(), UNDOING[1])
    player.complete("book")
    player.complete("pay")

    assert "end" in player.trail
    assert player.waiting == ["undo-pay"]
    player.complete("undo-pay")
    player.complete("undo-book")
    assert player.is_completed


@case("endEvent error", "boundaryEvent error")
def test_error_is_caught_on_the_border_of_the_innermost_scope():
    inner = start("in") + end("out", about("error", "e")) + flow("in > out")
    parts = (start(), sub(inner), boundary("b", "work", about("error", "e")), end())
    player = play(*parts, node("userTask", "after"), STRAIGHT, flow("b > after > end"))

    assert player.waiting == ["after"]


def test_error_nobody_catches_ends_the_process():
    player = play(start(), end("end", about("error", "e")), flow("start > end"))

    assert (player.state.status, player.state.code) == (Status.FAILED, "no")


@case("endEvent terminate")
def test_terminate_ends_everything_in_its_scope_without_undoing():
    player = play(
        *(start(), node("parallelGateway", "fork"), node("userTask", "other")),
        *(end("stop", about("terminate")), end()),
        *(flow("start > fork > other > end"), flow("fork > stop")),
    )

    assert player.state.status is Status.TERMINATED
    assert player.state.tokens == ()


BOTH = about("message", "m") + about("signal", "s")


@case("multiple events")
def test_multiple_event_is_caught_by_any_of_its_events_and_throws_all_of_them():
    player = one(node(CATCH, "work", BOTH))
    player.send(e.SignalReceived("bell"))
    assert player.waiting == ["after"]
    assert player.state.subscriptions == ()

    thrown = play(start(), node(THROW, "work", BOTH), end("end", BOTH), STRAIGHT)
    assert len(thrown.issued(c.SendMessage)) == len(thrown.issued(c.BroadcastSignal)) == 2


@case("parallel multiple events")
def test_parallel_multiple_event_needs_all_of_its_events():
    events = BOTH + when("ready")
    player = one(node(CATCH, "work", events, '<f:output name="n"/>', parallelMultiple="true"))

    player.send(e.MessageReceived("paid", payload={"n": 1}))
    assert player.waiting == ["work"]
    assert player.send(e.MessageReceived("paid")).ignored is not None
    player.send(e.VariablesCorrected({"ready": True}))
    assert player.waiting == ["work"]
    player.send(e.SignalReceived("bell"))

    assert (player.waiting, player.variables) == (["after"], {"ready": True, "n": 1})
