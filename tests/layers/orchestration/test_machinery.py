"""What operations sees of the machinery: triggers counted, queues as they stand, feeds as read."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from orchestration.durable import claims
from orchestration.public import (
    DeliveryRefused,
    OperationsOnly,
    effect_rows,
    follow_changes_once,
    pause_trigger,
    queue_rows,
    stream_rows,
    trigger_rows,
)
from orchestration.triggers.receiving import receive
from tests.authority import employee
from tests.layers.orchestration.flows import AT
from tests.layers.orchestration.test_trigger_sources import note_change
from tests.layers.orchestration.test_triggers import published

__all__ = ["published"]
OMAR = employee("operations")


def now():
    return datetime.now(UTC)


def test_deliveries_are_counted_by_what_came_of_them(published):
    published(kind="message", source="order")
    receive(trigger="p/t", event_id="one", payload={"order": "A"}, at=AT)
    receive(trigger="p/t", event_id="one", payload={"order": "A"}, at=AT)
    pause_trigger(trigger="p/t", principal=OMAR, reason="It is too much")
    with pytest.raises(DeliveryRefused):
        receive(trigger="p/t", event_id="two", payload={"order": "B"}, at=AT)

    (row,) = [each for each in trigger_rows(principal=OMAR) if each.name == "p/t"]

    assert (row.started, row.refused, row.last_code) == (1, 1, "paused")
    assert (row.is_paused, row.paused_by, row.reason) == (True, OMAR.id, "It is too much")
    assert row.waits_for == "Message order"


def test_a_queue_shows_what_waits_and_since_when(published):
    published(kind="message", source="order")
    claims.set_queue(name="default", cap=3, share=2)
    receive(trigger="p/t", event_id="one", payload={"order": "A"}, at=now())

    (row,) = [
        each
        for each in queue_rows(principal=OMAR, at=now() + timedelta(minutes=5))
        if each.name == "default"
    ]

    assert (row.cap, row.share, row.waiting, row.running, row.incidents) == (3, 2, 1, 0, 0)
    assert timedelta(minutes=5) <= row.oldest < timedelta(minutes=6)
    assert row.flows == ("p",)


def test_a_feed_shows_lag_and_what_came_twice(published):
    published(kind="data_change", topics=["party"])
    note_change(uuid4(), ["party"])
    later = now() + timedelta(minutes=1)
    (before,) = stream_rows(principal=OMAR, at=later)

    follow_changes_once()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orch_stream SET cursor = ''")
    follow_changes_once()

    (after,) = stream_rows(principal=OMAR, at=later)
    assert (before.behind, before.taken, before.position) == (1, 0, "")
    assert before.lag > timedelta(seconds=50)
    assert (after.behind, after.taken, after.failed, after.dropped) == (0, 1, 0, 1)
    assert after.lag == timedelta(0)


def test_the_machinery_is_for_operations_only(published):
    fatima = employee("fraud_analyst")

    for door in (
        lambda: trigger_rows(principal=fatima),
        lambda: queue_rows(principal=fatima, at=now()),
        lambda: stream_rows(principal=fatima, at=now()),
        lambda: effect_rows(principal=fatima),
    ):
        with pytest.raises(OperationsOnly):
            door()
