"""Activities, their markers, and the sub-processes: one case for each, after the specification."""

from decimal import Decimal

from orchestration.core import commands as c
from orchestration.core import events as e
from orchestration.core.state import Status
from orchestration.dmn.result import DecisionResult
from tests.conformance.elements.catalogue import case, one, play, sub, undone
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
)

INSIDE = start("in") + node("userTask", "deep") + end("out") + flow("in > deep > out")
STRAIGHT = flow("start > work > end")


@case("task", "startEvent", "endEvent")
def test_abstract_task_completes_as_soon_as_it_is_activated():
    player = one(node("task", "work"))

    assert player.trail == ["start", "work", "after"]
    player.complete("after")
    assert player.is_completed


@case("manualTask")
def test_manual_task_is_nothing_to_the_engine():
    assert one(node("manualTask", "work")).waiting == ["after"]


@case("userTask")
def test_user_task_completes_when_a_person_did_it():
    player = one(node("userTask", "work"))

    assert player.waiting == ["work"]
    player.complete("work")
    assert player.waiting == ["after"]


@case("serviceTask")
def test_service_task_completes_when_the_service_answered():
    player = one(service("work", output("answer", "= result.x")))

    assert player.waiting == ["work"]
    player.complete("work", x=1)
    assert (player.waiting, player.variables) == (["after"], {"answer": 1})


@case("scriptTask")
def test_script_task_completes_with_its_script():
    player = one(node("scriptTask", "work", "<script>1 + 1</script>", '<f:script result="two"/>'))

    assert (player.waiting, player.variables) == (["after"], {"two": 2})


@case("businessRuleTask")
def test_business_rule_task_completes_with_its_decision():
    class Fees:
        def evaluate(self, *, decision, inputs, at):
            return DecisionResult(decision, Decimal(7), inputs=dict(inputs), matched_rules=())

    rule = node("businessRuleTask", "work", "", '<f:decision ref="fees.dmn#fee" result="fee"/>')
    player = Player(process(start(), rule, end(), STRAIGHT), {"fees.dmn": Fees()})
    player.start()

    assert (player.is_completed, player.variables) == (True, {"fee": 7})


@case("sendTask")
def test_send_task_completes_once_the_message_is_sent():
    player = one(node("sendTask", "work", messageRef="m"))

    assert [each.name for each in player.issued(c.SendMessage)] == ["paid"]
    assert player.waiting == ["after"]


@case("receiveTask")
def test_receive_task_completes_when_the_message_arrives():
    player = one(node("receiveTask", "work", messageRef="m"))

    assert player.waiting == ["work"]
    player.send(e.MessageReceived("paid"))
    assert player.waiting == ["after"]


@case("receive task that begins a process")
def test_receive_task_without_a_way_in_begins_a_process_by_its_message():
    receive = node("receiveTask", "work", messageRef="m", instantiate="true")
    parts = (receive, node("userTask", "after"), end(), flow("work > after > end"))
    player = Player(process(*parts, declared='<message id="m" name="paid"/>'))

    assert player.send(e.Started()).ignored.reason == "unknown_start"
    player.send(e.Started({"n": 1}, start_node="work"))
    assert player.waiting == ["after"]


@case("callActivity")
def test_call_activity_completes_when_the_called_process_does():
    player = one(node("callActivity", "work", calledElement="child"))

    assert [each.process for each in player.issued(c.StartChild)] == ["child"]
    player.complete("work")
    assert player.waiting == ["after"]


@case("subProcess")
def test_sub_process_completes_when_no_token_is_left_inside():
    player = one(sub(INSIDE))

    assert player.waiting == ["deep", "work"]
    player.complete("deep")
    assert player.waiting == ["after"]


LOOP = (
    '<multiInstanceLoopCharacteristics isSequential="{}"><extensionElements>'
    '<f:loop collection="= [1, 2]" into="all" result="= result.x"/></extensionElements>'
    "</multiInstanceLoopCharacteristics>"
)


@case("multi-instance parallel")
def test_parallel_instances_are_all_active_and_all_must_complete():
    player = one(service("work", "", LOOP.format("false")))
    first, second = (each for each in player.state.tokens if each.item is not None)

    player.send(e.TaskCompleted(second.id, {"x": "b"}))
    assert player.waiting.count("work") == 2
    player.send(e.TaskCompleted(first.id, {"x": "a"}))

    assert (player.waiting, player.variables) == (["after"], {"all": ("a", "b")})


@case("multi-instance sequential")
def test_sequential_instances_are_active_one_at_a_time():
    player = one(service("work", "", LOOP.format("true")))

    for value in ("a", "b"):
        (token,) = (each for each in player.state.tokens if each.item is not None)
        player.send(e.TaskCompleted(token.id, {"x": value}))

    assert (player.waiting, player.variables) == (["after"], {"all": ("a", "b")})


def looped(test_before: str, condition: str, maximum: str = "") -> str:
    limit = f' loopMaximum="{maximum}"' if maximum else ""
    return (
        f'<standardLoopCharacteristics testBefore="{test_before}"{limit}>'
        f"<loopCondition>{condition}</loopCondition></standardLoopCharacteristics>"
    )


