"""The business calendar: hours, holidays, time zones, and how time is counted on it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from orchestration.worklist.calendars import ALWAYS_OPEN, CalendarRefused, read_calendar

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday")
DESK = read_calendar(
    {
        "zone": "Europe/Amsterdam",
        "hours": {day: [["08:00", "12:30"], ["13:00", "18:00"]] for day in WEEK},
        "holidays": "ECB",
        "closed": ["2026-11-24"],
    }
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("start", "duration", "end"),
    [
        ("2026-11-20T09:00+01:00", "PT2H", "2026-11-20T11:00+01:00"),
        ("2026-11-20T12:00+01:00", "PT1H", "2026-11-20T13:30+01:00"),
        ("2026-11-20T17:00+01:00", "PT2H", "2026-11-23T09:00+01:00"),
        ("2026-11-21T03:00+01:00", "PT30M", "2026-11-23T08:30+01:00"),
        ("2026-11-20T10:00+01:00", "P1D", "2026-11-23T10:00+01:00"),
        ("2026-11-23T10:00+01:00", "P1D", "2026-11-25T10:00+01:00"),
        ("2026-11-20T17:00+01:00", "P1DT2H", "2026-11-25T09:00+01:00"),
        ("2026-04-02T17:30+02:00", "PT1H", "2026-04-07T08:30+02:00"),
        ("2026-03-27T17:00+01:00", "PT2H", "2026-03-30T09:00+02:00"),
        ("2026-01-31T09:00+01:00", "P1M", "2026-03-02T08:00+01:00"),
        ("2026-11-20T10:00+01:00", "P2W", "2026-12-04T10:00+01:00"),
        ("2026-11-20T10:00+01:00", "P1W", "2026-11-27T10:00+01:00"),
        ("2026-11-20T12:00+01:00", "PT1.5H", "2026-11-20T14:00+01:00"),
        ("2026-11-20T10:00+01:00", "P1M1DT1H", "2026-12-22T09:00+01:00"),
        ("2026-11-20T10:00+01:00", "PT0S", "2026-11-20T10:00+01:00"),
        ("2026-11-20T08:00+01:00", "PT19H", "2026-11-23T18:00+01:00"),
    ],
)
def test_time_is_counted_while_the_desk_is_open(start, duration, end):
    assert DESK.add(at(start), duration) == at(end)


def test_a_desk_without_hours_never_closes():
    start = at("2026-11-21T23:00+00:00")

    assert ALWAYS_OPEN.add(start, "P1DT2H") == start + timedelta(hours=26)
    assert ALWAYS_OPEN.working_time(start, start + timedelta(days=3)) == timedelta(days=3)
    assert ALWAYS_OPEN.is_open(start)


def test_it_knows_when_it_is_open():
    assert DESK.is_open(at("2026-11-20T08:00+01:00"))
    assert not DESK.is_open(at("2026-11-20T12:45+01:00"))
    assert not DESK.is_open(at("2026-11-20T18:00+01:00"))
    assert not DESK.is_open(at("2026-12-25T10:00+01:00"))
    assert not DESK.is_open(at("2026-11-24T10:00+01:00"))


def test_nights_and_weekends_are_no_working_time():
    friday, monday = at("2026-11-20T17:00+01:00"), at("2026-11-23T09:00+01:00")

    assert DESK.working_time(friday, monday) == timedelta(hours=2)
    assert DESK.working_time(monday, friday) == timedelta()


@pytest.mark.parametrize(
    "duration", ["", "4 hours", "-PT1H", "P-1D", "PT", "P500000D", "PT9999999H"]
)
def test_what_is_no_working_time_is_refused(duration):
    with pytest.raises(CalendarRefused) as refused:
        DESK.add(at("2026-11-20T10:00+01:00"), duration)

    assert refused.value.code == "calendar_refused"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({"zone": "Europe/Nowhere", "hours": {"monday": [["08:00", "18:00"]]}}, "zone"),
        ({"zone": "../etc/passwd", "hours": {"monday": [["08:00", "18:00"]]}}, "zone"),
        ({"zone": "UTC", "hours": {}}, "hours"),
        ({"zone": "UTC", "hours": {"mon": [["08:00", "18:00"]]}}, "hours"),
        ({"zone": "UTC", "hours": {"monday": [["18:00", "08:00"]]}}, "hours.monday"),
        (
            {"zone": "UTC", "hours": {"monday": [["08:00", "12:00"], ["11:00", "18:00"]]}},
            "hours.monday",
        ),
        ({"zone": "UTC", "hours": {"monday": [["08:00", "18:00"]]}, "holidays": "XX"}, "holidays"),
        ({"zone": "UTC", "hours": {"monday": [["08:00", "25:00"]]}}, "hours.monday.0.1"),
        ({"zone": "UTC", "hours": {"monday": [["08:00", "18:00"]]}, "more": 1}, "more"),
    ],
)
def test_a_calendar_that_is_none_is_refused_with_its_place(content, place):
    with pytest.raises(CalendarRefused) as refused:
        read_calendar(content)

    assert refused.value.place == place


MINUTES = some.integers(0, 60 * 24 * 400)


@settings(max_examples=50, deadline=None)
@given(start=MINUTES, length=some.integers(0, 60 * 100))
def test_working_time_undoes_the_counting(start, length):
    begin = at("2026-01-01T00:00+00:00") + timedelta(minutes=start)

    end = DESK.add(begin, f"PT{length}M")

    assert DESK.working_time(begin, end) == timedelta(minutes=length)


@settings(max_examples=50, deadline=None)
@given(first=MINUTES, later=some.integers(0, 60 * 24 * 10), length=some.integers(1, 6_000))
def test_who_begins_later_ends_later(first, later, length):
    begin = at("2026-01-01T00:00+00:00") + timedelta(minutes=first)
    after = begin + timedelta(minutes=later)

    assert DESK.add(begin, f"PT{length}M") <= DESK.add(after, f"PT{length}M")
