"""Events: waiting, interrupting, throwing, and ending."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from orchestration.core import commands as c
from orchestration.core import events as e
from orchestration.core.state import Status
from tests.unit.orchestration.core.stage import (
    NOON,
    Player,
    about,
    boundary,
    end,
    flow,
    node,
    output,
    process,
    service,
    start,
    timer,
)

DECLARED = (
    '<message id="m" name="cancelled"/><signal id="s" name="closing"/>'
    '<error id="e1" errorCode="no_funds"/><error id="e2" errorCode="denied"/>'
    '<escalation id="x" escalationCode="slow"/>'
)


def guarded(*guards: str, task: str | None = None) -> Player:
    ways = [
        flow(f"{name} > after-{name}") + end(f"after-{name}")
        for name in ("g1", "g2")
        if any(f'id="{name}"' in guard for guard in guards)
    ]
    return Player(
        process(
            start(),
            task or service("work"),
            *guards,
            end(),
            flow("start > work > end"),
            *ways,
            declared=DECLARED,
        )
    )


@pytest.mark.parametrize(
    ("text", "kind", "due"),
    [
        ("PT2H", "timeDuration", NOON + timedelta(hours=2)),
        ("= duration(wait)", "timeDuration", NOON + timedelta(minutes=5)),
        ("2026-03-03T09:00:00+01:00", "timeDate", datetime(2026, 3, 3, 8, tzinfo=UTC)),
        ("= now() + @&quot;P1D&quot;", "timeDate", NOON + timedelta(days=1)),
        ("P1M", "timeDuration", datetime(2026, 4, 2, 12, tzinfo=UTC)),
        ("P2W", "timeDuration", NOON + timedelta(weeks=2)),
        ("PT1.5H", "timeDuration", NOON + timedelta(minutes=90)),
        ("PT0,5M", "timeDuration", NOON + timedelta(seconds=30)),
        ("P1Y2M3DT4H", "timeDuration", datetime(2027, 5, 5, 16, tzinfo=UTC)),
        ("= &quot;P1M1D&quot;", "timeDuration", datetime(2026, 4, 3, 12, tzinfo=UTC)),
        ("R2/P1W", "timeCycle", NOON + timedelta(weeks=1)),
    ],
)
def test_timer_is_due_when_the_drawing_says(text, kind, due):
    play = Player(
        process(
            start(),
            node("intermediateCatchEvent", "pause", timer(text, kind)),
            end(),
            flow("start > pause > end"),
        )
    )

    play.start(wait="PT5M")

    assert play.issued(c.ArmTimer)[0].due_at == due
    play.fire("pause")
    assert play.is_completed


def test_timer_without_time_is_an_incident_that_can_be_retried():
    play = Player(
        process(
            start(),
            node("intermediateCatchEvent", "pause", timer("= wait")),
            end(),
            flow("start > pause > end"),
        )
    )
    play.start(wait="soon")
    assert play.issued(c.RaiseIncident)[0].code == "timer_has_no_time"
    assert play.state.timers == ()

    play.send(e.VariablesCorrected({"wait": "PT1H"}))
    play.send(e.IncidentResolved(play.token("pause"), e.Resolution.RETRY))

    assert play.issued(c.ArmTimer)[0].due_at == NOON + timedelta(hours=1)


def test_interrupting_timer_calls_the_work_off():
    play = guarded(boundary("g1", "work", timer("PT1H")))
    play.start()
    token = play.token("work")

    play.fire("g1")

    assert play.issued(c.CancelService)[0].token == token
    assert play.trail[-1] == "after-g1"
    assert play.is_completed
    assert play.send(e.TaskCompleted(token)).ignored.reason == "already_ended"


def test_work_done_in_time_disarms_its_guards():
    play = guarded(
        boundary("g1", "work", timer("PT1H")), boundary("g2", "work", about("message", "m"))
    )
    play.start()

    play.complete("work")

    assert len(play.issued(c.CancelTimer)) == len(play.issued(c.Unsubscribe)) == 1
    assert play.state.timers == play.state.subscriptions == ()
    assert play.is_completed


def test_reminding_timer_leaves_the_work_alone_and_comes_again():
    play = guarded(boundary("g1", "work", timer("R3/PT1H", "timeCycle"), interrupting=False))
    play.start()

    dues = []
    while play.state.timers:
        dues.append(play.state.timers[0].due_at)
        play.fire("g1")

    assert dues == [NOON + timedelta(hours=hours) for hours in (1, 2, 3)]
    assert play.waiting == ["work"]
    play.complete("work")
    assert play.is_completed
    assert play.trail.count("after-g1") == 3


def test_interrupting_message_takes_over():
    play = guarded(
        boundary("g1", "work", about("message", "m"), extra=output("why", "= result.text"))
    )
    play.start()

    play.send(e.MessageReceived("cancelled", None, {"text": "changed"}))

    assert play.variables["why"] == "changed"
    assert play.trail[-1] == "after-g1"
    assert play.is_completed


def test_not_interrupting_message_is_heard_every_time():
    play = guarded(boundary("g1", "work", about("message", "m"), interrupting=False))
    play.start()

    play.send(e.MessageReceived("cancelled"))
    play.send(e.MessageReceived("cancelled"))

    assert play.trail.count("after-g1") == 2
    assert play.waiting == ["work"]


def test_signal_reaches_every_ear():
    play = Player(
        process(
            start(),
            node("parallelGateway", "fork"),
            node("intermediateCatchEvent", "one", about("signal", "s")),
            node("intermediateCatchEvent", "two", about("signal", "s")),
            end("end-one"),
            end("end-two"),
            flow("start > fork > one > end-one"),
            flow("fork > two > end-two"),
            declared=DECLARED,
        )
    )
    play.start()
    assert len(play.issued(c.SubscribeSignal)) == 2

    play.send(e.SignalReceived("closing"))

    assert play.is_completed


def test_error_goes_to_the_boundary_of_its_code_before_the_one_for_all():
    def play() -> Player:
        guards = (
            boundary("g1", "work", about("error")),
            boundary("g2", "work", about("error", "e2")),
        )
        made = guarded(*guards)
        made.start()
        return made

    exact, other = play(), play()

    exact.fail("work", "denied")
    other.fail("work", "no_funds")

    assert exact.trail[-1] == "after-g2"
    assert other.trail[-1] == "after-g1"
    assert not exact.issued(c.CancelService)


def test_error_boundary_sees_code_and_what_the_failure_carried():
    play = guarded(
        boundary(
            "g1",
            "work",
            about("error", "e2"),
            extra=output("remedy", "= result.remedy") + output("code", "= result.code"),
        )
    )
    play.start()

    play.fail("work", "denied", remedy="call_back")

    assert play.variables == {"remedy": "call_back", "code": "denied"}


def test_error_nobody_catches_ends_the_instance_with_its_code():
    play = guarded(boundary("g1", "work", about("error", "e2")))
    play.start()

    play.fail("work", "no_funds")

    (over,) = play.issued(c.Complete)
    assert (over.outcome, over.code) == (c.OutcomeKind.ERROR, "no_funds")
    assert play.state.status is Status.FAILED


def test_escalation_from_work_in_progress_does_not_stop_it():
    play = guarded(boundary("g1", "work", about("escalation", "x"), interrupting=False))
    play.start()

    play.send(e.EscalationRaised(play.token("work"), "slow"))

    assert play.trail[-1] == "after-g1"
    assert play.waiting == ["work"]


def test_escalation_nobody_catches_goes_to_the_caller():
    play = Player(
        process(
            start(),
            node("intermediateThrowEvent", "warn", about("escalation", "x")),
            end(),
            flow("start > warn > end"),
            declared=DECLARED,
        )
    )

    play.start()

    assert play.issued(c.RaiseEscalation)[0].code == "slow"
    assert play.is_completed


def ending(inner: str, extra: str = "") -> Player:
    return Player(
        process(
            start(),
            node("parallelGateway", "fork"),
            service("other"),
            end("last", inner, extra),
            end(),
            flow("start > fork > other > end"),
            flow("fork > last"),
            declared=DECLARED,
        )
    )


def test_terminate_end_stops_the_other_branch():
    play = ending("<terminateEventDefinition/>")

    play.start()

    assert len(play.issued(c.CancelService)) == 1
    (over,) = play.issued(c.Complete)
    assert (over.outcome, over.code) == (c.OutcomeKind.TERMINATED, "last")


def test_error_end_of_the_process_is_its_outcome():
    play = ending(about("error", "e1"))

    play.start()

    assert (play.state.status, play.state.code) == (Status.FAILED, "no_funds")
    assert play.state.tokens == ()


def test_message_and_signal_ends_throw_and_let_the_rest_run():
    message = ending(about("message", "m"), '<f:input name="id" value="= id"/>')
    signal = ending(about("signal", "s"))

    message.start(id="A")
    signal.start()

    assert message.issued(c.SendMessage)[0].payload == {"id": "A"}
    assert signal.issued(c.BroadcastSignal)[0].name == "closing"
    assert message.waiting == signal.waiting == ["other"]


def test_message_start_is_chosen_by_name():
    definition = process(
        start(),
        start("by-message", about("message", "m")),
        node("userTask", "work"),
        end(),
        flow("start > work > end"),
        flow("by-message > work"),
        declared=DECLARED,
    )
    plain, by_message, wrong = Player(definition), Player(definition), Player(definition)

    plain.start()
    by_message.send(e.Started({"a": 1}, "by-message"))
    wrong.send(e.Started({}, "nowhere"))

    assert plain.trail == ["start", "work"]
    assert by_message.trail == ["by-message", "work"]
    assert by_message.variables == {"a": Decimal(1)}
    assert wrong.last.ignored.reason == "unknown_start"


def test_correlation_without_value_is_an_incident():
    play = Player(
        process(
            start(),
            node(
                "intermediateCatchEvent",
                "reply",
                about("message", "m"),
                '<f:correlation value="= id"/>',
            ),
            end(),
            flow("start > reply > end"),
            declared=DECLARED,
        )
    )

    play.start()

    assert play.issued(c.RaiseIncident)[0].code == "correlation_has_no_value"
    assert play.state.subscriptions == ()
