"""One delivery, one instance: what comes in is kept by its id in the commit that begins a flow."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from django.db import connection, transaction

import nexus.public
import sentinel.public
from orchestration.dialogue import drafts
from orchestration.durable import doorbell
from orchestration.durable.definitions import FlowUnknown, PublishedFlow
from orchestration.durable.entrances import scheduled_start
from orchestration.durable.faults import crash_point
from orchestration.durable.large_values import ValueTooLarge
from orchestration.durable.starting import NewInstance, StartConflict, begin
from orchestration.json_schema import is_met
from orchestration.plain import feel_mapping, plain
from orchestration.triggers import rows
from orchestration.triggers.content import (
    TriggerContent,
    can_be_kept,
    compiled,
    is_own_mandate,
)
from orchestration.versions.rollouts import flow_to_start, rule_of
from sentinel.vocabulary import Principal

NAMESPACE = UUID("5f0c1f0e-0f53-4a55-9a1f-7c1a6f3fbb21")
EVENT_ID_LENGTH_MAX = 255
PAYLOAD_BYTES_MAX = 1024 * 1024


class TriggerUnknown(LookupError):
    """No published flow has a trigger of this name."""

    code = "trigger_unknown"
    is_retryable = False

    def __init__(self, trigger: str) -> None:
        super().__init__(trigger)
        self.trigger = trigger


class DeliveryRefused(ValueError):
    """A delivery started nothing.

    `reason` is one of event_id_missing, paused, payload_refused, payload_too_large,
    event_id_reused, headers_missing, stale, signature_refused, checksum_differs, missed.
    """

    code = "delivery_refused"
    is_retryable = False

    def __init__(self, trigger: str, reason: str) -> None:
        super().__init__(trigger, reason)
        self.trigger, self.reason = trigger, reason


@dataclass(frozen=True, slots=True)
class Trigger:
    """A trigger in force: the version of its flow that is the rule declares it."""

    name: str
    flow: PublishedFlow
    content: TriggerContent


@dataclass(frozen=True, slots=True)
class Received:
    """Which instance a delivery started; not `is_new` when it came before."""

    instance_id: UUID
    case_id: UUID
    is_new: bool


def flows_in_force() -> tuple[PublishedFlow, ...]:
    """Return the version of every flow that is the rule for new work, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT process FROM orch_definition WHERE entity = frontline_entity()"
            " ORDER BY process"
        )
        processes = [row[0] for row in cursor.fetchall()]
    return tuple(rule_of(process) for process in processes)


def triggers_in_force(kind: str | None = None) -> tuple[Trigger, ...]:
    """Return the triggers of the newest version of every flow, by name."""
    return tuple(
        Trigger(f"{flow.process}/{name}", flow, content)
        for flow in flows_in_force()
        for name, content in sorted(flow.content.triggers.items())
        if kind in (None, content.kind)
    )


def trigger_named(trigger: str) -> Trigger:
    """Return a trigger in force.

    Raises:
        TriggerUnknown: there is none of this name.
    """
    process, _, name = trigger.partition("/")
    try:
        flow = rule_of(process)
    except FlowUnknown as error:
        raise TriggerUnknown(trigger) from error
    content = flow.content.triggers.get(name)
    if content is None:
        raise TriggerUnknown(trigger)
    return Trigger(trigger, flow, content)


def receive(
    *, trigger: str, event_id: str, payload: Mapping[str, object], at: datetime
) -> Received:
    """Begin the flow of a trigger for one delivery; the same delivery again begins nothing.

    What was refused is on record; nothing else has changed.

    Raises:
        TriggerUnknown: there is no such trigger.
        DeliveryRefused: the trigger is paused, what came is not what it accepts, or the id was
            used for something else.
    """
    found = trigger_named(trigger)
    with refusing(trigger, event_id), transaction.atomic():
        return begin_for(found, event_id, payload, at)


