"""Messages and signals: one receiver a message, everybody a signal, kept until their time is up."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection

from orchestration.durable import engine, messages, store, sweeping
from orchestration.public import broadcast_signal, publish_message
from tests.layers.orchestration.flows import AT, nodes_of

DECLARED = '<message id="paid" name="paid"/><signal id="closing" name="closing"/>'
RECEIVES = """
<startEvent id="s"/>
<intermediateCatchEvent id="wait"><extensionElements>
<frontline:correlation value="= order"/><frontline:output name="amount" value="= result.amount"/>
</extensionElements><messageEventDefinition messageRef="paid"/></intermediateCatchEvent>
<endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="wait"/>
<sequenceFlow id="b" sourceRef="wait" targetRef="e"/>
"""
HEARS = """
<startEvent id="s"/>
<intermediateCatchEvent id="wait"><signalEventDefinition signalRef="closing"/>
</intermediateCatchEvent>
<endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="wait"/>
<sequenceFlow id="b" sourceRef="wait" targetRef="e"/>
"""
BEGINS = """
<startEvent id="s"><{kind}EventDefinition {kind}Ref="{name}"/></startEvent>
<userTask id="look" name="Look"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements></userTask>
<endEvent id="e"/>
<sequenceFlow id="a" sourceRef="s" targetRef="look"/>
<sequenceFlow id="b" sourceRef="look" targetRef="e"/>
"""


def sweep(at=AT):
    return sweeping.sweep(limit=50, clock=lambda: at)


def publish(message_id=None, *, order="A1", at=AT, **more):
    return publish_message(
        message_id=message_id or uuid4(),
        name="paid",
        correlation=order,
        payload={"amount": 7},
        at=at,
        **more,
    )


def instances_of(process):
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orch_instance WHERE process = %s", [process])
        return [row[0] for row in cursor.fetchall()]


@pytest.fixture
def receiver(flows):
    flow = flows.published(RECEIVES, process="receiver", declared=DECLARED)
    return lambda order="A1": flows.started(flow, order=order)


def test_a_message_reaches_the_one_that_waits_for_its_key(receiver):
    right, wrong = receiver("A1"), receiver("B2")

    receipt = publish()
    sweep()

    assert (receipt.state, receipt.instance_id) == ("delivered", right)
    row = store.read_instance(right)
    assert (row.status, row.state.variables["amount"]) == ("completed", 7)
    assert nodes_of(wrong) == {"wait"}
    assert engine.rebuilt_state(right) == row.state


def test_a_message_with_one_id_is_delivered_once(receiver):
    message_id, first = uuid4(), receiver()
    publish(message_id)
    sweep()
    second = receiver()

    again = publish(message_id)
    sweep()

    assert again == messages.MessageReceipt(is_new=False, state="delivered", instance_id=first)
    assert nodes_of(second) == {"wait"}


def test_two_that_wait_for_one_key_get_one_message_each(receiver):
    both = {receiver(), receiver()}

    publish()
    sweep()
    assert sorted(store.read_instance(each).status for each in both) == ["completed", "running"]

    publish()
    sweep()
    assert {store.read_instance(each).status for each in both} == {"completed"}


def test_a_message_nobody_waits_for_yet_is_kept(receiver):
    receipt = publish(at=AT - timedelta(minutes=5))
    assert receipt.state == "waiting"

    instance_id = receiver()

    assert store.read_instance(instance_id).status == "completed"


def test_a_message_nobody_waited_for_in_time_is_recorded_as_undelivered(receiver):
    message_id = uuid4()
    publish(message_id, ttl=timedelta(minutes=1))

    sweep(AT + timedelta(minutes=2))

    assert publish(message_id).state == "undelivered"
    assert nodes_of(receiver()) == {"wait"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT subject FROM orch_event WHERE type = 'message.undelivered'")
        assert cursor.fetchall() == [(f"message:{message_id}",)]


def test_a_message_that_came_too_late_goes_to_the_next(receiver):
    first = receiver()
    publish()
    publish()  # Handed to the same instance, which waits for one only.
    sweep()
    assert store.read_instance(first).status == "completed"

    second = receiver()

    assert store.read_instance(second).status == "completed"


def test_a_message_begins_the_flow_that_starts_with_it_once(flows):
    body = BEGINS.format(kind="message", name="paid")
    flows.published(body, process="begun", declared=DECLARED)
    message_id = uuid4()

    publish(message_id)
    publish(message_id)
    sweep()

    (instance_id,) = instances_of("begun")
    assert nodes_of(instance_id) == {"look"}
    assert store.read_instance(instance_id).state.variables["amount"] == 7


def test_a_signal_is_heard_by_all_and_begins_what_starts_with_it(flows):
    listening = flows.published(HEARS, process="hears", declared=DECLARED)
    both = [flows.started(listening) for _ in range(2)]
    begins = BEGINS.format(kind="signal", name="closing")
    flows.published(begins, process="woken", declared=DECLARED)
    signal_id = uuid4()

    heard = broadcast_signal(signal_id=signal_id, name="closing", payload={}, at=AT)
    again = broadcast_signal(signal_id=signal_id, name="closing", payload={}, at=AT)
    sweep()

    assert (heard, again) == (3, 0)
    assert {store.read_instance(each).status for each in both} == {"completed"}
    assert len(instances_of("woken")) == 1


def test_a_signal_is_kept_for_nobody(flows):
    flow = flows.published(HEARS, process="hears", declared=DECLARED)
    assert broadcast_signal(signal_id=uuid4(), name="closing", payload={}, at=AT) == 0

    instance_id = flows.started(flow)
    sweep()

    assert nodes_of(instance_id) == {"wait"}
