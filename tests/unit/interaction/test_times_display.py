"""Times as a person reads them: in the bank's zone, the whole of them where one points."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from interaction.templatetags.bank import day, day_and_time, moment

JUST_BEFORE_MIDNIGHT = datetime(2026, 11, 21, 23, 30, 5, tzinfo=UTC)


@pytest.fixture(autouse=True)
def amsterdam() -> Iterator[None]:
    with timezone.override(ZoneInfo("Europe/Amsterdam")):
        yield


def test_the_day_of_a_moment_is_the_day_it_was_here() -> None:
    assert day(JUST_BEFORE_MIDNIGHT) == '<time datetime="2026-11-22">22 Nov 2026</time>'


@pytest.mark.parametrize("given", [date(2026, 11, 21), "2026-11-21"])
def test_a_calendar_day_stays_what_it_is(given: date | str) -> None:
    assert day(given) == '<time datetime="2026-11-21">21 Nov 2026</time>'


def test_a_time_tells_its_day_and_zone_to_whoever_points_at_it() -> None:
    exact = 'datetime="2026-11-21T23:30:05+00:00" title="22 Nov 2026, 00:30:05 CET"'

    assert moment(JUST_BEFORE_MIDNIGHT) == f"<time {exact}>00:30:05</time>"
    assert day_and_time(JUST_BEFORE_MIDNIGHT) == f"<time {exact}>22 Nov 2026, 00:30</time>"