def begin_for(
    trigger: Trigger, event_id: str, payload: Mapping[str, object], at: datetime
) -> Received:
    """Do so in the caller's transaction, which must not go on when it raises.

    Raises:
        DeliveryRefused: as above.
    """
    text = accepted(trigger, event_id, payload)
    name = trigger.name
    instance_id = uuid5(NAMESPACE, f"{sentinel.public.current_entity()}|{name}|{event_id}")
    digest = hashlib.sha256(text.encode()).digest()
    run = rows.Run(event_id, digest, instance_id, at)
    if not rows.keep_run(name, run):
        earlier = rows.kept_run(name, event_id)
        if earlier is None or earlier.digest != digest:
            raise DeliveryRefused(name, "event_id_reused")
        return Received(earlier.instance_id, uuid5(earlier.instance_id, "case"), is_new=False)
    crash_point("trigger_kept")
    control = rows.control_of(name)
    if control is not None and control.is_paused:
        raise DeliveryRefused(name, "paused")
    try:
        case_id = begin(_new_instance(trigger, instance_id, json.loads(text), at))
    except ValueTooLarge as error:
        raise DeliveryRefused(name, "payload_too_large") from error
    except StartConflict as error:
        raise DeliveryRefused(name, "event_id_reused") from error
    doorbell.ring(instance_id)
    crash_point("trigger_begun")
    return Received(instance_id, case_id, is_new=True)


@contextmanager
def refusing(trigger: str, event_id: str) -> Iterator[None]:
    """Keep a refusal on record after everything else was taken back."""
    try:
        yield
    except DeliveryRefused as refused:
        rows.keep_refusal(trigger, event_id, refused.reason)
        raise


def values_of(content: TriggerContent, event: Mapping[str, object]) -> dict[str, object]:
    """Return the variables a flow begins with, from what came."""
    if not content.variables:
        return {"event": dict(event)}
    return {name: computed(text, event) for name, text in content.variables.items()}


def computed(text: str, event: Mapping[str, object]) -> object:
    """Return the value of an expression over what came, or the text itself."""
    expression = compiled(text)
    if expression is None:
        return text
    return plain(expression.evaluate({"event": feel_mapping(event)}).value)


def accepted(trigger: Trigger, event_id: str, payload: Mapping[str, object]) -> str:
    """Return what came as it is kept.

    Raises:
        DeliveryRefused: it has no id, is too large, or is not what the trigger accepts.
    """
    if not 0 < len(event_id) <= EVENT_ID_LENGTH_MAX or not can_be_kept(event_id):
        raise DeliveryRefused(trigger.name, "event_id_missing")
    try:
        text = json.dumps(payload, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise DeliveryRefused(trigger.name, "payload_refused") from error
    if len(text) > PAYLOAD_BYTES_MAX:
        raise DeliveryRefused(trigger.name, "payload_too_large")
    kept = json.loads(text)
    if not can_be_kept(kept) or not is_met(trigger.content.accepts, kept):
        raise DeliveryRefused(trigger.name, "payload_refused")
    return text


def _new_instance(
    trigger: Trigger, instance_id: UUID, event: Mapping[str, object], at: datetime
) -> NewInstance:
    content = trigger.content
    if not is_own_mandate(trigger.flow.process, content.mandate):
        raise DeliveryRefused(trigger.name, "mandate_not_its_own")
    mandate = f"system:{content.mandate}"
    entity = sentinel.public.current_entity()
    customer = computed(content.customer, event) if content.customer else None
    customer_id = _id(trigger.name, customer) or _writer(content, event)
    # A version on trial gets its share of this work, too, and no more.
    flow = flow_to_start(process=trigger.flow.process, instance_id=instance_id)
    return NewInstance(
        id=instance_id,
        flow=flow,
        principal=Principal(mandate, "system", mandate, entity),
        variables=values_of(content, event),
        at=at,
        customer_id=customer_id,
        conversation_id=_conversation(content, customer_id),
        start_node=scheduled_start(flow.definition) if content.kind == "schedule" else None,
        is_by_name=True,
    )


def _conversation(content: TriggerContent, customer_id: UUID | None) -> UUID | None:
    """Return where the flow speaks to its customer: where they were last, if it may speak."""
    if not content.in_conversation or customer_id is None:
        return None
    return drafts.latest_conversation(f"customer:{customer_id}")


def _writer(content: TriggerContent, event: Mapping[str, object]) -> UUID | None:
    """Return the only customer with the sender's address on record; anybody can write any sender.

    So a flow that begins like this may speak to that customer, and never to the sender.
    """
    if not content.sender:
        return None
    found = nexus.public.customers_at(email=str(computed(content.sender, event) or ""))
    return found[0] if len(found) == 1 else None


def _id(trigger: str, value: object) -> UUID | None:
    if value is None:
        return None
    try:
        return UUID(str(value))
    except ValueError as error:
        raise DeliveryRefused(trigger, "payload_refused") from error
