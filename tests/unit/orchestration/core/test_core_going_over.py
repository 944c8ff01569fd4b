"""Going over to another version with event sub-processes, loops, choices and things to undo."""

from dataclasses import replace

import pytest

from orchestration.core import MigrationRefused, Verdict, judge, migrate
from orchestration.core import commands as c
from orchestration.core import events as e
from orchestration.core.state import Trigger
from tests.conformance.elements.catalogue import DECLARED, event_sub, sub, undone, when
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
    timer,
)

STRAIGHT = flow("start > work > end")
ROUNDS = '<standardLoopCharacteristics loopMaximum="3"/>'


def version(*parts: str):
    return process(start(), *parts, end(), STRAIGHT, declared=DECLARED)


def running(definition, **variables) -> Player:
    play = Player(definition)
    play.start(**variables)
    return play


def go_over(play: Player, new, mapping=None):
    step = migrate(old=play.definition, new=new, state=play.state, at=NOON, mapping=mapping or {})
    moved = Player(new)
    moved.state = step.state
    moved._prove = lambda before: None  # Its history began in another version.
    return step, moved


PLAIN = version(service("work"))
HEARING = version(service("work"), event_sub(about("message", "m")))


def test_event_sub_process_of_the_new_version_begins_to_listen():
    step, moved = go_over(running(PLAIN), HEARING)

    assert [type(each) for each in step.commands] == [c.SubscribeMessage]
    moved.send(e.MessageReceived("paid"))
    assert moved.waiting == ["extra", "handle"]


def test_event_sub_process_that_is_gone_stops_listening():
    step, moved = go_over(running(HEARING), PLAIN)

    assert [type(each) for each in step.commands] == [c.Unsubscribe]
    assert moved.state.subscriptions == ()


def test_event_sub_process_both_have_keeps_its_ear():
    step, moved = go_over(running(HEARING), HEARING)

    assert step.commands == ()
    assert len(moved.state.subscriptions) == 1


def test_event_sub_process_under_way_needs_its_place():
    play = running(HEARING)
    play.send(e.MessageReceived("paid"))

    assert judge(old=HEARING, new=PLAIN, state=play.state).verdict is Verdict.NEEDS_MAPPING
    assert judge(old=HEARING, new=HEARING, state=play.state).verdict is Verdict.SAFE


def guarded(trigger: str, *, interrupting: bool = False):
    guard = boundary("b", "work", trigger, interrupting=interrupting)
    return version(service("work"), guard, end("e2"), flow("b > e2"))


def test_condition_asks_what_the_new_version_asks():
    step, moved = go_over(running(guarded(when("x = 1")), x=0), guarded(when("x = 2")))

    assert step.commands == ()
    moved.send(e.VariablesCorrected({"x": 1}))
    assert "b" not in moved.trail
    moved.send(e.VariablesCorrected({"x": 2}))
    assert "b" in moved.trail


def test_guard_that_waits_for_something_else_now_is_armed_anew():
    step, moved = go_over(running(guarded(timer("PT1H"))), guarded(when("x = 1")))

    assert [type(each) for each in step.commands] == [c.CancelTimer]
    assert [each.trigger for each in moved.state.subscriptions] == [Trigger.CONDITION]


def test_loop_in_one_version_only_blocks():
    looped = version(node("userTask", "work", ROUNDS))
    single = version(node("userTask", "work"))
    play = running(looped)

    assert judge(old=looped, new=single, state=play.state).verdict is Verdict.BLOCKED
    assert judge(old=looped, new=looped, state=play.state).verdict is Verdict.SAFE


def offering(*names: str):
    inner = "".join(node("userTask", name) for name in names)
    return version(sub(inner, tag="adHocSubProcess"))


def test_changed_choice_is_offered_again():
    old, new = offering("one"), offering("one", "two")

    step, moved = go_over(running(old), new)

    (offer,) = step.commands
    assert isinstance(offer, c.OfferActivities)
    assert offer.activities == ("one", "two")
    assert moved.send(e.ActivityChosen(offer.token, "two")).ignored is None
    assert go_over(running(old), old)[0].commands == ()


def booked(name: str, undo: str):
    parts = undone(name).replace(f"undo-{name}", undo)
    back = node("intermediateThrowEvent", "back", about("compensate"))
    inner = start("in") + parts + end("out") + flow(f"in > {name} > out")
    ways = flow("start > work > wait > back > end")
    whole = (sub(inner), node("userTask", "wait"), back)
    return process(start(), *whole, end(), ways, declared=DECLARED)


def test_what_can_be_undone_goes_over_with_its_names():
    old, new = booked("book", "undo"), booked("reserve", "release")
    play = running(old)
    play.complete("book")

    assert judge(old=old, new=new, state=play.state).verdict is Verdict.NEEDS_MAPPING
    mapping = {"book": "reserve", "undo": "release", "c-book": "c-reserve"}
    step, moved = go_over(play, new, mapping)
    moved.complete("wait")

    assert step.commands == ()
    assert "release" in moved.waiting


def test_refused_move_changes_nothing():
    play = running(version(node("userTask", "work", ROUNDS)))
    before = replace(play.state)

    with pytest.raises(MigrationRefused):
        go_over(play, version(node("userTask", "work")))

    assert play.state == before
