"""Changes of data: what Nexus has come to know of a customer starts the flows that wait for it."""

from collections.abc import Callable, Mapping
from functools import partial
from uuid import UUID

from django.db import transaction

import nexus.public
from orchestration.durable.calls import STEP_FAULTS
from orchestration.durable.doorbell import database_time
from orchestration.plain import feel_mapping
from orchestration.triggers import rows
from orchestration.triggers.conditions import look, waiting_for_data
from orchestration.triggers.content import compiled
from orchestration.triggers.receiving import (
    DeliveryRefused,
    Trigger,
    begin_for,
    triggers_in_force,
)
from orchestration.triggers.streams import TROUBLE, StreamEvent, consume

CONSUMER = "data_change"
_OF_CHANGE = ("customer_id", "topics", "changed_at")


def follow_changes_once(*, limit: int = 100) -> int:
    """Start what waits for the next changes of data in this legal entity; return how many came."""
    triggers = triggers_in_force("data_change")
    waiting = waiting_for_data()

    def handle(event: StreamEvent) -> None:
        for flow, opening in waiting:
            name = f"{flow.process}/{opening.node}"
            _apart(name, event.id, partial(look, flow, opening, event, database_time()))
        for trigger in triggers:
            if _is_topic_of(trigger, event):
                _apart(trigger.name, event.id, partial(_begin_all, trigger, event))

    return consume(consumer=CONSUMER, read=_read, handle=handle, limit=limit)


def _read(cursor: str, limit: int) -> tuple[StreamEvent, ...]:
    return tuple(
        StreamEvent(
            cursor=change.position,
            id=change.position,
            occurred_at=change.changed_at,
            payload={
                "customer_id": str(change.customer_id),
                "topics": list(change.topics),
                "changed_at": change.changed_at.isoformat(),
                "posted": [_said_of(change.customer_id, each) for each in change.posted],
            },
        )
        for change in nexus.public.events_after(cursor=cursor, limit=limit)
    )


def _said_of(customer_id: UUID, posted: nexus.public.PostedTransfer) -> Mapping[str, object]:
    return {
        "customer_id": str(customer_id),
        "transfer_id": str(posted.transfer_id),
        "account_id": str(posted.account_id),
        "amount_minor_units": posted.amount_minor_units,
        "currency": posted.currency,
    }


def _apart(name: str, event_id: str, work: Callable[[], object]) -> None:
    """Let what one flow makes of a change break alone: it is kept as refused, the others go on."""
    try:
        with transaction.atomic():
            work()
    except TROUBLE:
        raise
    except STEP_FAULTS as broken:
        code = str(getattr(broken, "code", type(broken).__name__))
        rows.keep_refusal(name, event_id, code)


def _is_topic_of(trigger: Trigger, event: StreamEvent) -> bool:
    topics = event.payload["topics"]
    assert isinstance(topics, list)
    wanted = tuple(trigger.content.topics)
    return any(str(topic).startswith(wanted) for topic in topics)


def _begin_all(trigger: Trigger, event: StreamEvent) -> None:
    """Begin what waits for the change as a whole, or once for each transfer it tells of."""
    posted = event.payload["posted"]
    assert isinstance(posted, list)
    if trigger.content.each == "transfer":
        for said in posted:
            _begin(trigger, f"transfer:{said['transfer_id']}", said)
        return
    _begin(trigger, event.id, {name: event.payload[name] for name in _OF_CHANGE})


def _holds(trigger: Trigger, payload: Mapping[str, object]) -> bool:
    condition = compiled(trigger.content.when)
    if condition is None:
        return True
    return condition.evaluate({"event": feel_mapping(payload)}).value is True


def _begin(trigger: Trigger, event_id: str, payload: Mapping[str, object]) -> None:
    if not _holds(trigger, payload):
        return
    try:
        with transaction.atomic():
            begin_for(trigger, event_id, payload, database_time())
    except DeliveryRefused as refused:
        rows.keep_refusal(trigger.name, event_id, refused.reason)
