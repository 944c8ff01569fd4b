"""Boundary events and event sub-processes: one case for each, after the specification."""

from datetime import timedelta

import pytest

from orchestration.core import commands as c
from orchestration.core import events as e
from orchestration.core.state import Status
from tests.conformance.elements.catalogue import case, event_sub, play, sub, undone, when
from tests.unit.orchestration.core.stage import (
    NOON,
    about,
    boundary,
    end,
    flow,
    node,
    service,
    start,
    timer,
)

THROW = "intermediateThrowEvent"
STRAIGHT = flow("start > work > end")


def guarded(trigger: str, *, interrupting: bool = True, host: str = "", **variables: object):
    """Draw a task `work` guarded by an event that leads to a task `instead`."""
    guard = boundary("b", "work", trigger, interrupting=interrupting)
    ways = (end("e2"), node("userTask", "instead"), STRAIGHT, flow("b > instead > e2"))
    return play(start(), host or service("work"), guard, end(), *ways, **variables)


def come(player, kind: str) -> None:
    """Let the event come that a guard of a kind waits for."""
    match kind:
        case "timer":
            player.send(e.TimerFired(player.state.timers[0].id))
        case "message":
            player.send(e.MessageReceived("paid"))
        case "signal":
            player.send(e.SignalReceived("bell"))
        case "conditional":
            player.send(e.VariablesCorrected({"over": True}))
        case "error":
            player.fail("work", "no")
        case _:
            player.send(e.EscalationRaised(player.token("work"), "late"))


TRIGGERS = {
    "timer": timer("PT1H"),
    "message": about("message", "m"),
    "signal": about("signal", "s"),
    "conditional": when("over"),
    "error": about("error", "e"),
    "escalation": about("escalation", "u"),
}


@case(*(f"boundaryEvent {kind}" for kind in TRIGGERS))
@case("boundaryEvent")
@pytest.mark.parametrize("kind", TRIGGERS)
def test_interrupting_guard_stops_the_activity(kind):
    player = guarded(TRIGGERS[kind])

    come(player, kind)

    assert player.waiting == ["instead"]
    assert player.state.timers == player.state.subscriptions == ()


@case("boundary not interrupting")
@pytest.mark.parametrize("kind", [each for each in TRIGGERS if each != "error"])
def test_not_interrupting_guard_lets_the_activity_go_on(kind):
    player = guarded(TRIGGERS[kind], interrupting=False)

    come(player, kind)
    assert player.waiting == ["instead", "work"]
    player.complete("work")
    player.complete("instead")

    assert player.is_completed


def test_condition_must_become_false_before_it_is_heard_again():
    player = guarded(when("over"), interrupting=False)

    for over in (True, True, False, True):
        player.send(e.VariablesCorrected({"over": over}))

    assert player.waiting == ["instead", "instead", "work"]


def test_condition_true_from_the_first_keeps_the_work_from_being_asked_for():
    player = guarded(when("over"), over=True)

    assert player.waiting == ["instead"]
    assert player.issued(c.CallService) == []


def test_condition_is_looked_at_when_other_work_changes_a_variable():
    other = node("scriptTask", "other", "<script>true</script>", '<f:script result="over"/>')
    player = play(
        *(start(), node("parallelGateway", "fork"), service("work"), other),
        *(node("intermediateCatchEvent", "pause", timer("PT1H")), end(), end("e2"), end("e3")),
        *(boundary("b", "work", when("over")), flow("b > e3")),
        *(flow("start > fork > work > end"), flow("fork > pause > other > e2")),
    )

    player.fire("pause")

    assert player.is_completed
    assert "e3" in player.trail


def beside(trigger: str, *, interrupting: bool = True, **variables: object):
    """Draw a process with a task `work` and an event sub-process beside it."""
    handler = event_sub(trigger, interrupting=interrupting)
    return play(start(), service("work"), end(), STRAIGHT, handler, **variables)


@case(*(f"event sub-process {kind}" for kind in TRIGGERS))
@pytest.mark.parametrize("kind", TRIGGERS)
def test_interrupting_event_sub_process_takes_its_scope_over(kind):
    player = beside(TRIGGERS[kind])

    come(player, kind)

    assert player.waiting == ["extra", "handle"]
    assert player.state.timers == player.state.subscriptions == ()
    player.complete("handle")
    assert player.is_completed


@case("event sub-process not interrupting")
@pytest.mark.parametrize("kind", [each for each in TRIGGERS if each != "error"])
def test_not_interrupting_event_sub_process_runs_beside_its_scope(kind):
    player = beside(TRIGGERS[kind], interrupting=False)

    come(player, kind)
    assert player.waiting == ["extra", "handle", "work"]
    player.complete("work")
    assert player.state.status is Status.RUNNING
    player.complete("handle")

    assert player.is_completed
    assert player.state.timers == player.state.subscriptions == ()


