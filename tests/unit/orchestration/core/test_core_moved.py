"""A person moves a token: its work is called off and it enters the other node, or nothing moves."""

import pytest

from orchestration.core import commands as c
from orchestration.core.events import TokenMoved
from orchestration.core.history import TokenMovedByHand
from tests.unit.orchestration.core.stage import Player, end, flow, node, process, service, start


def two_tasks() -> Player:
    inner = node("subProcess", "inside", start("is") + service("deep") + flow("is > deep"))
    steps = flow("start > first > second > inside > end")
    play = Player(process(start(), service("first"), service("second"), inner, end(), steps))
    play.start()
    return play


def test_a_moved_token_calls_off_its_work_and_enters_the_other_node():
    play = two_tasks()

    step = play.send(TokenMoved(play.token("first"), "second", moved_by="eva"))

    assert play.issued(c.CancelService)[0].node == "first"
    assert [call.node for call in play.issued(c.CallService)] == ["second"]
    moved = [entry for entry in step.history if isinstance(entry, TokenMovedByHand)]
    assert [(entry.node, entry.target, entry.by) for entry in moved] == [("first", "second", "eva")]


@pytest.mark.parametrize(
    ("token", "target", "reason"),
    [
        ("t99", "second", "unknown_token"),
        (None, "nowhere", "not_a_place_to_move_to"),
        (None, "deep", "not_a_place_to_move_to"),
    ],
)
def test_a_token_cannot_be_moved_elsewhere(token, target, reason):
    play = two_tasks()
    before = play.state

    step = play.send(TokenMoved(token or play.token("first"), target))

    assert step.ignored is not None
    assert step.ignored.reason == reason
    assert play.state == before


def test_a_call_activity_says_which_version_it_means():
    bound = node("callActivity", "work", extra='<f:binding version="start"/>', calledElement="p2")
    play = Player(process(start(), bound, end(), flow("start > work > end")))

    play.start()

    assert play.issued(c.StartChild)[0].binding == "start"
