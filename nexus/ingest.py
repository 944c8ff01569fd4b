"""Pulls the feeds of the layers below into facts and views; the only reader of Grand Central."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

import grand_central.public
from nexus import store
from nexus.events import AccountStatusChanged, TransferPosted, read_event
from nexus.feed import order_of
from nexus.reducers import Arrived, reduce_events

CORE_FEED = "grand_central"


@dataclass(frozen=True, slots=True)
class IngestReport:
    """How many events one pull took in, and the position it reached."""

    ingested: int
    cursor: str


def ingest_once(*, limit: int = 1000) -> IngestReport:
    """Take in the next events of the core, for the legal entity in force, exactly once each.

    The cursor's row lock is the fence: two ingesters take turns, and the events, the views and the
    cursor commit together.

    Raises:
        EventNotUnderstood: an event lacks a field its type promises; nothing of the batch is kept.
    """
    with transaction.atomic():
        cursor = store.lock_cursor(feed=CORE_FEED)
        events = grand_central.public.events_after(cursor=cursor, limit=limit)
        if not events:
            return IngestReport(ingested=0, cursor=cursor)
        arrived = _arrived(events)
        changes = reduce_events(arrived=arrived, owners=store.owners_of(accounts=_touched(arrived)))
        store.write(changes=changes)
        reached = events[-1].position
        store.move_cursor(feed=CORE_FEED, cursor=reached)
    return IngestReport(ingested=len(events), cursor=reached)


def ensure_position(*, position: str, rounds: int = 5) -> bool:
    """Return whether Nexus holds everything up to a position, pulling the feed to get there.

    False means that an older transaction is still open, so that the feed cannot be read that far
    yet; a screen then says that it is updating.

    Raises:
        PositionNotUnderstood: the text is not a position.
    """
    wanted = order_of(position)
    if order_of(_reached()) >= wanted:
        return True
    return any(order_of(ingest_once().cursor) >= wanted for _ in range(rounds))


def ingested_position() -> str:
    """Return how far the core's feed has been taken in; '' before the first event."""
    return _reached()


def _reached() -> str:
    return store.cursor_of(feed=CORE_FEED)


def _arrived(events: Sequence[grand_central.public.OutboxEvent]) -> list[Arrived]:
    arrived = []
    for event in events:
        payload = read_event(event_type=event.type, event_id=event.event_id, payload=event.payload)
        if payload is not None:
            source = f"grand_central:{event.position}"
            arrived.append(Arrived(event.event_id, event.type, event.occurred_at, source, payload))
    return arrived


def _touched(arrived: Sequence[Arrived]) -> set[UUID]:
    """Return the accounts whose owners the reducer needs to know."""
    touched: set[UUID] = set()
    for each in arrived:
        if isinstance(each.payload, TransferPosted):
            touched |= {each.payload.debit_account, each.payload.credit_account}
        elif isinstance(each.payload, AccountStatusChanged):
            touched.add(each.payload.account_id)
    return touched
