"""What is tolerated unless a bank's settings say otherwise: the 60 seconds everybody is told."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from sentinel.judging import _clock, _log
from sentinel.tolerances import Tolerances, tolerances

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def default(settings):
    del settings.SENTINEL_LOG_LAG_SECONDS_MAX
    del settings.SENTINEL_CLOCK_SECONDS_MAX
    return tolerances()


def proposal(risk: str, tolerated: Tolerances, at: datetime = NOW):
    return SimpleNamespace(entry=SimpleNamespace(risk=risk), tolerated=tolerated, at=at)


def known(lag: float):
    return SimpleNamespace(now=NOW, oldest_pending=NOW - timedelta(seconds=lag))


def test_a_log_a_minute_behind_stops_high_risks_and_nothing_else(default):
    assert _log(proposal("high", default), known(60), None) is None
    assert _log(proposal("high", default), known(61), None) == ("log_behind", "61 s")
    for risk in ("medium", "low"):
        assert _log(proposal(risk, default), known(3_600), None) is None


@pytest.mark.parametrize("seconds", [-301, 301])
def test_clocks_may_be_five_minutes_apart(default, seconds):
    near = NOW + timedelta(seconds=seconds * 300 / 301)
    far = NOW + timedelta(seconds=seconds)

    assert _clock(proposal("low", default, near), known(0), None) is None
    assert _clock(proposal("low", default, far), known(0), None) == ("clock_differs", "301 s")
