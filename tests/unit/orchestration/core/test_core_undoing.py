"""Compensation: what was done is undone, the last first, and nothing else."""

from decimal import Decimal

from orchestration.core import commands as c
from orchestration.core import events as e
from orchestration.core.state import Status
from tests.unit.orchestration.core.stage import (
    Player,
    about,
    boundary,
    end,
    flow,
    node,
    process,
    service,
    start,
)


def sub(*parts: str) -> str:
    return node("subProcess", "sub", "".join(parts))


def test_what_a_finished_sub_process_did_is_undone_from_outside():
    undoable = (
        service("book")
        + boundary("c-book", "book", "<compensateEventDefinition/>")
        + node("serviceTask", "undo", "", '<f:task call="action:undo"/>', isForCompensation="true")
        + '<association id="a" sourceRef="c-book" targetRef="undo"/>'
    )
    play = Player(
        process(
            start(),
            sub(start("in"), undoable, end("out"), flow("in > book > out")),
            service("pay"),
            boundary("failed", "pay", about("error")),
            node("endEvent", "back", "<compensateEventDefinition/>"),
            end(),
            flow("start > sub > pay > end"),
            flow("failed > back"),
        )
    )
    play.start()
    play.complete("book")

    play.fail("pay", "no_funds")

    assert [each.name for each in play.issued(c.CallService)] == ["undo"]
    play.complete("undo")
    assert play.is_completed


def compensating(throw: str) -> Player:
    def undone(name: str) -> str:
        return (
            service(name)
            + boundary(f"c-{name}", name, "<compensateEventDefinition/>")
            + node(
                "serviceTask",
                f"undo-{name}",
                "",
                '<f:task call="action:undo"/><f:input name="id" value="= id"/>',
                isForCompensation="true",
            )
            + f'<association id="a-{name}" sourceRef="c-{name}" targetRef="undo-{name}"/>'
        )

    return Player(
        process(
            start(),
            undone("book"),
            undone("pay"),
            node("intermediateThrowEvent", "back", throw),
            end(),
            flow("start > book > pay > back > end"),
        )
    )


def test_compensation_undoes_the_last_first_and_then_goes_on():
    play = compensating("<compensateEventDefinition/>")
    play.start(id=5)
    play.complete("book")
    play.complete("pay")

    assert play.waiting == ["back", "undo-pay"]
    assert play.issued(c.CallService)[0].inputs == {"id": Decimal(5)}
    play.complete("undo-pay")
    assert play.waiting == ["back", "undo-book"]
    play.complete("undo-book")

    assert play.is_completed


def test_compensation_of_one_activity_leaves_the_other():
    play = compensating('<compensateEventDefinition activityRef="book"/>')
    play.start(id=5)
    play.complete("book")
    play.complete("pay")

    assert play.waiting == ["back", "undo-book"]
    play.complete("undo-book")

    assert play.is_completed
    assert "undo-pay" not in play.trail


def test_what_was_not_done_is_not_undone():
    play = Player(
        process(
            start(),
            node("intermediateThrowEvent", "back", "<compensateEventDefinition/>"),
            end(),
            flow("start > back > end"),
        )
    )

    play.start()

    assert play.is_completed


def undoable(name: str) -> str:
    return (
        service(name)
        + boundary(f"c-{name}", name, "<compensateEventDefinition/>")
        + node(
            "serviceTask",
            f"undo-{name}",
            "",
            '<f:task call="action:undo"/>',
            isForCompensation="true",
        )
        + f'<association id="a-{name}" sourceRef="c-{name}" targetRef="undo-{name}"/>'
    )


def two_done_and_waiting() -> Player:
    play = Player(
        process(
            start(),
            undoable("book"),
            undoable("pay"),
            service("send"),
            end(),
            flow("start > book > pay > send > end"),
        )
    )
    play.start()
    play.complete("book")
    play.complete("pay")
    return play


CANCELLED = e.CancelledAndUndone("by mistake", "employee:1")


def test_who_ends_and_undoes_has_all_undone_the_last_first_before_the_end():
    play = two_done_and_waiting()

    play.send(CANCELLED)

    assert [each.node for each in play.issued(c.CancelService)] == ["send"]
    assert play.waiting == ["undo-pay"]
    play.complete("undo-pay")
    assert play.waiting == ["undo-book"]
    assert play.state.status is Status.RUNNING
    play.complete("undo-book")
    assert (play.state.status, play.state.code) == (Status.CANCELLED, "by mistake")


def test_ending_alone_undoes_nothing():
    play = two_done_and_waiting()

    play.send(e.Cancelled("by mistake"))

    assert play.state.status is Status.CANCELLED
    assert play.issued(c.CallService) == []


def test_where_nothing_was_done_it_ends_at_once():
    play = Player(process(start(), undoable("book"), end(), flow("start > book > end")))
    play.start()

    play.send(CANCELLED)

    assert play.state.status is Status.CANCELLED
    assert play.issued(c.CallService) == []


def test_what_cannot_be_undone_waits_for_a_person_and_then_the_rest_is_undone():
    play = two_done_and_waiting()
    play.send(CANCELLED)

    play.break_down("undo-pay", "not_undone")

    assert [each.node for each in play.issued(c.RaiseIncident)] == ["undo-pay"]
    assert play.send(CANCELLED).ignored.reason == "already_undoing"
    play.send(e.IncidentResolved(play.token("undo-pay"), e.Resolution.COMPLETE))
    assert play.waiting == ["undo-book"]
    play.complete("undo-book")
    assert play.state.status is Status.CANCELLED


def test_what_a_running_sub_process_has_done_is_undone_first():
    inside = start("in") + undoable("pay") + service("send") + end("out")
    play = Player(
        process(
            start(),
            undoable("book"),
            sub(inside, flow("in > pay > send > out")),
            end(),
            flow("start > book > sub > end"),
        )
    )
    play.start()
    play.complete("book")
    play.complete("pay")

    play.send(CANCELLED)

    assert play.waiting == ["undo-pay"]
    play.complete("undo-pay")
    assert play.waiting == ["undo-book"]
    play.complete("undo-book")
    assert play.state.status is Status.CANCELLED


def test_what_is_being_undone_already_goes_on_and_is_undone_once():
    play = compensating('<compensateEventDefinition activityRef="book"/>')
    play.start(id=5)
    play.complete("book")
    play.complete("pay")
    assert play.waiting == ["back", "undo-book"]

    play.send(CANCELLED)

    assert play.waiting == ["undo-book"]
    play.complete("undo-book")
    assert play.waiting == ["undo-pay"]
    play.complete("undo-pay")
    assert play.state.status is Status.CANCELLED


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
