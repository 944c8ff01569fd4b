"""Sub-processes and loops."""

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
    output,
    process,
    service,
    start,
    timer,
)

DECLARED = '<error id="e1" errorCode="no_funds"/><escalation id="x" escalationCode="slow"/>'


def sub(*parts: str, extra: str = "", inner: str = "") -> str:
    return node("subProcess", "sub", inner + "".join(parts), extra)


def test_sub_process_is_left_when_all_inside_is_done():
    play = Player(
        process(
            start(),
            sub(
                start("in"),
                service("a"),
                service("b"),
                end("out"),
                flow("in > a > out"),
                flow("in > b > out"),
            ),
            service("after"),
            end(),
            flow("start > sub > after > end"),
        )
    )

    play.start()
    assert play.waiting == ["a", "b", "sub"]
    play.complete("a")
    assert play.waiting == ["b", "sub"]
    play.complete("b")

    assert play.waiting == ["after"]
    assert [scope.id for scope in play.state.scopes] == ["s0"]


def test_inputs_of_a_sub_process_stay_inside_it():
    play = Player(
        process(
            start(),
            sub(
                start("in"),
                service("a", output("limit", "= 7") + output("found", "= limit")),
                end("out"),
                flow("in > a > out"),
                extra='<f:input name="limit" value="= 3"/>' + output("kept", "= result.limit"),
            ),
            end(),
            flow("start > sub > end"),
        )
    )
    play.start(limit=1)

    play.complete("a")

    assert play.variables == {"limit": Decimal(1), "found": Decimal(7), "kept": Decimal(7)}


def failing_sub() -> Player:
    return Player(
        process(
            start(),
            sub(
                start("in"),
                node("parallelGateway", "fork"),
                service("a"),
                service("b"),
                end("out"),
                end("wrong", about("error", "e1")),
                flow("in > fork > a > wrong"),
                flow("fork > b > out"),
            ),
            boundary("caught", "sub", about("error", "e1")),
            end(),
            end("handled"),
            flow("start > sub > end"),
            flow("caught > handled"),
            declared=DECLARED,
        )
    )


def test_error_end_inside_is_caught_on_the_border_and_stops_the_rest():
    play = failing_sub()
    play.start()
    other = play.token("b")

    play.complete("a")

    assert play.trail[-1] == "handled"
    assert play.issued(c.CancelService)[0].token == other
    assert play.is_completed


def test_failure_of_work_inside_climbs_to_the_border():
    play = failing_sub()
    play.start()

    play.fail("b", "no_funds")

    assert play.trail[-1] == "handled"
    assert play.is_completed


def test_timer_on_the_border_stops_everything_inside():
    play = Player(
        process(
            start(),
            sub(
                start("in"),
                node("userTask", "a"),
                node("intermediateCatchEvent", "pause", timer("P9D")),
                end("out"),
                flow("in > a > out"),
                flow("in > pause > out"),
            ),
            boundary("late", "sub", timer("P1D")),
            end(),
            end("expired"),
            flow("start > sub > end"),
            flow("late > expired"),
        )
    )
    play.start()

    play.fire("late")

    assert len(play.issued(c.CancelHumanTask)) == 1
    assert len(play.issued(c.CancelTimer)) == 1
    assert play.trail[-1] == "expired"
    assert play.is_completed


def test_escalation_inside_reaches_the_border_without_stopping():
    play = Player(
        process(
            start(),
            sub(
                start("in"),
                node("intermediateThrowEvent", "warn", about("escalation", "x")),
                service("a"),
                end("out"),
                flow("in > warn > a > out"),
            ),
            boundary("told", "sub", about("escalation", "x"), interrupting=False),
            end(),
            end("noted"),
            flow("start > sub > end"),
            flow("told > noted"),
            declared=DECLARED,
        )
    )

    play.start()

    assert "noted" in play.trail
    assert play.waiting == ["a", "sub"]


def test_terminate_inside_ends_the_sub_process_only():
    play = Player(
        process(
            start(),
            sub(
                start("in"),
                node("parallelGateway", "fork"),
                service("a"),
                end("stop", "<terminateEventDefinition/>"),
                end("out"),
                flow("in > fork > a > out"),
                flow("fork > stop"),
            ),
            service("after"),
            end(),
            flow("start > sub > after > end"),
        )
    )

    play.start()

    assert play.waiting == ["after"]
    assert play.state.status is Status.RUNNING


def loop(*, sequential: bool = False, completion: str = "") -> Player:
    flag = "true" if sequential else "false"
    marker = (
        f'<multiInstanceLoopCharacteristics isSequential="{flag}"><extensionElements>'
        '<f:loop collection="= payments" item="payment" into="receipts" result="= result.id"/>'
        f"</extensionElements>{completion}</multiInstanceLoopCharacteristics>"
    )
    task = service("pay", '<f:input name="sum" value="= payment.sum"/>', marker)
    return Player(process(start(), task, end(), flow("start > pay > end")))


def test_parallel_loop_asks_for_all_and_keeps_results_in_order():
    play = loop()
    play.start(payments=[{"sum": 1}, {"sum": 2}, {"sum": 3}])
    calls = play.issued(c.CallService)
    assert [call.inputs["sum"] for call in calls] == [1, 2, 3]
    assert len({call.visit for call in calls}) == 3

    for call in reversed(calls):
        play.send(e.TaskCompleted(call.token, {"id": f"r{call.inputs['sum']}"}))

    assert play.variables["receipts"] == ("r1", "r2", "r3")
    assert play.is_completed


