"""How a flow begins from outside, beyond a message start: each beginning makes one instance."""

from uuid import uuid4

import pytest
from django.db import connection

import nexus.public
from orchestration.durable import store, sweeping
from orchestration.durable.doorbell import database_time
from orchestration.public import (
    DrawingRefused,
    follow_changes_once,
    publish_message,
    run_schedules_once,
)
from orchestration.triggers.content import BatchContent, TriggerContent
from tests.layers.orchestration.flows import AT, nodes_of
from tests.layers.orchestration.test_trigger_sources import note_change

DECLARED = '<message id="order" name="order"/><message id="pay" name="pay"/>'
AFTER = """
<userTask id="look" name="Look"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements></userTask><endEvent id="e"/>
<sequenceFlow id="x" sourceRef="{source}" targetRef="look"/>
<sequenceFlow id="y" sourceRef="look" targetRef="e"/>
"""
RECEIVE = '<receiveTask id="got" messageRef="order" instantiate="true"/>' + AFTER.format(
    source="got"
)
GATEWAY = """
<eventBasedGateway id="g" instantiate="true" eventGatewayType="{kind}"/>
<intermediateCatchEvent id="ordered"><extensionElements><frontline:correlation value="= key"/>
</extensionElements><messageEventDefinition messageRef="order"/></intermediateCatchEvent>
<intermediateCatchEvent id="paid"><extensionElements><frontline:correlation value="= key"/>
</extensionElements><messageEventDefinition messageRef="pay"/></intermediateCatchEvent>
<{join} id="join"/><userTask id="look" name="Look"><extensionElements>
<frontline:assignment roles="operations"/></extensionElements></userTask><endEvent id="e"/>
<sequenceFlow id="a" sourceRef="g" targetRef="ordered"/>
<sequenceFlow id="b" sourceRef="g" targetRef="paid"/>
<sequenceFlow id="c" sourceRef="ordered" targetRef="join"/>
<sequenceFlow id="d" sourceRef="paid" targetRef="join"/>
<sequenceFlow id="x" sourceRef="join" targetRef="look"/>
<sequenceFlow id="y" sourceRef="look" targetRef="e"/>
"""
EITHER = GATEWAY.format(kind="Exclusive", join="exclusiveGateway")
BOTH = GATEWAY.format(kind="Parallel", join="parallelGateway")
START = '<startEvent id="s">{event}</startEvent>' + AFTER.format(source="s")
CONDITION = """<conditionalEventDefinition>
<condition xsi:type="tFormalExpression">{text}</condition></conditionalEventDefinition>"""
TIMER = "<timerEventDefinition><timeCycle>R/PT1H</timeCycle></timerEventDefinition>"
DAILY = TriggerContent(kind="schedule", every="0 6 * * *")


def sent(name, key="A1", message_id=None):
    return publish_message(
        message_id=message_id or uuid4(),
        name=name,
        correlation=key,
        payload={"key": key},
        at=AT,
    )


def sweep():
    sweeping.sweep(limit=50, clock=lambda: AT)


def instances():
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM orch_instance ORDER BY started_at, id")
        return [row[0] for row in cursor.fetchall()]


def test_a_receive_task_that_begins_a_flow_begins_it_once_for_a_message(flows):
    flows.published(RECEIVE, declared=DECLARED)
    message_id = uuid4()

    receipts = [sent("order", message_id=message_id) for _ in range(2)]
    sweep()

    (begun,) = instances()
    assert [each.is_new for each in receipts] == [True, False]
    assert receipts[0].instance_id == begun
    assert nodes_of(begun) == {"look"}
    assert store.read_instance(begun).state.variables["key"] == "A1"


@pytest.mark.parametrize("name", ["order", "pay"])
def test_a_gateway_that_begins_a_flow_begins_it_with_either_message(flows, name):
    flows.published(EITHER, declared=DECLARED)

    sent(name)
    sweep()

    (begun,) = instances()
    assert nodes_of(begun) == {"look"}


@pytest.mark.parametrize("names", [("order", "pay"), ("pay", "order")])
@pytest.mark.parametrize("is_moved_between", [True, False])
def test_a_gateway_that_waits_for_all_begins_once_whenever_the_second_comes(
    flows, names, is_moved_between
):
    flows.published(BOTH, declared=DECLARED)

    first = sent(names[0])
    if is_moved_between:
        sweep()
        assert nodes_of(first.instance_id) != {"look"}
    second = sent(names[1])
    sweep()

    assert instances() == [first.instance_id] == [second.instance_id]
    assert nodes_of(first.instance_id) == {"look"}


