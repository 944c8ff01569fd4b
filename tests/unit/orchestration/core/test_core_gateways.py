"""Gateways: which ways are taken, and what a join waits for."""

from decimal import Decimal

import pytest

from orchestration.core import commands as c
from orchestration.core import events as e
from orchestration.core.history import FlowNotTaken, FlowTaken
from tests.unit.orchestration.core.stage import (
    Player,
    about,
    end,
    flow,
    node,
    process,
    service,
    start,
    timer,
)


def choice() -> Player:
    return Player(
        process(
            start(),
            node("exclusiveGateway", "size", default="size-small"),
            node("userTask", "large"),
            node("userTask", "middle"),
            node("userTask", "small"),
            end(),
            flow("start > size"),
            flow("size > large", "= order.amount &gt; 1000"),
            flow("size > middle", "order.amount &gt; 100"),
            flow("size > small"),
            flow("large > end"),
            flow("middle > end"),
            flow("small > end"),
        )
    )


@pytest.mark.parametrize(
    ("amount", "chosen"), [(5000, "large"), (1000, "middle"), (100, "small"), (None, "small")]
)
def test_exclusive_gateway_takes_the_first_condition_that_holds(amount, chosen):
    play = choice()

    play.start(order={"amount": amount})

    assert play.waiting == [chosen]


def test_exclusive_gateway_explains_what_it_read():
    play = choice()

    play.start(order={"amount": 500}, unrelated=1)

    (refused,) = [each for each in play.history if isinstance(each, FlowNotTaken)]
    taken = [each for each in play.history if isinstance(each, FlowTaken)][-1]
    assert (refused.flow, refused.reads) == ("size-large", {"order.amount": Decimal(500)})
    assert (taken.flow, taken.condition, taken.is_default) == (
        "size-middle",
        "order.amount > 100",
        False,
    )
    assert taken.reads == {"order.amount": Decimal(500)}


def test_condition_without_value_says_why_and_falls_to_the_default():
    play = choice()

    play.start(order={"amount": "many"})

    refused = [each for each in play.history if isinstance(each, FlowNotTaken)]
    assert len(refused) == 2
    assert all(each.reasons for each in refused)
    assert play.waiting == ["small"]


def test_condition_that_is_no_boolean_says_so_and_falls_to_the_default():
    play = Player(
        process(
            *(start(), node("exclusiveGateway", "which", default="which-b"), end("a"), end("b")),
            *(flow("start > which > b"), flow("which > a", "answer")),
        )
    )

    play.start(answer="yes")

    (refused,) = [each for each in play.history if isinstance(each, FlowNotTaken)]
    assert refused.reasons == ("not a boolean",)
    assert play.trail[-1] == "b"


def test_parallel_gateway_waits_for_every_branch():
    play = Player(
        process(
            start(),
            node("parallelGateway", "fork"),
            service("a"),
            service("b"),
            node("parallelGateway", "join"),
            end(),
            flow("start > fork > a > join > end"),
            flow("fork > b > join"),
        )
    )

    play.start()
    assert play.waiting == ["a", "b"]
    play.complete("b")
    assert play.waiting == ["a", "join"]
    play.complete("a")

    assert play.is_completed
    assert play.trail.count("end") == 1


def test_activity_with_two_ways_out_takes_both():
    play = Player(
        process(
            start(),
            service("work"),
            end("one"),
            end("two"),
            flow("start > work > one"),
            flow("work > two"),
        )
    )
    play.start()

    play.complete("work")

    assert sorted(play.trail[-2:]) == ["one", "two"]
    assert play.is_completed


def inclusive() -> Player:
    return Player(
        process(
            start(),
            node("inclusiveGateway", "split", default="split-c"),
            service("a"),
            service("b"),
            service("c"),
            node("inclusiveGateway", "join"),
            service("after"),
            end(),
            flow("start > split"),
            flow("split > a", "wants_a"),
            flow("split > b", "wants_b"),
            flow("split > c"),
            flow("a > join > after > end"),
            flow("b > join"),
            flow("c > join"),
        )
    )


def test_inclusive_gateway_takes_every_way_that_holds_and_joins_them():
    play = inclusive()

    play.start(wants_a=True, wants_b=True)
    assert play.waiting == ["a", "b"]
    play.complete("a")
    assert play.waiting == ["b", "join"]
    play.complete("b")

    assert play.waiting == ["after"]
    assert play.trail.count("after") == 1


def test_inclusive_gateway_joins_a_single_way_at_once():
    play = inclusive()

    play.start(wants_a=False, wants_b=False)
    play.complete("c")

    assert play.waiting == ["after"]


def test_inclusive_join_waits_for_a_branch_that_is_far_away():
    play = Player(
        process(
            start(),
            node("inclusiveGateway", "split", default="split-other"),
            service("a"),
            service("b1"),
            service("b2"),
            node("inclusiveGateway", "join"),
            end(),
            end("other"),
            flow("split > other"),
            flow("start > split"),
            flow("split > a", "true"),
            flow("split > b1", "true"),
            flow("a > join > end"),
            flow("b1 > b2 > join"),
        )
    )
    play.start()

    play.complete("a")
    play.complete("b1")
    assert play.waiting == ["b2", "join"]
    play.complete("b2")

    assert play.is_completed


def first_of_two() -> Player:
    return Player(
        process(
            start(),
            node("eventBasedGateway", "which"),
            node(
                "intermediateCatchEvent",
                "paid",
                about("message", "m"),
                '<f:output name="sum" value="= result.sum"/>',
            ),
            node("intermediateCatchEvent", "late", timer("P3D")),
            end("good"),
            end("bad"),
            flow("start > which > paid > good"),
            flow("which > late > bad"),
            declared='<message id="m" name="payment"/>',
        )
    )


def test_event_gateway_follows_the_message_and_drops_the_timer():
    play = first_of_two()
    play.start()
    assert len(play.issued(c.ArmTimer)) == len(play.issued(c.SubscribeMessage)) == 1
    timer_id = play.state.timers[0].id

    play.send(e.MessageReceived("payment", None, {"sum": 12}))

    assert play.variables["sum"] == Decimal(12)
    assert play.trail[-1] == "good"
    assert c.CancelTimer(timer_id) in play.last.commands
    assert play.send(e.TimerFired(timer_id)).ignored.reason == "already_ended"


def test_event_gateway_follows_the_timer_and_closes_the_ear():
    play = first_of_two()
    play.start()

    play.fire("late")

    assert play.trail[-1] == "bad"
    assert len(play.issued(c.Unsubscribe)) == 1
    assert play.is_completed


def test_endless_circle_becomes_an_incident():
    play = Player(
        process(
            start(),
            node("exclusiveGateway", "round", default="round-end"),
            node("task", "turn"),
            end(),
            flow("start > round > end"),
            flow("round > turn", "true"),
            flow("turn > round"),
        )
    )

    play.start()

    assert play.issued(c.RaiseIncident)[0].code == "moves_exhausted"
    assert len(play.state.tokens) == 1