def test_sequential_loop_asks_one_after_the_other():
    play = loop(sequential=True)
    play.start(payments=[{"sum": 1}, {"sum": 2}])

    (first,) = play.issued(c.CallService)
    play.send(e.TaskCompleted(first.token, {"id": "a"}))
    (second,) = play.issued(c.CallService)
    play.send(e.TaskCompleted(second.token, {"id": "b"}))

    assert (first.inputs["sum"], second.inputs["sum"]) == (1, 2)
    assert play.variables["receipts"] == ("a", "b")


def test_loop_over_nothing_is_passed():
    play = loop()

    play.start(payments=[])

    assert play.variables["receipts"] == ()
    assert play.is_completed


def test_loop_without_a_list_is_an_incident():
    play = loop()

    play.start(payments="none")

    assert play.issued(c.RaiseIncident)[0].code == "loop_has_no_items"


def test_completion_condition_calls_the_rest_off():
    condition = "<completionCondition>numberOfCompletedInstances &gt;= 1</completionCondition>"
    play = loop(completion=condition)
    play.start(payments=[{"sum": 1}, {"sum": 2}, {"sum": 3}])

    play.send(e.TaskCompleted(play.issued(c.CallService)[1].token, {"id": "second"}))

    assert len(play.issued(c.CancelService)) == 2
    assert play.variables["receipts"] == (None, "second", None)
    assert play.is_completed


def test_failure_of_one_item_reaches_the_guard_of_the_whole_loop():
    marker = (
        '<multiInstanceLoopCharacteristics><extensionElements><f:loop collection="= [1, 2]"/>'
        "</extensionElements></multiInstanceLoopCharacteristics>"
    )
    play = Player(
        process(
            start(),
            service("pay", "", marker),
            boundary("caught", "pay", about("error", "e1")),
            end(),
            end("handled"),
            flow("start > pay > end"),
            flow("caught > handled"),
            declared=DECLARED,
        )
    )
    play.start()
    first, second = play.issued(c.CallService)

    play.send(e.TaskFailed(first.token, e.FailureKind.BUSINESS, "no_funds"))

    assert [each.token for each in play.issued(c.CancelService)] == [second.token]
    assert play.trail[-1] == "handled"
    assert play.is_completed
    assert [scope.id for scope in play.state.scopes] == ["s0"]


MARKER = (
    '<multiInstanceLoopCharacteristics isSequential="false"><extensionElements>'
    '<f:loop collection="= payments" item="payment"/>'
    "</extensionElements></multiInstanceLoopCharacteristics>"
)


def test_loop_of_sub_processes_keeps_each_items_variables_apart():
    play = Player(
        process(
            start(),
            sub(
                start("in"),
                service("a", '<f:input name="sum" value="= payment * loopCounter"/>'),
                service("b", '<f:input name="sum" value="= payment"/>'),
                end("out"),
                flow("in > a > b > out"),
                inner=MARKER,
            ),
            end(),
            flow("start > sub > end"),
        )
    )
    play.start(payments=[10, 20])
    first, second = play.issued(c.CallService)
    assert [first.inputs["sum"], second.inputs["sum"]] == [10, 40]

    play.send(e.TaskCompleted(second.token))
    assert play.issued(c.CallService)[0].inputs["sum"] == 20
    play.complete("b")
    assert not play.is_completed
    play.send(e.TaskCompleted(first.token))
    assert play.issued(c.CallService)[0].inputs["sum"] == 10
    play.complete("b")

    assert play.is_completed
    assert "payment" not in play.variables


def test_loop_of_called_processes_waits_for_all():
    task = node("callActivity", "work", MARKER, calledElement="child")
    play = Player(process(start(), task, end(), flow("start > work > end")))
    play.start(payments=[1, 2])
    children = play.issued(c.StartChild)

    for child in children:
        assert not play.is_completed
        play.send(e.ChildCompleted(child.token))

    assert len(children) == 2
    assert play.is_completed


def test_loop_without_a_way_out_stops_its_owner_and_goes_on_later():
    task = service("pay", "", MARKER)
    play = Player(process(start(), task, end(), flow("start > pay"), flow("pay > end", "is_open")))
    play.start(payments=[1])

    play.send(e.TaskCompleted(play.issued(c.CallService)[0].token))
    assert play.issued(c.RaiseIncident)[0].code == "no_flow_holds"
    assert [scope.id for scope in play.state.scopes] == ["s0"]
    play.send(e.VariablesCorrected({"is_open": True}))
    play.send(e.IncidentResolved(play.token("pay"), e.Resolution.RETRY))

    assert play.is_completed


def test_timer_on_the_border_stops_a_loop_inside_with_all_its_items():
    play = Player(
        process(
            start(),
            sub(start("in"), service("pay", "", MARKER), end("out"), flow("in > pay > out")),
            boundary("late", "sub", timer("P1D")),
            end(),
            end("expired"),
            flow("start > sub > end"),
            flow("late > expired"),
        )
    )
    play.start(payments=[1, 2, 3])

    play.fire("late")

    assert len(play.issued(c.CancelService)) == 3
    assert play.is_completed
    assert play.state.tokens == ()
    assert [scope.id for scope in play.state.scopes] == ["s0"]