def test_messages_of_two_keys_begin_two_that_wait_for_the_rest(flows):
    flows.published(BOTH, declared=DECLARED)

    one, other = sent("order", "A1"), sent("pay", "B2")
    sweep()

    assert sorted(instances()) == sorted([one.instance_id, other.instance_id])
    assert nodes_of(one.instance_id) != {"look"}
    assert nodes_of(other.instance_id) != {"look"}


def test_a_message_of_the_same_name_begins_another(flows):
    flows.published(BOTH, declared=DECLARED)

    sent("order"), sent("order")

    assert len(instances()) == 2


def became(customer, use="identity", **facts):
    event_id = uuid4()
    nexus.public.record_facts(
        facts=[
            nexus.public.NewFact(
                subject=f"party:{customer}",
                name=name,
                key="",
                value=value,
                valid_from=database_time(),
                event_id=event_id,
                source="test",
                purpose_class=use,
            )
            for name, value in facts.items()
        ]
    )
    note_change(customer, ["party"])
    follow_changes_once()


@pytest.fixture
def customer(db):
    return uuid4()


RISING = START.format(event=CONDITION.format(text='fact.risk = "high"'))


def test_a_condition_begins_a_flow_once_each_time_it_becomes_true(flows, customer):
    flows.published(RISING)

    became(customer, risk="low")
    assert instances() == []
    became(customer, risk="high")
    became(customer, segment="b")
    (first,) = instances()
    became(customer, risk="low")
    became(customer, risk="high")

    assert len(instances()) == 2
    row = store.read_instance(first)
    assert row.customer_id == customer
    sweep()
    assert nodes_of(first) == {"look"}


def test_a_condition_is_looked_at_for_each_customer_alone(flows, customer):
    flows.published(RISING)

    became(customer, risk="high")
    became(uuid4(), risk="low")
    became(uuid4(), risk="high")

    assert len(instances()) == 2


def test_a_version_that_asks_the_same_does_not_begin_anew(flows, customer):
    flows.published(RISING)
    became(customer, risk="high")

    flows.published(RISING.replace('name="Look"', 'name="Look again"'))
    became(customer, segment="b")
    assert len(instances()) == 1

    flows.published(RISING.replace('"high"', '"high" and 1 = 1'))
    became(customer, segment="c")
    assert len(instances()) == 2


def test_a_condition_may_speak_of_what_changed(flows, customer):
    text = 'list contains(event.topics, "party") and customer.id = event.customer_id'
    flows.published(START.format(event=CONDITION.format(text=text)))

    became(customer, risk="low")

    assert len(instances()) == 1


def test_a_condition_sees_nothing_that_its_purpose_forbids(flows, customer):
    flows.published(RISING)

    became(customer, use="behaviour", risk="high")

    assert instances() == []


def test_a_timer_start_begins_with_the_schedule_of_its_flow(flows):
    flows.published(START.format(event=TIMER), triggers={"daily": DAILY})
    run_schedules_once(at=AT)

    assert run_schedules_once(at=AT.replace(day=22)) == 1
    sweep()

    (begun,) = instances()
    assert nodes_of(begun) == {"look"}


MESSAGE = '<messageEventDefinition messageRef="order"/>'


@pytest.mark.parametrize(
    ("body", "content"),
    [
        (START.format(event=TIMER), {}),
        (START.format(event=MESSAGE), {"triggers": {"t": TriggerContent(kind="api")}}),
        (START.format(event=MESSAGE), {"triggers": {"t": DAILY}}),
        (START.format(event=MESSAGE), {"batches": {"b": BatchContent(key="id")}}),
        (RECEIVE, {"triggers": {"t": TriggerContent(kind="api")}}),
        # Nexus gives nothing for this purpose, so the condition could never be looked at.
        (RISING, {"purpose": "operations"}),
    ],
)
def test_what_can_never_begin_is_not_published(flows, body, content):
    with pytest.raises(DrawingRefused) as refused:
        flows.published(body, declared=DECLARED, **content)

    assert refused.value.code == "start_never_comes"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM orch_definition")
        assert cursor.fetchone() == (0,)
