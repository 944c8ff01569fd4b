"""Deadlines: the earliest binds, what catches them goes on, and a replay finds the same ones."""

from datetime import timedelta

import pytest

from orchestration.core import events as e
from orchestration.core.commands import (
    CallService,
    CancelChild,
    CancelService,
    Complete,
    RaiseIncident,
    StartChild,
)
from orchestration.core.migration import migrate
from orchestration.core.state import Status, Wait
from tests.unit.orchestration.core.stage import (
    NOON,
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

LATE = '<error id="late" errorCode="deadline_exceeded"/>'


def within(text):
    return f'<f:deadline within="{text}"/>'


def of_process(text):
    return f"<extensionElements>{within(text)}</extensionElements>"


def asks(own="", whole="", *, caught=False):
    parts = [start(), service("ask", within(own) if own else ""), end(), flow("start > ask > end")]
    if whole:
        parts.insert(0, of_process(whole))
    if caught:
        parts += [
            boundary("too_late", "ask", about("error", "late")),
            service("tell"),
            end("told"),
            flow("too_late > tell > told"),
        ]
    return process(*parts, declared=LATE if caught else "")


def calls(own="", whole="", *, caught=False):
    call = node("callActivity", "call", extra=within(own) if own else "", calledElement="other")
    parts = [of_process(whole)] if whole else []
    parts += [start(), call, end(), flow("start > call > end")]
    if caught:
        parts += [
            boundary("too_late", "call", about("error", "late")),
            end("told"),
            flow("too_late > told"),
        ]
    return process(*parts, declared=LATE if caught else "")


def began(definition, given=None):
    player = Player(definition)
    player.send(e.Started(deadline=given))
    return player


def until(player, kind=CallService):
    return player.issued(kind)[0].deadline


def test_a_step_without_a_deadline_has_none():
    player = began(asks())

    assert until(player) is None
    assert player.state.timers == ()


@pytest.mark.parametrize(
    ("own", "whole", "given", "expected"),
    [
        ("PT10S", "", None, 10),
        ("", "PT20S", None, 20),
        ("", "", 30, 30),
        ("PT10S", "PT20S", 30, 10),
        ("PT20S", "PT10S", 30, 10),
        ("PT20S", "PT30S", 10, 10),
        ("= duration(&quot;PT5S&quot;)", "", None, 5),
    ],
)
def test_the_earliest_of_its_own_its_processs_and_its_callers_binds(own, whole, given, expected):
    given_at = NOON + timedelta(seconds=given) if given else None

    player = began(asks(own, whole), given_at)

    assert until(player) == NOON + timedelta(seconds=expected)
    assert [each.due_at for each in player.state.timers] == [until(player)]


def test_its_own_deadline_counts_from_its_beginning_and_its_processs_from_the_start():
    player = Player(
        process(
            of_process("PT60S"),
            start(),
            service("first"),
            service("second", within("PT30S")),
            end(),
            flow("start > first > second > end"),
        )
    )
    player.start()
    player.wait(seconds=20)

    player.complete("first")

    assert until(player) == NOON + timedelta(seconds=50)


def test_an_answer_in_time_ends_the_deadline():
    player = began(asks("PT10S"))

    player.wait(seconds=9)
    player.complete("ask")

    assert player.is_completed
    assert player.state.timers == ()


def test_a_deadline_that_passes_is_an_incident_and_the_work_is_called_off():
    player = began(asks("PT10S"))

    player.fire("ask")

    assert [each.code for each in player.issued(RaiseIncident)] == ["deadline_exceeded"]
    assert [each.node for each in player.issued(CancelService)] == ["ask"]
    assert player.state.timers == ()


def test_what_catches_the_error_goes_on_and_nobody_is_disturbed():
    player = began(asks("PT10S", caught=True))

    player.fire("ask")

    assert player.waiting == ["tell"]
    assert player.issued(RaiseIncident) == []
    assert [each.node for each in player.issued(CancelService)] == ["ask"]


def test_what_the_drawing_does_about_its_processs_deadline_is_not_bound_by_it():
    player = began(asks("", "PT10S", caught=True))

    player.fire("ask")

    assert until(player) is None
    player.complete("tell")
    assert player.is_completed


def test_a_process_whose_own_step_was_late_stays_bound():
    player = began(asks("PT10S", "PT60S", caught=True))

    player.fire("ask")

    assert until(player) == NOON + timedelta(seconds=60)


def test_a_step_reached_after_the_deadline_of_its_process_is_not_asked_for():
    player = Player(
        process(
            of_process("PT10S"),
            start(),
            node("userTask", "look"),
            service("ask"),
            end(),
            flow("start > look > ask > end"),
        )
    )
    player.start()
    player.wait(days=1)

    player.complete("look")

    assert player.issued(CallService) == []
    assert [each.code for each in player.issued(RaiseIncident)] == ["deadline_exceeded"]


def test_an_attempt_that_could_not_begin_in_time_ends_like_a_deadline_that_passed():
    player = began(asks("PT10S", caught=True))

    late = e.TaskFailed(player.token("ask"), e.FailureKind.DEADLINE, "deadline_exceeded", "")
    player.send(late)

    assert player.waiting == ["tell"]
    assert player.state.timers == ()


def test_a_person_who_tries_again_gives_the_step_its_time_anew_under_the_same_key():
    player = began(asks("PT10S", "PT30S"))
    (asked,) = player.issued(CallService)
    player.fire("ask")
    player.wait(minutes=5)

    player.send(e.IncidentResolved(player.token("ask"), e.Resolution.RETRY))

    (again,) = player.issued(CallService)
    assert (again.node, again.visit) == (asked.node, asked.visit)
    assert again.deadline == player.at + timedelta(seconds=10)
    player.complete("ask")
    assert player.is_completed


def test_a_deadline_behind_an_open_incident_raises_no_second_one():
    player = began(asks("PT10S"))
    player.break_down("ask")

    player.fire("ask")

    assert player.issued(RaiseIncident) == []
    player.send(e.IncidentResolved(player.token("ask"), e.Resolution.RETRY))
    assert until(player) == player.at + timedelta(seconds=10)


def test_a_clock_that_jumps_far_ahead_ends_it_once_and_one_that_falls_back_not_again():
    player = began(asks("PT10S", caught=True))
    player.wait(days=400)
    player.fire("ask")

    player.at = NOON
    player.complete("tell")

    assert player.is_completed


def test_an_answer_after_the_deadline_has_ended_the_visit_is_stale():
    player = began(asks("PT10S", caught=True))
    token = player.token("ask")
    player.fire("ask")

    player.send(e.TaskCompleted(token, {}))

    assert player.last.ignored.reason == "unknown_token"


def test_a_called_process_is_given_what_is_left():
    player = began(calls("PT40S", "PT30S"))

    assert until(player, StartChild) == NOON + timedelta(seconds=30)


def test_a_call_that_is_late_is_called_off_and_caught():
    player = began(calls("PT10S", caught=True))

    player.fire("call")

    assert [each.node for each in player.issued(CancelChild)] == ["call"]
    assert player.is_completed


def test_a_late_call_nobody_catches_is_an_incident_and_trying_again_calls_another():
    player = began(calls("PT10S"))
    (first,) = player.issued(StartChild)
    player.fire("call")
    assert [each.code for each in player.issued(RaiseIncident)] == ["deadline_exceeded"]

    player.send(e.IncidentResolved(player.token("call"), e.Resolution.RETRY))

    (second,) = player.issued(StartChild)
    assert second.visit != first.visit
    assert second.deadline == player.at + timedelta(seconds=10)
    player.send(e.ChildFailed(first.token, "caller_went_on"))
    assert player.last.ignored is not None
    player.complete("call")
    assert player.is_completed


def test_a_called_process_passes_its_callers_deadline_on_and_its_own_becomes_an_incident():
    given = began(asks(), NOON + timedelta(seconds=10))
    given.fire("ask")
    assert [each.code for each in given.issued(Complete)] == ["deadline_exceeded"]
    assert given.state.status is Status.FAILED

    own = began(asks("PT5S"), NOON + timedelta(seconds=10))
    own.fire("ask")
    assert [each.code for each in own.issued(RaiseIncident)] == ["deadline_exceeded"]
    assert own.state.status is Status.RUNNING


@pytest.mark.parametrize("is_caught", [True, False])
def test_a_called_process_that_ended_for_being_late_is_its_callers_deadline(is_caught):
    player = began(calls("PT10S", caught=is_caught))

    player.send(e.ChildFailed(player.token("call"), "deadline_exceeded"))

    assert player.is_completed is is_caught
    assert [each.code for each in player.issued(RaiseIncident)] == (
        [] if is_caught else ["deadline_exceeded"]
    )


def test_what_undoes_something_is_done_however_late_it_is():
    undone = process(
        of_process("PT10S"),
        start(),
        service("book"),
        boundary("undo", "book", "<compensateEventDefinition/>"),
        node(
            "serviceTask", "cancel", "", '<f:task call="action:thing"/>', isForCompensation="true"
        ),
        '<association id="x" sourceRef="undo" targetRef="cancel"/>',
        node("userTask", "look"),
        node("intermediateThrowEvent", "back", "<compensateEventDefinition/>"),
        end(),
        flow("start > book > look > back > end"),
    )
    player = began(undone)
    player.complete("book")
    player.wait(days=1)

    player.complete("look")

    assert player.waiting == ["back", "cancel"]
    assert until(player) is None


def test_each_of_a_repeated_activity_has_its_own_deadline():
    many = process(
        start(),
        service(
            "ask",
            within("PT10S"),
            "<multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality>"
            "</multiInstanceLoopCharacteristics>",
        ),
        end(),
        flow("start > ask > end"),
    )
    player = began(many)

    player.send(e.TaskCompleted(player.issued(CallService)[0].token))

    assert len(player.state.timers) == 1
    (left,) = (each for each in player.state.tokens if each.wait is Wait.SERVICE)
    player.send(e.TaskCompleted(left.id))
    assert player.is_completed


def test_an_instance_keeps_its_deadline_when_it_goes_over_to_another_version():
    old, new = asks("PT10S"), asks("PT90S", caught=True)
    player = began(old)

    step = migrate(old=old, new=new, state=player.state, at=NOON + timedelta(seconds=1))

    assert [each.due_at for each in step.state.timers] == [NOON + timedelta(seconds=10)]


def test_a_deadline_whose_expression_gives_no_time_is_an_incident():
    player = began(asks("= null"))

    assert [each.code for each in player.issued(RaiseIncident)] == ["deadline_has_no_time"]