def test_not_interrupting_event_sub_process_runs_for_every_message():
    player = beside(about("message", "m"), interrupting=False)

    player.send(e.MessageReceived("paid"))
    player.send(e.MessageReceived("paid"))

    assert player.waiting.count("handle") == 2


def test_repeating_timer_of_an_event_sub_process_keeps_its_beat():
    player = beside(timer("R/PT1H", "timeCycle"), interrupting=False)

    player.fire("begun")
    player.fire("begun")

    assert player.waiting.count("handle") == 2
    assert player.state.timers[0].due_at == NOON + timedelta(hours=3)


def test_error_is_caught_inside_before_the_border_and_from_there_goes_outward():
    rethrow = end("handled", about("error", "e"))
    handler = event_sub(about("error", "e"), flow("begun > handled"))
    inner = start("in") + service("deep") + end("out") + flow("in > deep > out")
    host = sub(inner, handler.replace(end("handled"), rethrow))
    player = guarded(about("error", "e"), host=host)

    player.fail("deep", "no")

    assert "handled" in player.trail
    assert player.waiting == ["instead"]


def test_event_sub_process_of_a_sub_process_listens_while_that_runs():
    handler = event_sub(about("message", "m"))
    inner = start("in") + service("deep") + end("out") + flow("in > deep > out")
    ways = flow("start > work > after > end")
    player = play(start(), sub(inner, handler), node("userTask", "after"), end(), ways)

    player.send(e.MessageReceived("paid"))
    player.complete("handle")

    assert player.waiting == ["after"]
    assert player.send(e.MessageReceived("paid")).ignored.reason == "no_subscription"


def test_error_in_the_process_can_undo_what_was_done_before():
    handler = event_sub(
        about("error", "e"),
        node(THROW, "back", about("compensate")),
        flow("begun > back > handled"),
    )
    ways = flow("start > book > work > end")
    player = play(start(), undone("book"), service("work"), end(), ways, handler)
    player.complete("book")

    player.fail("work", "no")

    assert "undo-book" in player.waiting
    player.complete("undo-book")
    assert player.is_completed


@case("event sub-process compensate")
def test_compensation_event_sub_process_undoes_its_sub_process_with_what_it_saw():
    handler = event_sub(
        about("compensate"),
        node(THROW, "inner-back", about("compensate")),
        node("userTask", "handle"),
        flow("begun > inner-back > handle > handled"),
    )
    inner = start("in") + undone("book") + end("out") + flow("in > book > out")
    back = node(THROW, "back", '<compensateEventDefinition activityRef="work"/>')
    ways = flow("start > work > back > end")
    player = play(start(), sub(inner, handler), back, end(), ways)

    player.complete("book")
    assert "undo-book" in player.waiting
    player.complete("undo-book")
    assert "handle" in player.waiting
    player.complete("handle")

    assert player.is_completed


def test_each_item_of_a_loop_is_undone_the_last_first_with_its_own_values():
    loop = (
        "<multiInstanceLoopCharacteristics><extensionElements>"
        '<f:loop collection="= [1, 2]"/></extensionElements></multiInstanceLoopCharacteristics>'
    )
    undo = node(
        "serviceTask",
        "undo",
        extra='<f:task call="action:undo"/><f:input name="item" value="= item"/>',
        isForCompensation="true",
    )
    player = play(
        *(start(), service("work", "", loop), boundary("c", "work", about("compensate")), undo),
        *('<association id="a" sourceRef="c" targetRef="undo"/>', end()),
        *(node(THROW, "back", about("compensate")), flow("start > work > back > end")),
    )
    for token in [each for each in player.state.tokens if each.item is not None]:
        player.send(e.TaskCompleted(token.id))

    asked = [player.issued(c.CallService)[0].inputs["item"]]
    player.complete("undo")
    asked.append(player.issued(c.CallService)[0].inputs["item"])
    player.complete("undo")

    assert asked == [2, 1]
    assert player.is_completed


def test_what_an_undoing_sets_stays_set():
    undo = node(
        "serviceTask",
        "undo",
        extra='<f:task call="action:undo"/><f:output name="paid" value="= false"/>',
        isForCompensation="true",
    )
    player = play(
        *(start(), service("work"), boundary("c", "work", about("compensate")), undo),
        *('<association id="a" sourceRef="c" targetRef="undo"/>', end()),
        *(node(THROW, "back", about("compensate")), flow("start > work > back > end")),
        paid=True,
    )
    player.complete("work")
    player.complete("undo")

    assert player.variables == {"paid": False}
