"""Activities: what each asks for, and what is kept of the answer."""

from decimal import Decimal

import pytest

from orchestration.core import commands as c
from orchestration.core import events as e
from orchestration.core.history import ExpressionEvaluated, WorkAnswered
from orchestration.core.state import Status, Wait
from orchestration.dmn.result import DecisionResult, DecisionUnknown, MatchedRule
from tests.unit.orchestration.core.stage import (
    Player,
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

STRAIGHT = flow("start > work > end")


def one_task(task: str, declared: str = "") -> Player:
    return Player(process(start(), task, end(), STRAIGHT, declared=declared))


def test_service_task_asks_with_its_inputs_and_keeps_only_named_outputs():
    play = one_task(
        service(
            "work",
            '<f:input name="amount" value="= order.amount * 2"/><f:input name="kind" value="rent"/>'
            '<f:retry attempts="5" backoff="PT2S" jitter="25" limit="PT1M"/>'
            + output("risk", "= result.score"),
            call="model:fraud.payments",
        )
    )

    play.start(order={"amount": 10}, secret="kept")

    (call,) = play.issued(c.CallService)
    assert (call.kind, call.name) == (c.CallKind.MODEL, "fraud.payments")
    assert call.inputs == {"amount": Decimal(20), "kind": "rent"}
    assert call.retry == c.RetryPolicy(5, "PT2S", 25, "PT1M")

    play.complete("work", score=0.25, secret="overwritten")

    assert play.variables["risk"] == Decimal("0.25")
    assert play.variables["secret"] == "kept"
    assert play.is_completed


def test_output_without_value_keeps_the_field_of_its_name():
    play = one_task(service("work", '<f:output name="risk"/>'))
    play.start()

    play.complete("work", risk=3)

    assert play.variables == {"risk": Decimal(3)}


def test_idempotency_pair_stays_on_retry_and_changes_on_a_second_visit():
    play = Player(
        process(
            start(),
            service("work"),
            node("exclusiveGateway", "again", default="again-end"),
            end(),
            flow("start > work > again > end"),
            flow("again > work", "again"),
        )
    )
    play.start(again=True)
    first = play.issued(c.CallService)[0]

    play.break_down("work")
    play.send(e.IncidentResolved(play.token("work"), e.Resolution.RETRY, resolved_by="eva"))
    retried = play.issued(c.CallService)[0]
    play.complete("work")
    second = play.issued(c.CallService)[0]

    assert (retried.node, retried.visit) == (first.node, first.visit)
    assert second.node == first.node
    assert second.visit > first.visit


def test_technical_failure_is_an_incident_and_never_a_path():
    play = one_task(service("work"))
    play.start()

    play.break_down("work", "timeout")

    (incident,) = play.issued(c.RaiseIncident)
    assert (incident.node, incident.code) == ("work", "timeout")
    assert play.state.tokens[0].wait is Wait.INCIDENT
    assert play.state.status is Status.RUNNING


def test_incident_can_be_completed_by_hand():
    play = one_task(service("work", output("paid", "= result.paid")))
    play.start()
    play.break_down("work")

    play.send(e.IncidentResolved(play.token("work"), e.Resolution.COMPLETE, {"paid": True}, "omar"))

    assert play.variables["paid"] is True
    assert play.is_completed


def test_user_task_carries_form_assignment_and_service_level():
    play = one_task(
        node(
            "userTask",
            "work",
            extra='<f:form key="review"/>'
            '<f:assignment roles="fraud_analyst, operations" skills="= needed"'
            ' exclude="= [starter]"/>'
            '<f:sla due="PT4H" warn="PT3H"/><f:output name="approved"/>',
        )
    )
    play.start(needed=["dutch"], starter="employee:7")

    (task,) = play.issued(c.CreateHumanTask)
    assert task.roles == ("fraud_analyst", "operations")
    assert task.skills == ("dutch",)
    assert task.exclude == ("employee:7",)
    assert (task.form, task.due, task.warn, task.title) == ("review", "PT4H", "PT3H", "work")

    play.send(e.UserTaskCompleted(task.token, {"approved": False}, "employee:9"))

    assert play.variables["approved"] is False
    answers = [each for each in play.history if isinstance(each, WorkAnswered)]
    assert answers[-1].by == "employee:9"


@pytest.mark.parametrize(
    "words",
    [
        'roles="a" exclude="= maker.by"',
        'roles="a" exclude="= [maker.by, &quot;employee:1&quot;]"',
        'roles="a" exclude="= [7]"',
        'roles="= maker.role"',
        'roles="= []"',
        'roles="a" skills="= {&quot;dutch&quot;: true}"',
    ],
)
def test_an_assignment_that_gives_no_names_is_an_incident(words):
    play = one_task(node("userTask", "work", extra=f"<f:assignment {words}/>"))

    play.start()

    (incident,) = play.issued(c.RaiseIncident)
    assert (incident.node, incident.code) == ("work", "assignment_invalid")
    assert play.issued(c.CreateHumanTask) == []


def test_an_empty_list_of_who_is_excluded_excludes_nobody():
    play = one_task(node("userTask", "work", extra='<f:assignment roles="a" exclude="= []"/>'))

    play.start()

    assert play.issued(c.CreateHumanTask)[0].exclude == ()


def test_user_task_in_a_lane_falls_to_the_lanes_role():
    play = Player(
        process(
            '<laneSet id="ls"><lane id="l" name="operations">'
            "<flowNodeRef>work</flowNodeRef></lane></laneSet>",
            start(),
            node("userTask", "work"),
            end(),
            STRAIGHT,
        )
    )

    play.start()

    assert play.issued(c.CreateHumanTask)[0].roles == ("operations",)


def test_script_task_computes_feel_and_says_what_it_read():
    play = one_task(
        node(
            "scriptTask", "work", "<script>sum(amounts) * 2</script>", '<f:script result="total"/>'
        )
    )

    play.start(amounts=[1, 2, 3])

    assert play.variables["total"] == Decimal(12)
    (entry,) = [each for each in play.history if isinstance(each, ExpressionEvaluated)]
    assert entry.reads == {"amounts": (Decimal(1), Decimal(2), Decimal(3))}


def test_plain_and_manual_tasks_are_passed():
    for tag in ("task", "manualTask"):
        play = one_task(node(tag, "work"))

        play.start()

        assert play.trail == ["start", "work", "end"]
        assert play.is_completed


class Fees:
    """A decision model of one decision."""

    def evaluate(self, *, decision, inputs, at=None):
        if decision != "fee":
            raise DecisionUnknown(decision)
        rule = MatchedRule("fee", "r2", 2, (("why", "abroad"),))
        return DecisionResult("fee", Decimal(5), (rule,), dict(inputs), ())


def rule_task(reference: str) -> Player:
    play = one_task(
        node("businessRuleTask", "work", extra=f'<f:decision ref="{reference}" result="fee"/>')
    )
    play.decisions = {"fees.dmn": Fees()}
    return play


def test_rule_task_keeps_the_result_and_explains_the_rule():
    play = rule_task("fees.dmn#fee")

    play.start(country="US")

    assert play.variables["fee"] == Decimal(5)
    (entry,) = [each for each in play.history if type(each).__name__ == "DecisionEvaluated"]
    assert entry.inputs == {"country": "US"}
    assert entry.rules[0].rule == "r2"
    assert entry.rules[0].annotations == (("why", "abroad"),)


def test_unknown_decision_is_an_incident_and_sets_nothing():
    for reference in ("fees.dmn#other", "lost.dmn#fee"):
        play = rule_task(reference)

        play.start(country="US")

        assert play.issued(c.RaiseIncident)[0].code == "decision_unknown"
        assert "fee" not in play.variables


def test_send_task_throws_its_message_and_goes_on():
    play = one_task(
        node(
            "sendTask",
            "work",
            extra='<f:input name="text" value="hello"/><f:correlation value="= id"/>',
            messageRef="m",
        ),
        declared='<message id="m" name="greeting"/>',
    )

    play.start(id="A-1")

    (sent,) = play.issued(c.SendMessage)
    assert (sent.name, sent.correlation, sent.payload) == ("greeting", "A-1", {"text": "hello"})
    assert play.is_completed


def test_receive_task_takes_only_its_own_correlation():
    play = one_task(
        node(
            "receiveTask",
            "work",
            extra='<f:correlation value="= id"/>' + output("answer", "= result.text"),
            messageRef="m",
        ),
        declared='<message id="m" name="reply"/>',
    )
    play.start(id="A-1")

    play.send(e.MessageReceived("reply", "A-2", {"text": "wrong"}))
    assert play.last.ignored.reason == "no_subscription"
    play.send(e.MessageReceived("reply", "A-1", {"text": "right"}))

    assert play.variables["answer"] == "right"
    assert play.issued(c.Unsubscribe)
    assert play.is_completed


def call_activity() -> Player:
    return one_task(
        node(
            "callActivity",
            "work",
            extra='<f:input name="amount" value="= amount"/>' + output("done", "= result.ok"),
            calledElement="child",
        )
    )


def test_call_activity_starts_the_child_and_takes_its_result():
    play = call_activity()
    play.start(amount=3)

    (child,) = play.issued(c.StartChild)
    assert (child.process, child.variables) == ("child", {"amount": Decimal(3)})
    play.complete("work", ok=True)

    assert play.variables["done"] is True
    assert play.is_completed


def test_error_of_a_child_ends_the_caller_that_does_not_catch_it():
    play = call_activity()
    play.start(amount=3)

    play.send(e.ChildFailed(play.token("work"), "no_funds"))

    assert play.issued(c.Complete)[0].outcome is c.OutcomeKind.ERROR
    assert (play.state.status, play.state.code) == (Status.FAILED, "no_funds")


def test_cancelling_calls_off_everything_under_way():
    play = one_task(service("work"))
    play.start()

    play.send(e.Cancelled("customer changed their mind", "employee:1"))

    assert [type(each) for each in play.last.commands] == [c.CancelService, c.Complete]
    assert play.state.status is Status.CANCELLED
    assert play.state.tokens == ()


def test_correction_of_variables_helps_a_stuck_decision():
    play = Player(
        process(
            start(),
            node("exclusiveGateway", "which"),
            end("a"),
            end("b"),
            flow("start > which"),
            flow("which > a", "kind = 1"),
            flow("which > b", "kind = 2"),
            is_published=True,
        )
    )
    play.start(kind=3)
    assert play.issued(c.RaiseIncident)[0].code == "no_flow_holds"

    play.send(e.VariablesCorrected({"kind": 2}, "employee:1"))
    play.send(e.IncidentResolved(play.token("which"), e.Resolution.RETRY))

    assert play.trail[-1] == "b"
    assert play.is_completed


def test_called_process_without_name_is_an_incident_until_it_has_one():
    play = one_task(node("callActivity", "work", calledElement="= which"))
    play.start()
    assert play.issued(c.RaiseIncident)[0].code == "process_unknown"

    play.send(e.IncidentResolved(play.token("work"), e.Resolution.RETRY))
    assert play.issued(c.RaiseIncident)[0].code == "process_unknown"
    play.send(e.VariablesCorrected({"which": "child"}))
    play.send(e.IncidentResolved(play.token("work"), e.Resolution.RETRY))

    assert play.issued(c.StartChild)[0].process == "child"


def test_work_that_cannot_be_asked_for_again_stays_an_incident_with_its_guard():
    play = Player(
        process(
            start(),
            node("callActivity", "work", calledElement="= which"),
            boundary("late", "work", timer("PT1H")),
            end(),
            end("expired"),
            STRAIGHT,
            flow("late > expired"),
        )
    )
    play.start(which="child")
    play.send(e.TaskFailed(play.token("work"), e.FailureKind.TECHNICAL, "child_lost", "gone"))
    play.send(e.VariablesCorrected({"which": None}))

    play.send(e.IncidentResolved(play.token("work"), e.Resolution.RETRY))

    assert play.issued(c.RaiseIncident)[0].code == "process_unknown"
    assert len(play.state.timers) == 1
    play.fire("late")
    assert play.trail[-1] == "expired"
    assert play.is_completed


def test_function_made_by_a_script_is_not_kept():
    script = "<script>{double: function(x) x * 2, four: double(2)}</script>"
    play = one_task(node("scriptTask", "work", script, '<f:script result="made"/>'))

    play.start()

    assert play.variables == {"made": {"double": None, "four": Decimal(4)}}
