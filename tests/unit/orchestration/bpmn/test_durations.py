"""Durations as drawings write them: every form of ISO 8601, and nothing that looks like one."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestration.bpmn.cycles import parse_cycle
from orchestration.bpmn.durations import IsoDuration, is_period, parse_iso_duration
from orchestration.core.timing import instant_after, next_due_after
from orchestration.feel.temporal import DAY_NANOSECONDS, NANOSECONDS

HOUR = 3600 * NANOSECONDS


@pytest.mark.parametrize(
    ("text", "months", "nanoseconds"),
    [
        ("P2W", 0, 14 * DAY_NANOSECONDS),
        ("P0.5W", 0, 7 * DAY_NANOSECONDS // 2),
        ("P1Y2M3DT4H", 14, 3 * DAY_NANOSECONDS + 4 * HOUR),
        ("P1M1D", 1, DAY_NANOSECONDS),
        ("PT1.5H", 0, 3 * HOUR // 2),
        ("PT1H0,5M", 0, HOUR + 30 * NANOSECONDS),
        ("P1.5D", 0, 3 * DAY_NANOSECONDS // 2),
        ("PT0.0000000019S", 0, 1),
        ("-P1MT1H", -1, -HOUR),
        ("P0D", 0, 0),
    ],
)
def test_a_duration_has_months_and_an_exact_time(text, months, nanoseconds):
    assert parse_iso_duration(text) == IsoDuration(months, nanoseconds)


@pytest.mark.parametrize(
    "text",
    [
        "", "P", "PT", "P1DT", "1D", "P1H", "PT1D", "PT1H1D", "P1D1M", "P1W2D", "P1Y1W", "P1WT1H",
        "P1.5Y", "P1.5M", "P1.5DT1H", "PT1.5H30M", "PT1.H", "PT.5H", "P-1D", "+P1D", "p1d", "P 1D",
        "P1D\n", "P\u0661D", "P" + "1" * 60 + "D", "soon",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_duration_is_none(text):
    assert parse_iso_duration(text) is None
    assert not is_period(text)


def test_months_are_added_before_days():
    start = datetime(2027, 1, 31, 12, tzinfo=UTC)

    assert instant_after(start, "P1M1D") == datetime(2027, 3, 1, 12, tzinfo=UTC)


def test_what_lies_beyond_all_time_has_no_instant():
    start = datetime(2026, 1, 1, tzinfo=UTC)

    assert instant_after(start, "P999999999999Y") is None
    assert instant_after(start, "PT" + "9" * 40 + "H") is None


def test_a_cycle_of_months_and_days_passes_over_what_was_missed():
    start = datetime(2026, 1, 1, tzinfo=UTC)
    assert parse_cycle("R/P1M1D") is not None

    found = next_due_after(start + timedelta(days=400), start, "P1M1D")

    # The thirteenth is thirteen months and thirteen days on.
    assert found == (datetime(2027, 2, 14, tzinfo=UTC), 13)
