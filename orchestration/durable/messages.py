"""Messages and signals between flows, and from outside: a message goes to one, a signal to all.

A message is taken by whoever waits for its name and key, else it begins the flow that starts with
it, else it is kept until its time is over and then recorded as undelivered. Its id makes it happen
once. A signal is heard by those who listen at that moment, and kept for nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from django.db import transaction

import sentinel.public
from orchestration import feed
from orchestration.core.events import Event, MessageReceived, SignalReceived
from orchestration.core.openings import awaits_others
from orchestration.core.state import Trigger
from orchestration.durable import doorbell, statements, store
from orchestration.durable.definitions import PublishedFlow
from orchestration.durable.large_values import require_carriable
from orchestration.durable.run import Run
from orchestration.durable.starting import NewInstance, begin
from orchestration.durable.texts import from_text, to_text
from orchestration.feel.values import FeelValue
from orchestration.plain import feel_mapping, plain_mapping
from orchestration.versions.rollouts import flow_to_start
from sentinel.vocabulary import Principal

TTL = timedelta(hours=1)


class MessageConflict(ValueError):
    """Another message came under this id before; nothing is done with this one."""

    code = "message_id_reused"
    is_retryable = False


@dataclass(frozen=True, slots=True)
class MessageReceipt:
    """What became of a message: waiting, delivered (to which instance) or undelivered."""

    is_new: bool
    state: str
    instance_id: UUID | None


@dataclass(frozen=True, slots=True)
class Message:
    """A message on its way; `principal` is who a flow acts for that it begins."""

    id: UUID
    name: str
    correlation: str | None
    payload: Mapping[str, FeelValue]
    at: datetime
    ttl: timedelta = TTL
    principal: Principal | None = None
    customer_id: UUID | None = None


def publish_message(  # noqa: PLR0913  (the door's own words, one for each)
    *,
    message_id: UUID,
    name: str,
    correlation: str | None,
    payload: Mapping[str, object],
    at: datetime,
    ttl: timedelta = TTL,
    principal: Principal | None = None,
    customer_id: UUID | None = None,
) -> MessageReceipt:
    """Give a message, once, to the instance that waits for it, or begin one, or keep it.

    Raises:
        ValueTooLarge: no instance may carry what it brings.
        MessageConflict: this id came with something else.
    """
    require_carriable(payload)
    values = feel_mapping(payload)
    message = Message(message_id, name, correlation, values, at, ttl, principal, customer_id)
    receipt = send(message)
    if not receipt.is_new and not _is_same(message):
        raise MessageConflict(str(message_id))
    return receipt


def send(message: Message) -> MessageReceipt:
    """Put a message on the bus, once, in the caller's transaction, if any."""
    with transaction.atomic():
        written = statements.count(
            "INSERT INTO orch_message (id, name, correlation, payload, state, received_at,"
            " expires_at) VALUES (%s, %s, %s, %s, 'waiting', %s, %s)"
            " ON CONFLICT (entity, id) DO NOTHING",
            [
                message.id,
                message.name,
                message.correlation,
                to_text(message.payload),
                message.at,
                message.at + message.ttl,
            ],
        )
        if not written:
            return _receipt(message.id)
        receiver = _hand_over(message) or _begin_with(message)
    state = "delivered" if receiver else "waiting"
    return MessageReceipt(is_new=True, state=state, instance_id=receiver)


def _receipt(message_id: UUID) -> MessageReceipt:
    ((state, instance_id),) = statements.run(
        "SELECT state, instance_id FROM orch_message WHERE id = %s", [message_id]
    )
    return MessageReceipt(is_new=False, state=state, instance_id=instance_id)


def _is_same(message: Message) -> bool:
    ((is_same,),) = statements.run(
        "SELECT name = %s AND correlation IS NOT DISTINCT FROM %s AND payload = %s"
        " FROM orch_message WHERE id = %s",
        [message.name, message.correlation, to_text(message.payload), message.id],
    )
    return bool(is_same)


def has_come(message_id: UUID) -> bool:
    """Tell whether a message came before."""
    return bool(statements.run("SELECT FROM orch_message WHERE id = %s", [message_id]))


def is_waited_for(name: str, correlation: str | None) -> bool:
    """Tell whether a running instance waits for such a message now."""
    return bool(
        statements.run(
            "SELECT FROM orch_subscription WHERE trigger = 'message' AND name = %s"
            " AND (correlation IS NULL OR correlation = %s) LIMIT 1",
            [name, correlation],
        )
    )