def rounds_of(element: str, **variables: object) -> int:
    player = one(element, **variables)
    rounds = 0
    while "after" not in player.waiting:
        (token,) = (each for each in player.state.tokens if each.item is not None)
        rounds += 1
        player.send(e.UserTaskCompleted(token.id, {"n": rounds}))
    return rounds


@case("standard loop")
def test_looped_activity_is_repeated_while_its_condition_holds():
    keep = output("n", "= result.n")

    def task(loop: str) -> str:
        return node("userTask", "work", loop, keep)

    assert rounds_of(task(looped("false", "n &lt; 3")), n=0) == 3
    assert rounds_of(task(looped("false", "false")), n=0) == 1
    assert rounds_of(task(looped("true", "false")), n=0) == 0
    assert rounds_of(task(looped("true", "loopCounter &lt; 4")), n=0) == 4
    assert rounds_of(task(looped("false", "true", "5")), n=0) == 5


@case("for compensation")
def test_activity_for_compensation_stands_outside_the_normal_flow():
    player = play(start(), undone("work"), end(), STRAIGHT)

    player.complete("work")

    assert player.is_completed
    assert "undo-work" not in player.trail


CHOICE = node("userTask", "one") + node("userTask", "two") + node("task", "then")


def ad_hoc(condition: str = "", **named: str) -> str:
    text = f"<completionCondition>{condition}</completionCondition>" if condition else ""
    inner = CHOICE + flow("two > then") + text
    return sub(inner, tag="adHocSubProcess", **named)


@case("adHocSubProcess")
def test_ad_hoc_activities_are_performed_in_any_order_any_number_of_times():
    player = one(ad_hoc("done = true"), done=False)
    offer = player.issued(c.OfferActivities)[0]
    assert (offer.activities, offer.is_sequential) == (("one", "two"), False)

    for _ in range(2):
        assert player.send(e.ActivityChosen(offer.token, "one")).ignored is None
    player.send(e.ActivityChosen(offer.token, "two", {"why": "asked"}, chosen_by="agent:1"))
    player.complete("two")
    player.complete("one")
    assert player.waiting == ["one", "work"]
    player.send(e.VariablesCorrected({"done": True}))
    player.complete("one")

    assert player.waiting == ["after"]
    assert "then" in player.trail
    assert player.variables == {"done": True}


def test_ad_hoc_condition_cancels_what_still_runs_or_waits_for_it():
    for cancels, waiting in (("true", ["after"]), ("false", ["two", "work"])):
        player = one(ad_hoc("true", cancelRemainingInstances=cancels))
        token = player.token("work")
        player.send(e.ActivityChosen(token, "one"))
        player.send(e.ActivityChosen(token, "two"))
        player.complete("one")

        assert player.waiting == waiting
        assert len(player.issued(c.WithdrawActivities)) == 1
        refused = player.send(e.ActivityChosen(token, "one")).ignored
        assert refused.reason in {"unknown_token", "not_waiting_for_this"}


def test_sequential_ad_hoc_sub_process_does_one_thing_at_a_time():
    player = one(ad_hoc(ordering="Sequential"))
    token = player.token("work")

    player.send(e.ActivityChosen(token, "two"))
    assert player.send(e.ActivityChosen(token, "one")).ignored.reason == "one_at_a_time"
    assert player.send(e.ActivityChosen(token, "then")).ignored.reason == "not_offered"
    player.complete("two")
    assert player.send(e.ActivityChosen(token, "one")).ignored is None
    player.send(e.ActivitiesEnded(token, "employee:1"))

    assert player.waiting == ["after"]


CANCELLED = (
    start("in")
    + undone("book")
    + undone("pay")
    + node("userTask", "ask")
    + node("parallelGateway", "fork")
    + end("stop", about("cancel"))
    + end("rest")
    + flow("in > book > pay > fork > stop")
    + flow("fork > ask > rest")
)


@case("transaction", "endEvent cancel", "boundaryEvent cancel")
def test_cancelled_transaction_is_undone_and_left_by_its_cancel_event():
    player = play(
        *(start(), sub(CANCELLED, tag="transaction"), end()),
        *(boundary("b", "work", about("cancel")), node("userTask", "sorry"), end("e2")),
        *(STRAIGHT, flow("b > sorry > e2")),
    )
    player.complete("book")
    player.complete("pay")

    assert player.waiting == ["stop", "undo-pay", "work"]
    player.complete("undo-pay")
    assert player.waiting == ["stop", "undo-book", "work"]
    player.complete("undo-book")
    assert player.waiting == ["sorry"]


def test_transaction_that_is_not_cancelled_goes_on():
    inner = start("in") + undone("book") + end("out") + flow("in > book > out")
    player = one(sub(inner, tag="transaction"))

    player.complete("book")

    assert player.waiting == ["after"]
    assert player.state.status is Status.RUNNING
