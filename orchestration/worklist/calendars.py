"""The business calendar: opening hours, holidays, and how time is counted on it. Pure.

A day of a duration is a working day, an hour an hour in which the desk is open: `P1DT2H` from
Friday 17:00 is Tuesday 09:00 where the desk is open from 08:00 to 18:00 on weekdays.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestration.bpmn.durations import parse_iso_duration
from orchestration.feel.temporal import DAY_NANOSECONDS

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DAYS_LOOKED_AHEAD_MAX = 3_660
_DAY = timedelta(days=1)
_MICROSECOND_NANOSECONDS = 1_000
Span = tuple[datetime, datetime]


class CalendarRefused(ValueError):
    """The calendar is not one that time can be counted on; `place` says where it is wrong."""

    code = "calendar_refused"
    is_retryable = False

    def __init__(self, place: str, words: str) -> None:
        super().__init__(place, words)
        self.place, self.words = place, words


class _Content(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    zone: str
    hours: Mapping[str, tuple[tuple[time, time], ...]]
    holidays: str | None = None
    closed: tuple[date, ...] = Field(default=(), max_length=1_000)


@dataclass(frozen=True, slots=True)
class BusinessCalendar:
    """When the bank's people work, in the time zone of their desk.

    `hours` has seven entries, Monday first, each a row of spans that neither touch nor cross;
    `region` names the public holidays: an ISO 3166 country, or `ECB` for the days on which
    TARGET is closed. None at all means that the desk never closes.
    """

    zone: str = "UTC"
    hours: tuple[tuple[tuple[time, time], ...], ...] | None = None
    region: str | None = None
    closed: frozenset[date] = field(default_factory=frozenset)

    def is_open(self, at: datetime) -> bool:
        """Tell whether the desk works at an instant."""
        if self.hours is None:
            return True
        day = at.astimezone(ZoneInfo(self.zone)).date()
        return any(begin <= at < end for begin, end in self._spans(day))

    def add(self, start: datetime, duration: str) -> datetime:
        """Return the instant that is an ISO 8601 duration of working time after another.

        Raises:
            CalendarRefused: it is no duration, a negative one, or further away than ten years.
        """
        months, weeks, days, rest = _parts(duration)
        if months * 30 + weeks * 7 + days > DAYS_LOOKED_AHEAD_MAX:
            raise CalendarRefused("duration", "further away than ten years")
        begun = _months_on(start, months) + timedelta(weeks=weeks)
        if self.hours is None:
            return begun + timedelta(days=days) + rest
        moment = self.next_open(begun)
        for _ in range(days):
            moment = self._same_time_next_day(moment)
        return self._add_open_time(moment, rest)

    def working_time(self, start: datetime, end: datetime) -> timedelta:
        """Return how long the desk is open between two instants; none if they are reversed."""
        if end <= start:
            return timedelta()
        if self.hours is None:
            return end - start
        total = timedelta()
        for begin, until in self._open_from(start):
            if begin >= end:
                break
            total += min(until, end) - begin
        return total

    def open_until(self, at: datetime) -> datetime | None:
        """Return when the desk closes after an instant; None if it is closed, or never closes."""
        if self.hours is None:
            return None
        day = at.astimezone(ZoneInfo(self.zone)).date()
        return next((end for begin, end in self._spans(day) if begin <= at < end), None)

    def next_open(self, at: datetime) -> datetime:
        """Return the first instant from this one on at which the desk works.

        Raises:
            CalendarRefused: it is not within ten years.
        """
        return at if self.hours is None else next(self._open_from(at))[0]

    def day_after(self, at: datetime) -> datetime:
        """Return the midnight that ends the day of an instant where the desk is."""
        zone = ZoneInfo(self.zone)
        return _instant(at.astimezone(zone).date() + _DAY, time.min, zone)

    def _same_time_next_day(self, at: datetime) -> datetime:
        """Return the same local time of the next working day, or the first open time after it."""
        zone = ZoneInfo(self.zone)
        local = at.astimezone(zone)
        for ahead in range(1, DAYS_LOOKED_AHEAD_MAX):
            day = local.date() + ahead * _DAY
            if self._spans(day):
                wanted = datetime.combine(day, local.timetz().replace(tzinfo=None), zone)
                return self.next_open(wanted.astimezone(UTC))
        raise CalendarRefused("hours", "no working day within ten years")

    def _add_open_time(self, start: datetime, rest: timedelta) -> datetime:
        if not rest:
            return start
        for begin, end in self._open_from(start):
            if begin + rest <= end:
                return begin + rest
            rest -= end - begin
        raise CalendarRefused("duration", "further away than ten years")

    def _open_from(self, start: datetime) -> Iterator[Span]:
        """Give the spans in which the desk is open from an instant on, the first one cut to it."""
        first = start.astimezone(ZoneInfo(self.zone)).date()
        found = False
        for ahead in range(DAYS_LOOKED_AHEAD_MAX):
            for begin, end in self._spans(first + ahead * _DAY):
                if end > start:
                    found = True
                    yield max(begin, start), end
        if not found:
            raise CalendarRefused("hours", "the desk is never open")

    def _spans(self, day: date) -> tuple[Span, ...]:
        assert self.hours is not None
        if day in self.closed or (self.region and day in _holidays_of(self.region, day.year)):
            return ()
        zone = ZoneInfo(self.zone)
        return tuple(
            (_instant(day, begin, zone), _instant(day, end, zone))
            for begin, end in self.hours[day.weekday()]
        )


def _instant(day: date, local: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, local, zone).astimezone(UTC)


def _months_on(start: datetime, months: int) -> datetime:
    if not months:
        return start
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    first = start.replace(year=year, month=month + 1, day=1)
    last_day = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - _DAY
    return first.replace(day=min(start.day, last_day.day))


def _parts(duration: str) -> tuple[int, int, int, timedelta]:
    """Return the months, weeks, days and time of a duration; weeks are those of the calendar."""
    value = parse_iso_duration(duration)
    if value is None or value.months < 0 or value.nanoseconds < 0:
        raise CalendarRefused("duration", f"{duration[:40]!r} is no duration of working time")
    days, rest = divmod(value.nanoseconds, DAY_NANOSECONDS)
    if days > DAYS_LOOKED_AHEAD_MAX:
        raise CalendarRefused("duration", "further away than ten years")
    time_left = timedelta(microseconds=rest // _MICROSECOND_NANOSECONDS)
    if duration.endswith("W"):
        return value.months, *divmod(days, 7), time_left
    if "D" in duration:
        return value.months, 0, days, time_left
    # Hours beyond a day are hours in which the desk is open, and not days.
    return value.months, 0, 0, timedelta(days=days) + time_left


@lru_cache(maxsize=256)
def _holidays_of(region: str, year: int) -> frozenset[date]:
    if region in holidays.list_supported_financial():
        return frozenset(holidays.financial_holidays(region, years=year))
    return frozenset(holidays.country_holidays(region, years=year))


def read_calendar(content: Mapping[str, Any]) -> BusinessCalendar:
    """Make a calendar from its stored form: zone, hours by weekday, holidays, closed days.

    Raises:
        CalendarRefused: a zone, a weekday, an hour or a region that is none, or never open.
    """
    try:
        read = _Content.model_validate(content)
        ZoneInfo(read.zone)
    except ValidationError as error:
        fault = error.errors()[0]
        raise CalendarRefused(".".join(map(str, fault["loc"])), str(fault["msg"])) from error
    except (KeyError, ValueError, OSError) as error:
        raise CalendarRefused("zone", "no such time zone") from error
    _check_region(read.holidays)
    unknown = set(read.hours) - set(WEEKDAYS)
    if unknown:
        raise CalendarRefused("hours", f"no weekday is called {sorted(unknown)[0]!r}")
    hours = tuple(_checked_hours(day, read.hours.get(day, ())) for day in WEEKDAYS)
    if not any(hours):
        raise CalendarRefused("hours", "the desk is never open")
    return BusinessCalendar(read.zone, hours, read.holidays, frozenset(read.closed))


def _check_region(region: str | None) -> None:
    if region is None:
        return
    known = {*holidays.list_supported_financial(), *holidays.list_supported_countries()}
    if region not in known:
        raise CalendarRefused("holidays", f"no holidays are known for {region[:20]!r}")


def _checked_hours(day: str, spans: tuple[tuple[time, time], ...]) -> tuple[tuple[time, time], ...]:
    previous = None
    for begin, end in spans:
        if begin.tzinfo or end.tzinfo or begin >= end:
            raise CalendarRefused(f"hours.{day}", "each span begins before it ends, in local time")
        if previous is not None and begin <= previous:
            raise CalendarRefused(f"hours.{day}", "spans follow each other with a gap")
        previous = end
    return spans


ALWAYS_OPEN = BusinessCalendar()
