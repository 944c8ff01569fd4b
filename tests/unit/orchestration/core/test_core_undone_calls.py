"""Called processes undo for themselves what they did; their caller waits for it."""

from orchestration.core import commands as c
from orchestration.core import events as e
from orchestration.core.state import Status
from tests.unit.orchestration.core.stage import (
    Player,
    boundary,
    end,
    flow,
    node,
    process,
    service,
    start,
)
from tests.unit.orchestration.core.test_core_undoing import CANCELLED, undoable


def caller(*more: str) -> Player:
    """A caller that has booked, and waits for what it has called; then it would pay."""
    play = Player(
        process(
            start(),
            undoable("book"),
            node("callActivity", "call", calledElement="q"),
            service("pay"),
            end(),
            flow("start > book > call > pay > end"),
            *more,
        )
    )
    play.start()
    play.complete("book")
    assert play.waiting == ["call"]
    return play


def test_a_called_process_that_runs_is_told_to_undo_before_what_came_before_it():
    play = caller()

    play.send(CANCELLED)

    assert [each.is_undone for each in play.issued(c.CancelChild)] == [True]
    assert play.waiting == ["call"]
    play.send(e.ChildFailed(play.token("call"), "caller_went_on"))
    assert play.waiting == ["undo-book"]
    play.complete("undo-book")
    assert play.state.status is Status.CANCELLED
    assert "pay" not in play.trail


def test_a_caller_that_did_nothing_itself_ends_after_what_it_has_called():
    play = Player(
        process(
            start(),
            node("callActivity", "call", calledElement="q"),
            end(),
            flow("start > call > end"),
        )
    )
    play.start()

    play.send(CANCELLED)

    assert [each.is_undone for each in play.issued(c.CancelChild)] == [True]
    assert play.state.status is Status.RUNNING
    play.send(e.ChildFailed(play.token("call"), "caller_went_on"))
    assert (play.state.status, play.waiting) == (Status.CANCELLED, [])


def test_a_called_process_that_was_done_before_it_heard_undoes_that_first():
    play = caller()
    play.send(CANCELLED)

    play.send(e.ChildCompleted(play.token("call"), {}, can_be_undone=True))

    assert play.waiting == ["call"]
    play.send(e.ChildFailed(play.token("call"), "caller_went_on"))
    assert play.waiting == ["undo-book"]


def test_a_called_process_that_is_done_undoes_what_it_did_in_its_turn():
    play = caller()
    call = play.token("call")
    play.send(e.ChildCompleted(call, {"found": 1}, can_be_undone=True))
    assert play.waiting == ["pay"]

    play.send(CANCELLED)

    (asked,) = play.issued(c.CancelChild)
    assert (asked.token, asked.node, asked.is_undone) == (call, "call", True)
    assert play.waiting == ["call"]
    play.send(e.ChildFailed(call, "caller_went_on"))
    assert play.waiting == ["undo-book"]
    play.complete("undo-book")
    assert play.state.status is Status.CANCELLED


def test_a_called_process_that_has_nothing_to_undo_is_not_asked():
    play = caller()
    play.complete("call")

    play.send(CANCELLED)

    assert play.issued(c.CancelChild) == []
    assert play.waiting == ["undo-book"]


def test_what_is_drawn_to_undo_a_call_stands_for_what_was_called():
    play = caller(
        boundary("c-call", "call", "<compensateEventDefinition/>"),
        node(
            "serviceTask", "undo-call", "", '<f:task call="action:undo"/>', isForCompensation="true"
        ),
        '<association id="a-call" sourceRef="c-call" targetRef="undo-call"/>',
    )
    play.send(e.ChildCompleted(play.token("call"), {}, can_be_undone=True))

    play.send(CANCELLED)

    assert play.issued(c.CancelChild) == []
    assert play.waiting == ["undo-call"]


def test_each_called_process_of_several_undoes_for_itself_the_last_first():
    play = Player(
        process(
            start(),
            node(
                "callActivity",
                "call",
                '<multiInstanceLoopCharacteristics isSequential="true">'
                "<loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>",
                calledElement="q",
            ),
            service("pay"),
            end(),
            flow("start > call > pay > end"),
        )
    )
    play.start()
    calls = []
    for _ in range(2):
        (command,) = play.issued(c.StartChild)
        calls.append(command.token)
        play.send(e.ChildCompleted(command.token, {}, can_be_undone=True))

    play.send(CANCELLED)

    for token in reversed(calls):
        assert [each.token for each in play.issued(c.CancelChild)] == [token]
        play.send(e.ChildFailed(token, "caller_went_on"))
    assert play.state.status is Status.CANCELLED


ASKED_BY_CALLER = e.CancelledAndUndone("caller_went_on")


def test_a_process_that_is_done_begins_again_to_undo_for_its_caller_alone():
    play = Player(process(start(), undoable("book"), end(), flow("start > book > end")))
    play.start()
    play.complete("book")
    assert play.is_completed

    assert play.send(CANCELLED).ignored.reason == "already_ended"
    play.send(ASKED_BY_CALLER)

    assert (play.state.status, play.waiting) == (Status.RUNNING, ["undo-book"])
    play.complete("undo-book")
    assert (play.state.status, play.state.code) == (Status.CANCELLED, "caller_went_on")
    assert play.send(ASKED_BY_CALLER).ignored.reason == "already_ended"


def test_a_process_that_is_done_and_did_nothing_to_undo_stays_so():
    play = Player(process(start(), service("book"), end(), flow("start > book > end")))
    play.start()
    play.complete("book")

    assert play.send(ASKED_BY_CALLER).ignored.reason == "already_ended"
    assert play.is_completed
