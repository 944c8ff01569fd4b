"""Twenty deliveries of one thing at once: one instance."""

from collections import Counter
from datetime import UTC, datetime

import pytest

from orchestration.public import DeliveryRefused, run_schedules_once
from orchestration.triggers.content import TriggerContent
from orchestration.triggers.receiving import receive
from tests.authority import count, employee, found_bank
from tests.layers.orchestration.flows import Flows
from tests.layers.orchestration.test_triggers import BODY
from tests.races.test_token_once import at_once

DELIVERIES = 20

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def flow(entity):
    found_bank()
    triggers = {
        "t": TriggerContent(kind="message", source="order"),
        "clock": TriggerContent(kind="schedule", every="* * * * *"),
    }
    Flows(employee("operations")).published(BODY, triggers=triggers)


def test_one_delivery_twenty_times_at_once_starts_one_instance():
    def deliver(_number):
        taken = receive(trigger="p/t", event_id="one", payload={"order": "A"}, at=datetime.now(UTC))
        return taken.is_new, taken.instance_id

    found = at_once(deliver, DELIVERIES, DELIVERIES)

    assert Counter(is_new for is_new, _ in found) == {True: 1, False: DELIVERIES - 1}
    assert len({instance_id for _, instance_id in found}) == 1
    assert (count("orch_instance"), count("orch_trigger_run"), count("orch_case")) == (1, 1, 1)


def test_one_id_for_twenty_different_things_starts_one_of_them():
    def deliver(number):
        try:
            receive(trigger="p/t", event_id="one", payload={"order": number}, at=datetime.now(UTC))
        except DeliveryRefused as refused:
            return refused.reason
        return "started"

    found = Counter(at_once(deliver, DELIVERIES, DELIVERIES))

    assert found == {"started": 1, "event_id_reused": DELIVERIES - 1}
    assert count("orch_instance") == 1


def test_several_clocks_begin_one_time_once():
    at = datetime(2026, 11, 21, 10, 0, 30, tzinfo=UTC)
    run_schedules_once(at=at)

    begun = at_once(
        lambda _number: run_schedules_once(at=at.replace(minute=1)), DELIVERIES, DELIVERIES
    )

    assert sum(begun) == 1
    assert count("orch_instance") == 1
