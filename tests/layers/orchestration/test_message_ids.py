"""A message goes to whoever waits for it before it begins anything; its id says one thing only."""

from uuid import uuid4

import pytest

from orchestration.durable import store
from orchestration.public import (
    DeliveryRefused,
    MessageConflict,
    publish_message,
    receive_message,
    run_due_here,
)
from orchestration.triggers.content import TriggerContent
from tests.layers.orchestration.flows import AT

WAITS = """
<startEvent id="s"/>
<intermediateCatchEvent id="wait"><extensionElements>
<frontline:correlation value="= order"/></extensionElements>
<messageEventDefinition messageRef="m"/></intermediateCatchEvent>
<endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="wait"/>
<sequenceFlow id="b" sourceRef="wait" targetRef="e"/>
"""
NAMED = '<message id="m" name="order.placed"/>'
BEGINS = """
<startEvent id="s"/><endEvent id="e"/><sequenceFlow id="a" sourceRef="s" targetRef="e"/>
"""


@pytest.fixture
def begins(flows):
    """A flow that a message begins."""
    placed = TriggerContent(kind="message", source="order.placed")
    return flows.published(BEGINS, process="begun", triggers={"placed": placed})


def received(key, message_id="7", **payload):
    return receive_message(
        name="order.placed", message_id=message_id, correlation=key, payload=payload, at=AT
    )


def test_message_goes_to_the_flow_that_waits_for_it_and_begins_none(flows, begins):
    waiting = flows.started(flows.published(WAITS, declared=NAMED), order="A")

    assert received("A") == ()
    run_due_here(limit=2)

    assert store.read_instance(waiting).status == "completed"
    # The same message again is known, though nobody waits for it any more.
    assert received("A") == ()


def test_what_a_trigger_does_not_accept_reaches_no_running_flow(flows):
    accepts = {"type": "object", "properties": {"amount": {"maximum": 10}}}
    placed = TriggerContent(kind="message", source="order.placed", accepts=accepts)
    flows.published(BEGINS, process="begun", triggers={"placed": placed})
    waiting = flows.started(flows.published(WAITS, declared=NAMED), order="A")

    with pytest.raises(DeliveryRefused) as refused:
        received("A", amount=1_000)
    run_due_here(limit=2)

    assert refused.value.reason == "payload_refused"
    assert store.read_instance(waiting).status == "running"


def test_message_for_another_order_begins_a_flow_once(flows, begins):
    waiting = flows.started(flows.published(WAITS, declared=NAMED), order="A")

    first, again = received("B"), received("B")

    assert store.read_instance(waiting).status == "running"
    assert [each.is_new for each in (*first, *again)] == [True, False]


def test_id_that_came_with_something_else_is_refused(flows):
    waiting = flows.started(flows.published(WAITS, declared=NAMED), order="A")
    received("B", amount=1)

    with pytest.raises(DeliveryRefused) as refused:
        received("A", amount=1_000)

    assert refused.value.reason == "event_id_reused"
    assert store.read_instance(waiting).status == "running"


@pytest.mark.parametrize("other", [{"name": "x"}, {"correlation": "B"}, {"payload": {"a": 2}}])
def test_published_message_is_not_another_under_its_id(flows, other):
    said = {
        "message_id": uuid4(),
        "name": "order.placed",
        "correlation": "A",
        "payload": {"a": 1},
        "at": AT,
    }
    publish_message(**said)

    assert publish_message(**said).is_new is False
    with pytest.raises(MessageConflict):
        publish_message(**{**said, **other})
