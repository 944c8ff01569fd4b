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
