"""A flow that had not yet asked for its outside effect when the backup was taken may have since."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from orchestration.effects import held, rows
from orchestration.effects.carrying import carry_effects_once
from orchestration.public import held_effects, run_due_once
from orchestration.triggers.content import TriggerContent
from orchestration.triggers.receiving import receive
from sentinel.vocabulary import Principal
from tests.layers.orchestration.flows import Flows, nodes_of
from tests.layers.orchestration.test_outside_effects import (
    SOURCES,
    STOP,
    carried,
    processor,
    simulator,
)

__all__ = ["processor", "simulator"]
pytestmark = pytest.mark.django_db(transaction=True)
WAIT = """
<intermediateCatchEvent id="wait"><incoming>a</incoming><outgoing>w</outgoing>
<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>
</intermediateCatchEvent>
<sequenceFlow id="w" sourceRef="wait" targetRef="stop"/>
"""
WAIT_AND_STOP = WAIT + STOP.replace("<incoming>a<", "<incoming>w<").replace(
    'id="a" sourceRef="s" targetRef="stop"', 'id="a" sourceRef="s" targetRef="wait"'
)
CALLING = """
<startEvent id="s"><outgoing>a</outgoing></startEvent>
<intermediateCatchEvent id="wait"><incoming>a</incoming><outgoing>w</outgoing>
<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>
</intermediateCatchEvent>
<callActivity id="sub" calledElement="stopping"><extensionElements>
<frontline:input name="card" value="= card"/><frontline:input name="reason" value="= reason"/>
<frontline:input name="sources" value="= sources"/></extensionElements><incoming>w</incoming>
<outgoing>b</outgoing></callActivity>
<endEvent id="e"><incoming>b</incoming></endEvent>
<sequenceFlow id="a" sourceRef="s" targetRef="wait"/>
<sequenceFlow id="w" sourceRef="wait" targetRef="sub"/>
<sequenceFlow id="b" sourceRef="sub" targetRef="e"/>
"""


@pytest.fixture
def restored(superuser_connection):
    """Do what a restore does to the tables of running work."""

    def restore():
        with superuser_connection.transaction():
            superuser_connection.execute("SET LOCAL ROLE frontline_owner")
            superuser_connection.execute("SELECT orch_after_restore()")

    return restore


@pytest.fixture
def card():
    return str(uuid4())


def begun_two_hours_ago(flows, flow, card):
    at = datetime.now(UTC) - timedelta(hours=2)
    return flows.started(flow, at=at, card=card, reason="stolen", sources=SOURCES)


def stopping_now(flows, card):
    given = {"card": card, "reason": "stolen", "sources": SOURCES}
    return flows.started(flows.published(STOP), at=datetime.now(UTC), **given)


def go_on():
    run_due_once()
    carry_effects_once()


def test_a_flow_from_before_a_restore_asks_a_person_before_it_calls(
    flows, processor, card, restored
):
    instance_id = begun_two_hours_ago(flows, flows.published(WAIT_AND_STOP), card)
    assert nodes_of(instance_id) == {"wait"}

    restored()
    go_on()

    assert nodes_of(instance_id) == {"stop"}
    assert processor.acts(card) == []
    (only,) = held_effects()
    assert (only.instance_id, only.action_kind) == (instance_id, "cards.stop")

    held.let_go(instance_id)

    assert carried(instance_id)
    assert processor.acts(card) == ["stop"]
    assert held_effects() == ()


def test_what_a_flow_from_before_a_restore_calls_asks_a_person_too(
    flows, processor, card, restored
):
    flows.published(STOP, process="stopping")
    begun_two_hours_ago(flows, flows.published(CALLING), card)

    restored()
    go_on()

    assert [each.action_kind for each in held_effects()] == ["cards.stop"]
    assert processor.acts(card) == []


def test_a_flow_begun_after_a_restore_calls_at_once(flows, processor, card, restored):
    restored()

    instance_id = stopping_now(flows, card)
    carry_effects_once()

    assert held_effects() == ()
    assert processor.acts(card) == ["stop"]
    assert nodes_of(instance_id) == set()


def ended_without_effect(place):
    """Carry an effect to an answer that was no effect, and take it."""
    assert rows.answer(rows.claim(place), rows.Given("not_done", {"code": "busy"}))
    assert rows.take_answer(place).kind == "not_done"


def test_an_effect_asked_for_and_let_go_since_a_restore_is_tried_again_at_once(
    flows, processor, card, restored
):
    instance_id = begun_two_hours_ago(flows, flows.published(WAIT_AND_STOP), card)
    restored()
    place = rows.Place(instance_id, "stop", 3)
    rows.want(place, "cards.stop", {})
    assert rows.claim(place) is None
    assert held.let_go(instance_id) == [["cards.stop", "stop", 3]]
    ended_without_effect(place)

    rows.want(place, "cards.stop", {})

    assert held_effects() == ()
    assert rows.claim(place) is not None


def test_what_ended_without_effect_before_a_restore_is_held_when_asked_for_again(
    flows, processor, card, restored
):
    instance_id = begun_two_hours_ago(flows, flows.published(WAIT_AND_STOP), card)
    place = rows.Place(instance_id, "stop", 3)
    rows.want(place, "cards.stop", {})
    ended_without_effect(place)

    restored()
    rows.want(place, "cards.stop", {})

    assert rows.claim(place) is None
    assert [each.instance_id for each in held_effects()] == [instance_id]


MANDATE = Principal("system:orders", "system", "system:orders", "meridian-nl")


def begun_by_no_person(flows, card, *, after=timedelta(0), body=STOP, process="p"):
    """Begin what a feed, a program or a file sends again after the restore."""
    given = {"card": card, "reason": "stolen", "sources": SOURCES}
    at = datetime.now(UTC) + after
    return Flows(MANDATE).started(flows.published(body, process=process), at=at, **given)


def test_what_is_sent_again_after_a_restore_asks_a_person_before_it_calls(
    flows, processor, card, restored
):
    restored()

    instance_id = begun_by_no_person(flows, card)
    carry_effects_once()

    assert [each.instance_id for each in held_effects()] == [instance_id]
    assert processor.acts(card) == []


def test_what_a_delivery_begins_after_a_restore_asks_a_person_before_it_calls(
    flows, processor, card, restored
):
    accepts = TriggerContent(
        kind="api",
        accepts={"type": "object"},
        variables={name: f"= event.{name}" for name in ("card", "reason", "sources")},
    )
    flows.published(STOP, triggers={"t": accepts})
    restored()

    given = {"card": card, "reason": "stolen", "sources": SOURCES}
    received = receive(trigger="p/t", event_id="1", payload=given, at=datetime.now(UTC))
    run_due_once()
    carry_effects_once()

    assert [each.instance_id for each in held_effects()] == [received.instance_id]
    assert processor.acts(card) == []


def test_what_a_flow_begun_again_calls_is_held_too(flows, processor, card, restored):
    flows.published(STOP, process="stopping")
    calling = CALLING.replace("PT1H", "PT0S")
    restored()

    begun_by_no_person(flows, card, body=calling, process="calling")
    go_on()

    assert [each.action_kind for each in held_effects()] == ["cards.stop"]


def test_what_comes_when_nobody_sends_again_any_more_is_not_held(
    flows, processor, card, restored, settings
):
    restored()

    begun_by_no_person(flows, card, after=timedelta(hours=settings.RESTORE_REPLAY_HOURS, minutes=1))

    assert held_effects() == ()


def test_without_a_restore_nothing_is_held(flows, processor, card):
    begun_by_no_person(flows, card)

    assert held_effects() == ()
