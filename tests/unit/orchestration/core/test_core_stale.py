"""An answer that comes late, twice, or to the wrong place is refused, and nothing moves."""

from orchestration.core import events as e
from tests.unit.orchestration.core.stage import Player, end, flow, node, process, start


def test_stale_and_foreign_answers_change_nothing():
    play = Player(process(start(), node("userTask", "work"), end(), flow("start > work > end")))
    assert play.send(e.Cancelled("x")).ignored.reason == "not_started"
    play.start()
    token = play.token("work")

    reasons = [
        play.send(event).ignored.reason
        for event in (
            e.Started(),
            e.TaskCompleted(token),
            e.TaskCompleted("t99"),
            e.TimerFired("m1"),
            e.SignalReceived("s"),
            e.IncidentResolved(token, e.Resolution.RETRY),
        )
    ]
    play.complete("work")
    after = play.send(e.UserTaskCompleted(token)).ignored.reason

    assert reasons == [
        "already_started",
        "not_waiting_for_this",
        "unknown_token",
        "unknown_timer",
        "no_subscription",
        "not_waiting_for_this",
    ]
    assert after == "already_ended"
