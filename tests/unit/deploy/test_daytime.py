"""Banks of tests and benches live at noon, whatever the hour, and on the day it is."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from deploy.benches.daytime import NOON, zone_at_noon


@pytest.mark.parametrize("hour", range(24))
def test_it_is_noon_of_the_same_day(hour: int) -> None:
    now = datetime(2026, 11, 21, hour, 59, tzinfo=UTC)

    local = now.astimezone(ZoneInfo(zone_at_noon(now)))

    assert (local.hour, local.date()) == (NOON, now.date())