def _hand_over(message: Message) -> UUID | None:
    """Give a message to one instance that waits for it."""
    found = statements.run(
        "SELECT instance_id FROM orch_subscription WHERE trigger = 'message' AND name = %s"
        " AND (correlation IS NULL OR correlation = %s)"
        " ORDER BY correlation IS NULL, instance_id LIMIT 1",
        [message.name, message.correlation],
    )
    return _give(message, found[0][0]) if found else None


def _give(message: Message, receiver: UUID) -> UUID | None:
    """Put a message into the inbox of its receiver; None when it came there before."""
    event = MessageReceived(message.name, message.correlation, message.payload)
    if not store.deliver(
        instance_id=receiver,
        message_id=uuid5(message.id, str(receiver)),
        event=event,
        at=message.at,
        bus_id=message.id,
    ):
        return None  # It came there before, and was not waited for.
    _close(message.id, "delivered", receiver, message.at)
    doorbell.ring(receiver)
    return receiver


def _begin_with(message: Message) -> UUID | None:
    """Begin the flow that starts with a message."""
    for process in _begun_by("message", message.name):
        flow = _flow_for(process, message)
        node = _start_node(flow, Trigger.MESSAGE, message.name)
        if node is not None:
            joined = _join(process, message) if awaits_others(flow.definition, node) else None
            if joined is not None:
                return joined
            instance_id = _begin(flow, node, message)
            _close(message.id, "delivered", instance_id, message.at)
            return instance_id
    return None


def _join(process: str, message: Message) -> UUID | None:
    """Give a message to the instance that another one of the same key has begun.

    A flow that begins with several messages begins with the first of them. Until a worker has
    moved it, the instance is found by that message; from then on it waits for the others.
    """
    statements.run(
        "SELECT pg_advisory_xact_lock(hashtextextended(frontline_entity() || %s, 4713))",
        [f"{process}|{message.correlation}"],
    )
    found = statements.run(
        """
        SELECT i.id FROM orch_inbox b
          JOIN orch_instance i ON i.id = b.instance_id AND i.rev = 0 AND i.process = %s
          JOIN orch_message m ON m.id = b.bus_id AND m.name <> %s
           AND m.correlation IS NOT DISTINCT FROM %s
         WHERE b.taken_at IS NULL ORDER BY b.position LIMIT 1
        """,
        [process, message.name, message.correlation],
    )
    return _give(message, found[0][0]) if found else _hand_over(message)


def _begun_by(trigger: str, name: str) -> tuple[str, ...]:
    rows = statements.run(
        "SELECT process FROM orch_start WHERE trigger = %s AND name = %s ORDER BY process",
        [trigger, name],
    )
    return tuple(process for (process,) in rows)


def _start_node(flow: PublishedFlow, trigger: Trigger, name: str) -> str | None:
    """Return the start event of a flow's version, which may not have it any more."""
    return flow.starts.get((trigger.value, name))


def _flow_for(process: str, message: Message) -> PublishedFlow:
    """Return the version that was rolled out for this work."""
    roles = message.principal.roles if message.principal else ()
    return flow_to_start(process=process, instance_id=uuid5(message.id, process), roles=roles)


def _begin(flow: PublishedFlow, node: str, message: Message) -> UUID:
    instance_id = uuid5(message.id, flow.process)
    begin(
        NewInstance(
            id=instance_id,
            flow=flow,
            principal=message.principal or bus_principal(),
            variables=plain_mapping(message.payload),
            at=message.at,
            customer_id=message.customer_id,
            start_node=node,
            is_by_name=True,
        ),
        bus_id=message.id,
    )
    doorbell.ring(instance_id)
    return instance_id


def bus_principal() -> Principal:
    """Return who a flow acts for that nobody in particular began."""
    name = "system:messages"
    return Principal(name, "system", name, sentinel.public.current_entity(), roles=("system",))


def _close(message_id: UUID, state: str, receiver: UUID | None, at: datetime) -> None:
    statements.count(
        "UPDATE orch_message SET state = %s, instance_id = %s, closed_at = %s WHERE id = %s",
        [state, receiver, at, message_id],
    )


