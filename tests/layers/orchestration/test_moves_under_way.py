"""Cases moved to another version while something is under way: called, offered, awaited or sent."""

from datetime import timedelta
from uuid import uuid4

import pytest

from orchestration import journeys
from orchestration.core import Verdict
from orchestration.durable import control, engine, store, sweeping
from orchestration.durable.doorbell import database_time
from orchestration.durable.publication import publish
from orchestration.durable.workers import work
from orchestration.effects.carrying import carry_effects_once
from orchestration.public import TaskFilters, complete, publish_message, tasks, verdicts_of
from orchestration.versions import moving
from tests.authority import found_bank
from tests.layers.orchestration.flows import AT, nodes_of
from tests.layers.orchestration.test_across_flows import child_of
from tests.layers.orchestration.test_outside_effects import (  # noqa: F401  (fixtures)
    SOURCES,
    STOP,
    card,
    processor,
    simulator,
)
from tests.layers.orchestration.test_version_moves import asked_to_move
from tests.layers.orchestration.test_versions import (  # noqa: F401  (fixtures)
    decided,
    officer,
    proposer,
)

DECLARED = (
    '<message id="paid" name="paid"/><message id="settled" name="settled"/>'
    '<signal id="bell" name="bell"/>'
)
LOOK = """
<startEvent id="s"/><userTask id="look"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements></userTask><endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="look"/>
<sequenceFlow id="b" sourceRef="look" targetRef="e"/>
"""
CALLER = """
<startEvent id="s"/><callActivity id="call" calledElement="inner"/><endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="call"/>
<sequenceFlow id="b" sourceRef="call" targetRef="e"/>
"""
AD_HOC = """
<startEvent id="s"/>
<adHocSubProcess id="choose" ordering="Sequential" cancelRemainingInstances="true">
<scriptTask id="count" scriptFormat="feel"><extensionElements>
<frontline:script result="counted"/></extensionElements><script>counted + 1</script></scriptTask>
<completionCondition>false</completionCondition></adHocSubProcess><endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="choose"/>
<sequenceFlow id="b" sourceRef="choose" targetRef="e"/>
"""
AWAITS = '<messageEventDefinition messageRef="paid"/>'
KEYED = '<extensionElements><frontline:correlation value="= order"/></extensionElements>'
RECEIVES = f"""
<startEvent id="s"/><intermediateCatchEvent id="wait">{KEYED}{AWAITS}</intermediateCatchEvent>
<endEvent id="e"/><sequenceFlow id="a" sourceRef="s" targetRef="wait"/>
<sequenceFlow id="b" sourceRef="wait" targetRef="e"/>
"""
AFTER_LOOK = f"""{LOOK.replace('targetRef="e"', 'targetRef="wait"')}
<intermediateCatchEvent id="wait">{KEYED}{AWAITS}</intermediateCatchEvent>
<sequenceFlow id="c" sourceRef="wait" targetRef="e"/>
"""
GUARDED = f"""{LOOK}
<boundaryEvent id="guard" attachedToRef="look">{KEYED}{AWAITS}</boundaryEvent>
<endEvent id="out"/><sequenceFlow id="c" sourceRef="guard" targetRef="out"/>
"""
EITHER = f"""
<startEvent id="s"/><eventBasedGateway id="which"/>
<intermediateCatchEvent id="one">{KEYED}{AWAITS}</intermediateCatchEvent>
<intermediateCatchEvent id="two"><timerEventDefinition><timeDuration>PT1H</timeDuration>
</timerEventDefinition></intermediateCatchEvent><endEvent id="e"/><endEvent id="late"/>
<sequenceFlow id="a" sourceRef="s" targetRef="which"/>
<sequenceFlow id="b" sourceRef="which" targetRef="one"/>
<sequenceFlow id="c" sourceRef="which" targetRef="two"/>
<sequenceFlow id="d" sourceRef="one" targetRef="e"/>
<sequenceFlow id="f" sourceRef="two" targetRef="late"/>
"""
MORE = """
<intermediateCatchEvent id="three"><signalEventDefinition signalRef="bell"/>
</intermediateCatchEvent><endEvent id="rung"/>
<sequenceFlow id="g" sourceRef="which" targetRef="three"/>
<sequenceFlow id="h" sourceRef="three" targetRef="rung"/>
"""


@pytest.fixture(autouse=True)
def rules(entity):
    found_bank()
    publish(next(each for each in journeys.flow_sources() if each.process == "change_flow"))


def sweep():
    sweeping.sweep(limit=50, clock=lambda: AT)


@pytest.fixture
def judged(flows, proposer):  # noqa: F811
    """Publish another version of a flow and return it with the verdicts on what is running."""

    def published(old, body, mapping=None, **more):
        new = flows.published(body, **more)
        found = verdicts_of(
            old_digest=old.digest,
            new_digest=new.digest,
            mapping=mapping or {},
            principal=proposer,
        )
        return new, found

    return published


