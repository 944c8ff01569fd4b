"""Conditional starts: a flow begins for a customer when what is known of them makes it true.

A condition sees `event` (what changed), `customer` (their id and accounts) and `fact` (what is
known of them by name, as far as the purpose of the flow permits). It is looked at with every
change of a customer; it begins one instance each time it becomes true, and none while it stays so.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid5

import nexus.public
import sentinel.public
from orchestration.core.openings import Opening, opens
from orchestration.durable import doorbell, statements
from orchestration.durable.definitions import PublishedFlow
from orchestration.durable.entrances import begun_by_condition
from orchestration.durable.starting import NewInstance, begin
from orchestration.feel.values import FeelValue
from orchestration.plain import feel_mapping
from orchestration.triggers.receiving import NAMESPACE, flows_in_force
from orchestration.triggers.streams import StreamEvent
from orchestration.versions.rollouts import flow_to_start
from sentinel.vocabulary import Principal

MANDATE = "system:conditions"
Waiting = tuple[PublishedFlow, Opening]


def waiting_for_data() -> tuple[Waiting, ...]:
    """Return the conditional starts of the flows in force."""
    return tuple(
        (flow, opening)
        for flow in flows_in_force()
        for opening in begun_by_condition(flow.definition)
    )


def look(flow: PublishedFlow, opening: Opening, event: StreamEvent, at: datetime) -> bool:
    """Begin what a change of a customer has made true, in the caller's transaction.

    Raises:
        nexus.public.PurposeUnknown: the flow has a purpose for which nothing may be used.
    """
    customer_id = UUID(str(event.payload["customer_id"]))
    seen = _seen(flow, opening, customer_id, event, at)
    if not opens(flow.definition, opening, seen, at):
        statements.count(
            "DELETE FROM orch_condition WHERE process = %s AND node = %s AND customer_id = %s",
            [flow.process, opening.node, customer_id],
        )
        return False
    if not _became_true(flow, opening, customer_id, event):
        return False
    _begin(flow, opening, customer_id, event, at)
    return True


def _became_true(
    flow: PublishedFlow, opening: Opening, customer_id: UUID, event: StreamEvent
) -> bool:
    """Keep that a condition holds; a version that asks something else asks anew."""
    written = statements.count(
        """
        INSERT INTO orch_condition AS c (process, node, customer_id, condition, change)
        VALUES (%s, %s, %s, %s, %s)
        ON CONFLICT (entity, process, node, customer_id) DO UPDATE
           SET condition = excluded.condition, change = excluded.change
         WHERE c.condition <> excluded.condition
        """,
        [flow.process, opening.node, customer_id, opening.event.condition or "", event.id],
    )
    return written == 1


def _begin(
    flow: PublishedFlow, opening: Opening, customer_id: UUID, event: StreamEvent, at: datetime
) -> None:
    entity = sentinel.public.current_entity()
    about = f"{entity}|condition|{flow.process}/{opening.node}|{customer_id}|{event.id}"
    instance_id = uuid5(NAMESPACE, about)
    wanted = flow_to_start(process=flow.process, instance_id=instance_id)
    has_it = any(each.node == opening.node for each in begun_by_condition(wanted.definition))
    begin(
        NewInstance(
            id=instance_id,
            # A version on trial that does not begin so gets none of these.
            flow=wanted if has_it else flow,
            principal=Principal(MANDATE, "system", MANDATE, entity, roles=("system",)),
            variables={"event": dict(event.payload)},
            at=at,
            customer_id=customer_id,
            start_node=opening.node,
            is_by_name=True,
        )
    )
    doorbell.ring(instance_id)


def _seen(
    flow: PublishedFlow, opening: Opening, customer_id: UUID, event: StreamEvent, at: datetime
) -> Mapping[str, FeelValue]:
    """Return what a condition may speak of: nothing that the purpose of its flow forbids."""
    about = f"condition|{flow.process}/{opening.node}|{event.id}"
    known = nexus.public.context_for(
        request=nexus.public.ContextRequest(
            subjects=(f"party:{customer_id}",), purpose=flow.content.purpose
        ),
        snapshot_id=uuid5(NAMESPACE, f"{sentinel.public.current_entity()}|{about}"),
        at=at,
    )
    return feel_mapping(
        {
            "event": dict(event.payload),
            "customer": {"id": str(customer_id), "accounts": _accounts(customer_id)},
            # The newest of a name comes first, and is the one that counts.
            "fact": {each.name: each.value for each in reversed(known.items)},
        }
    )


def _accounts(customer_id: UUID) -> list[dict[str, object]]:
    try:
        state = nexus.public.customer_state(customer_id=customer_id)
    except nexus.public.CustomerUnknown:
        return []
    return [
        {
            "id": str(each.account_id),
            "kind": each.kind,
            "currency": each.currency,
            "status": each.status,
            "booked_minor_units": each.booked_minor_units,
            "available_minor_units": each.available_minor_units,
        }
        for each in state.accounts
    ]