def next_for(run: Run) -> Event | None:
    """Take the oldest kept message that an instance waits for, or None."""
    ears = [ear for ear in run.state.subscriptions if ear.trigger is Trigger.MESSAGE]
    if not ears:
        return None
    found = statements.run(
        """
        UPDATE orch_message t
           SET state = 'delivered', instance_id = %(instance)s, closed_at = %(at)s
         WHERE t.id = (
            SELECT m.id FROM unnest(%(names)s::text[], %(keys)s::text[]) AS ear(name, key)
              JOIN orch_message m ON m.state = 'waiting' AND m.name = ear.name
               AND (ear.key IS NULL OR m.correlation = ear.key) AND m.expires_at > %(at)s
             ORDER BY m.received_at, m.id LIMIT 1 FOR NO KEY UPDATE OF m SKIP LOCKED)
     RETURNING t.name, t.correlation, t.payload
        """,
        {
            "instance": run.row.id,
            "at": run.at,
            "names": [ear.name for ear in ears],
            "keys": [ear.correlation for ear in ears],
        },
    )
    if not found:
        return None
    name, correlation, payload = found[0]
    return MessageReceived(name, correlation, _payload(payload))


def _payload(text: str) -> Mapping[str, FeelValue]:
    values: Mapping[str, FeelValue] = from_text(text, Mapping)  # type: ignore[type-abstract]
    return values


def give_back(message_id: UUID) -> None:
    """Keep a message again that came when its receiver had stopped waiting."""
    statements.count(
        "UPDATE orch_message SET state = 'waiting', instance_id = NULL, closed_at = NULL"
        " WHERE id = %s AND state = 'delivered'",
        [message_id],
    )


def rematch(at: datetime, limit: int) -> int:
    """Hand over kept messages for which somebody began to wait at the same moment."""
    with transaction.atomic():
        rows = statements.run(
            """
            SELECT m.id, m.name, m.correlation, m.payload FROM orch_message m
             WHERE m.state = 'waiting' AND m.expires_at > %s
               AND EXISTS (SELECT FROM orch_subscription s
                            WHERE s.trigger = 'message' AND s.name = m.name
                              AND (s.correlation IS NULL OR s.correlation = m.correlation))
             ORDER BY m.received_at LIMIT %s FOR NO KEY UPDATE SKIP LOCKED
            """,
            [at, limit],
        )
        return sum(
            _hand_over(Message(each, name, key, _payload(payload), at)) is not None
            for each, name, key, payload in rows
        )


def expire(at: datetime, limit: int) -> int:
    """Record messages as undelivered that nobody waited for in time."""
    with transaction.atomic():
        rows = statements.run(
            """
            UPDATE orch_message SET state = 'undelivered', closed_at = %(at)s
             WHERE id IN (SELECT id FROM orch_message
                           WHERE state = 'waiting' AND expires_at <= %(at)s
                           ORDER BY expires_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED)
         RETURNING id, name
            """,
            {"at": at, "limit": limit},
        )
        for message_id, name in rows:
            payload = {"message_id": str(message_id), "name": name}
            feed.publish(
                event_type="message.undelivered",
                subject=f"message:{message_id}",
                payload=payload,
                at=at,
            )
    return len(rows)


def broadcast_signal(
    *, signal_id: UUID, name: str, payload: Mapping[str, object], at: datetime
) -> int:
    """Let everybody who listens hear a signal, once; return how many heard it or began.

    Raises:
        ValueTooLarge: no instance may carry what it brings.
    """
    require_carriable(payload)
    return broadcast(Message(signal_id, name, None, feel_mapping(payload), at))


def broadcast(signal: Message) -> int:
    """Broadcast a signal, once, in the caller's transaction, if any."""
    with transaction.atomic():
        listeners = statements.run(
            "SELECT DISTINCT instance_id FROM orch_subscription"
            " WHERE trigger = 'signal' AND name = %s ORDER BY instance_id",
            [signal.name],
        )
        beginning = _begun_by("signal", signal.name)
        heard = len(listeners) + len(beginning)
        written = statements.count(
            "INSERT INTO orch_signal (id, name, at, heard) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (entity, id) DO NOTHING",
            [signal.id, signal.name, signal.at, heard],
        )
        if not written:
            return 0
        _let_hear(signal, [receiver for (receiver,) in listeners])
        for process in beginning:
            flow = _flow_for(process, signal)
            node = _start_node(flow, Trigger.SIGNAL, signal.name)
            if node is not None:
                _begin(flow, node, signal)
    return heard


def _let_hear(signal: Message, receivers: list[UUID]) -> None:
    event = to_text(SignalReceived(signal.name, signal.payload))
    statements.count(
        "INSERT INTO orch_inbox (id, instance_id, event, at)"
        " SELECT w.id, w.receiver, %s, %s FROM unnest(%s::uuid[], %s::uuid[]) AS w(id, receiver)"
        " ON CONFLICT (entity, id) DO NOTHING",
        [event, signal.at, [uuid5(signal.id, str(each)) for each in receivers], receivers],
    )
    for receiver in receivers:
        doorbell.ring(receiver)