@pytest.fixture
def move(judged, proposer, officer):  # noqa: F811
    """Move what runs in one version to another, once a second person has agreed."""

    def moved(old, body, mapping=None, **more):
        new, found = judged(old, body, mapping, **more)
        asked_to_move(old, new, proposer, mapping)
        decided(officer)
        assert moving.move_agreed_once() == len(found)
        for each in found:
            row = store.read_instance(each.instance_id)
            went = each.verdict is Verdict.SAFE
            assert row.definition == (new.digest if went else old.digest)
            assert engine.rebuilt_state(row.id) == row.state

    return moved


def test_a_called_process_ends_with_a_caller_whose_call_was_renamed(flows, move, employee):
    flows.published(LOOK, process="inner")
    old = flows.published(CALLER)
    caller = flows.started(old)
    sweep()
    called = child_of(caller)

    move(old, CALLER.replace('"call"', '"ask"'), {"call": "ask"})
    control.cancel(instance_id=caller, by=employee.id, reason="Not needed.", at=AT)
    sweep()

    assert store.read_instance(called).status == "cancelled"
    assert tasks(principal=employee, filters=TaskFilters(kind="look")) == ()


def answered(employee, activity):
    (task,) = tasks(principal=employee, filters=TaskFilters(kind="choice"))
    complete(task_id=task.id, principal=employee, answer={"activity": activity}, comment="", at=AT)


def test_a_choice_is_made_where_what_offers_it_was_renamed(flows, move, employee):
    old = flows.published(AD_HOC)
    instance_id = flows.started(old, counted=0)

    move(old, AD_HOC.replace('"choose"', '"pick"'), {"choose": "pick"})
    answered(employee, "count")
    answered(employee, "enough")

    row = store.read_instance(instance_id)
    assert (row.status, row.state.variables["counted"]) == ("completed", 1)


def test_what_a_version_offers_otherwise_is_asked_anew(flows, move, employee):
    old = flows.published(AD_HOC)
    instance_id = flows.started(old, counted=0)
    answered(employee, "count")

    move(old, AD_HOC.replace('"count"', '"tally"'))

    (task,) = tasks(principal=employee, filters=TaskFilters(kind="choice"))
    assert task.form["properties"]["activity"]["enum"] == ["tally", "enough"]
    answered(employee, "tally")
    assert store.read_instance(instance_id).state.variables["counted"] == 2


@pytest.mark.parametrize(
    ("body", "other", "words"),
    [
        (
            RECEIVES,
            RECEIVES.replace('messageRef="paid"', 'messageRef="settled"'),
            "wait awaits settled in the new version, and the case awaits paid",
        ),
        (
            GUARDED,
            GUARDED.replace('messageRef="paid"', 'messageRef="settled"'),
            "guard awaits settled in the new version, and the case awaits paid",
        ),
        (
            EITHER,
            EITHER + MORE,
            "which awaits other events in the new version than the case does",
        ),
    ],
)
def test_what_would_go_on_waiting_for_something_else_stays(flows, judged, body, other, words):
    old = flows.published(body, declared=DECLARED)
    flows.started(old, order="A1")

    _, (found,) = judged(old, other, declared=DECLARED)

    assert (found.verdict, found.words) == (Verdict.BLOCKED, (words,))


def test_one_that_waits_stays_and_one_that_does_not_yet_goes_over(flows, move, employee):
    old = flows.published(AFTER_LOOK, declared=DECLARED)
    waits = flows.started(old, order="A1")
    (task,) = tasks(principal=employee, filters=TaskFilters())
    complete(task_id=task.id, principal=employee, answer={}, comment="", at=AT)
    looks = flows.started(old, order="B2")

    move(old, AFTER_LOOK.replace('messageRef="paid"', 'messageRef="settled"'), declared=DECLARED)

    assert store.read_instance(waits).definition == old.digest
    assert store.read_instance(looks).definition != old.digest
    publish_message(message_id=uuid4(), name="paid", correlation="A1", payload={}, at=AT)
    sweep()
    assert store.read_instance(waits).status == "completed"


def test_a_wait_for_the_same_message_goes_over(flows, move):
    old = flows.published(RECEIVES, declared=DECLARED)
    instance_id = flows.started(old, order="A1")

    move(old, RECEIVES.replace('"wait"', '"await"'), {"wait": "await"}, declared=DECLARED)

    assert nodes_of(instance_id) == {"await"}
    publish_message(message_id=uuid4(), name="paid", correlation="A1", payload={}, at=AT)
    sweep()
    assert store.read_instance(instance_id).status == "completed"


def test_invariant_03_a_step_is_not_renamed_while_its_effect_is_unknown(
    flows,
    judged,
    processor,  # noqa: F811
    card,  # noqa: F811
):
    limited = '<frontline:deadline within="PT2S"/><frontline:retry'
    body = STOP.replace("<frontline:retry", limited)
    old, now = flows.published(body), database_time()
    processor.fault("lose_after")
    flows.started(old, at=now, card=card, reason="stolen", sources=SOURCES)
    carry_effects_once()
    work(clock=lambda: now + timedelta(seconds=5), limit=50)

    # Tried again under another name, it would have another key, and be done twice.
    halted = body.replace('"stop"', '"halt"')
    _, (found,) = judged(old, halted, {"stop": "halt"})

    words = "stop keeps its name until it is known what another system has done for it"
    assert (found.verdict, found.words) == (Verdict.BLOCKED, (words,))
    assert processor.acts(card) == ["stop"]
