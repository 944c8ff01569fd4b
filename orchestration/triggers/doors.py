"""What the edges of the bank call when something comes in, and what operations see of it."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from json import loads
from uuid import UUID, uuid5

from orchestration.durable import messages
from orchestration.operating.role import require_operations
from orchestration.triggers import keys, rows
from orchestration.triggers.content import can_be_kept
from orchestration.triggers.receiving import (
    NAMESPACE,
    DeliveryRefused,
    Received,
    TriggerUnknown,
    accepted,
    receive,
    refusing,
    trigger_named,
    triggers_in_force,
)
from sentinel.vocabulary import Principal

RUNS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class RunView:
    """One delivery that started an instance."""

    event_id: str
    instance_id: UUID
    received_at: datetime


@dataclass(frozen=True, slots=True)
class RefusalView:
    """One delivery that started nothing, and why."""

    event_id: str
    code: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TriggerView:
    """One way in which a flow begins, how it stands, and what it did last."""

    name: str
    kind: str
    process: str
    version: int
    mandate: str
    source: str
    every: str
    is_paused: bool
    paused_by: str
    reason: str
    due_at: datetime | None
    runs: tuple[RunView, ...]
    refusals: tuple[RefusalView, ...]


def start_by_api(
    *,
    key: str,
    trigger: str,
    idempotency_key: str,
    payload: Mapping[str, object],
    at: datetime,
) -> Received:
    """Start a flow for a program outside; the same idempotency key starts it once.

    Raises:
        CallerRefused: nobody holds this key, or it is not good for this trigger.
        TriggerUnknown: there is no such trigger for programs.
        DeliveryRefused: the trigger is paused, or does not accept what came.
    """
    caller = keys.caller_of(key=key)
    if trigger not in caller.triggers:
        raise keys.CallerRefused
    _require_kind(trigger, "api")
    if not idempotency_key:
        rows.keep_refusal(trigger, caller.id, "event_id_missing")
        raise DeliveryRefused(trigger, "event_id_missing")
    event_id = f"{caller.id}:{idempotency_key}"
    return receive(trigger=trigger, event_id=event_id, payload=payload, at=at)


def message_by_api(
    *,
    key: str,
    name: str,
    message_id: str,
    correlation: str | None,
    payload: Mapping[str, object],
    at: datetime,
) -> tuple[Received, ...]:
    """Take a message from a program outside whose key is good for `message:<name>`.

    Raises:
        CallerRefused: nobody holds this key, or it is not good for this message.
        DeliveryRefused: it has no id, a trigger is paused, or does not accept what came.
    """
    caller = keys.caller_of(key=key)
    if f"message:{name}" not in caller.triggers:
        raise keys.CallerRefused
    if not message_id:
        raise DeliveryRefused(f"message:{name}", "event_id_missing")
    event_id = f"{caller.id}:{message_id}"
    return receive_message(
        name=name, message_id=event_id, correlation=correlation, payload=payload, at=at
    )


def require_right(*, key: str, right: str) -> str:
    """Return the id of the program outside whose key is good for a right, such as `log:read`.

    Raises:
        CallerRefused: nobody holds this key, or it is not good for this.
    """
    caller = keys.caller_of(key=key)
    if right not in caller.triggers:
        raise keys.CallerRefused
    return caller.id


def receive_webhook(
    *, source: str, headers: Mapping[str, str], body: bytes, at: datetime
) -> tuple[Received, ...]:
    """Start the flows that wait for the webhooks of a source, each once for each message id.

    `headers` are in small letters; `body` is as it came.

    Raises:
        TriggerUnknown: no flow waits for this source.
        DeliveryRefused: it is not signed, stale, or not accepted.
    """
    waiting = [each for each in triggers_in_force("webhook") if each.content.source == source]
    if not waiting:
        raise TriggerUnknown(f"webhook:{source}")
    try:
        event_id = keys.require_signed(source=source, headers=headers, body=body, at=at)
    except keys.SignatureRefused as refused:
        for each in waiting:
            said_id = headers.get("webhook-id", "")
            rows.keep_strangers_refusal(each.name, said_id, refused.reason)
        raise DeliveryRefused(waiting[0].name, refused.reason) from refused
    said = _object(body)
    if said is None:
        for each in waiting:
            rows.keep_refusal(each.name, event_id, "payload_refused")
        raise DeliveryRefused(waiting[0].name, "payload_refused")
    return tuple(
        receive(trigger=each.name, event_id=event_id, payload=said, at=at) for each in waiting
    )


def receive_message(
    *,
    name: str,
    message_id: str,
    correlation: str | None,
    payload: Mapping[str, object],
    at: datetime,
) -> tuple[Received, ...]:
    """Give a message to the running flow that waits for it, else start the flows it begins.

    Each happens once for a message id. Nothing is returned for a message that went to a running
    flow, or is kept for one.

    Raises:
        DeliveryRefused: a trigger is paused, does not accept what came, or the id came with
            something else.
    """
    waiting = [each for each in triggers_in_force("message") if each.content.source == name]
    bus_id = uuid5(NAMESPACE, f"{name}|{message_id}")
    has_begun = any(rows.kept_run(each.name, message_id) for each in waiting)
    is_for_running = messages.has_come(bus_id) or messages.is_waited_for(name, correlation)
    if not waiting or (is_for_running and not has_begun):
        for each in waiting:
            with refusing(each.name, message_id):
                accepted(each, message_id, payload)
        _pass_on(bus_id, name, message_id, correlation, payload, at)
        return ()
    return tuple(
        receive(trigger=each.name, event_id=message_id, payload=payload, at=at) for each in waiting
    )


def _pass_on(
    bus_id: UUID,
    name: str,
    message_id: str,
    correlation: str | None,
    payload: Mapping[str, object],
    at: datetime,
) -> None:
    source = f"message:{name}"
    reason = ""
    try:
        if not can_be_kept(payload):
            reason = "payload_refused"
        else:
            messages.publish_message(
                message_id=bus_id, name=name, correlation=correlation, payload=payload, at=at
            )
    except messages.MessageConflict:
        reason = "event_id_reused"
    if reason:
        rows.keep_refusal(source, message_id, reason)
        raise DeliveryRefused(source, reason)


def triggers(*, principal: Principal) -> tuple[TriggerView, ...]:
    """Return every trigger in force with its last runs and refusals.

    Raises:
        OperationsOnly: the principal is not of operations.
    """
    require_operations(principal)
    found = []
    for each in triggers_in_force():
        control = rows.control_of(each.name) or rows.Control()
        runs = rows.last_runs(each.name, RUNS_SHOWN)
        refusals = rows.last_refusals(each.name, RUNS_SHOWN)
        found.append(
            TriggerView(
                name=each.name,
                kind=each.content.kind,
                process=each.flow.process,
                version=each.flow.version,
                mandate=each.content.mandate,
                source=each.content.source,
                every=each.content.every,
                is_paused=control.is_paused,
                paused_by=control.paused_by,
                reason=control.reason,
                due_at=control.due_at,
                runs=tuple(RunView(r.event_id, r.instance_id, r.received_at) for r in runs),
                refusals=tuple(RefusalView(r.event_id, r.code, r.at) for r in refusals),
            )
        )
    return tuple(found)


def pause_trigger(*, trigger: str, principal: Principal, reason: str) -> None:
    """Start nothing by a trigger until it is resumed; what comes is refused, on record.

    Raises:
        OperationsOnly: the principal is not of operations.
        TriggerUnknown: there is no such trigger.
    """
    require_operations(principal)
    trigger_named(trigger)
    rows.set_paused(trigger, is_paused=True, by=principal.id, reason=reason)


def resume_trigger(*, trigger: str, principal: Principal) -> None:
    """Let a held trigger start flows again.

    Raises:
        OperationsOnly: the principal is not of operations.
        TriggerUnknown: there is no such trigger.
    """
    require_operations(principal)
    trigger_named(trigger)
    rows.set_paused(trigger, is_paused=False, by=principal.id, reason="")


def _require_kind(trigger: str, kind: str) -> None:
    if trigger_named(trigger).content.kind != kind:
        raise TriggerUnknown(trigger)


def _object(body: bytes) -> Mapping[str, object] | None:
    with suppress(ValueError, RecursionError):
        said = loads(body)
        if isinstance(said, dict):
            return said
    return None
