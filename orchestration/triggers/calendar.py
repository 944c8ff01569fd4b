"""Schedules: cron lines and ISO 8601 cycles, and when they come next. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from celery.schedules import ParseException, crontab_parser

from orchestration.core.timing import next_due

_CYCLE = re.compile(r"R(\d*)/(\d{4}-\d\d-\d\dT[^/]+)/(P[^/]+)")
# A cron line that names 29 February comes at least once in eight years.
_DAYS_MAX = 8 * 366
_PERIODS_MAX = 100_000


class ScheduleRefused(ValueError):
    """This is neither a cron line nor an ISO 8601 cycle with a beginning."""

    code = "schedule_refused"
    is_retryable = False

    def __init__(self, text: str, reason: str) -> None:
        super().__init__(text, reason)
        self.text, self.reason = text, reason


@dataclass(frozen=True, slots=True)
class Cron:
    """Minutes, hours, days and months in which it comes, by the clock on the wall."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_either_day: bool
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time after a moment, or None if it never comes."""
        day = moment.astimezone(self.zone).date()
        for _ in range(_DAYS_MAX):
            if self._has(day):
                found = next((each for each in self._times(day) if each > moment), None)
                if found is not None:
                    return found
            day += timedelta(days=1)
        return None

    def _has(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        # Cron counts the week from Sunday.
        is_weekday, is_day = (day.isoweekday() % 7) in self.weekdays, day.day in self.days
        return is_weekday or is_day if self.is_either_day else is_weekday and is_day

    def _times(self, day: date) -> Iterator[datetime]:
        """Yield the instants of a day; a time the clock leaps over comes when it has leapt."""
        for hour in self.hours:
            for minute in self.minutes:
                local = datetime.combine(day, time(hour, minute), self.zone)
                yield local.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Cycle:
    """A beginning, a period, and how often (None: for ever)."""

    start: datetime
    period: str
    times: int | None

    def after(self, moment: datetime) -> datetime | None:
        """Return the first time after a moment, or None if it is over."""
        due, count = self._near(moment)
        while due is not None and count < _PERIODS_MAX:
            if self.times is not None and count >= self.times:
                return None
            if due > moment:
                return due
            due, count = next_due(due, self.period), count + 1
        return None

    def _near(self, moment: datetime) -> tuple[datetime | None, int]:
        """Jump close to the moment when all periods are of one length."""
        second = next_due(self.start, self.period)
        if second is None or moment <= self.start or re.search(r"\d[YM](?!.*T)", self.period):
            return self.start, 0
        step = second - self.start
        count = max(0, (moment - self.start) // step)
        return self.start + step * count, count


Schedule = Cron | Cycle


def schedule_of(text: str, zone: str) -> Schedule:
    """Read a schedule.

    Raises:
        ScheduleRefused: it cannot be read, or its zone is not known.
    """
    try:
        place = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ScheduleRefused(text, f"no such zone: {zone}") from error
    return _cycle(text, place) if text.startswith("R") else _cron(text, place)


def _cron(text: str, zone: ZoneInfo) -> Cron:
    fields = text.split()
    if len(fields) != 5:
        raise ScheduleRefused(text, "a cron line has five fields")
    try:
        minutes = crontab_parser(60).parse(fields[0])
        hours = crontab_parser(24).parse(fields[1])
        days = crontab_parser(31, 1).parse(fields[2])
        months = crontab_parser(12, 1).parse(fields[3])
        weekdays = crontab_parser(7).parse(fields[4].replace("7", "0"))
    except (ParseException, ValueError) as error:
        raise ScheduleRefused(text, str(error)) from error
    found = Cron(
        tuple(sorted(minutes)),
        tuple(sorted(hours)),
        frozenset(days),
        frozenset(months),
        frozenset(weekdays),
        is_either_day="*" not in (fields[2], fields[4]),
        zone=zone,
    )
    if found.after(datetime(2026, 1, 1, tzinfo=UTC)) is None:
        raise ScheduleRefused(text, "it never comes")
    return found


def _cycle(text: str, zone: ZoneInfo) -> Cycle:
    found = _CYCLE.fullmatch(text)
    if found is None:
        raise ScheduleRefused(text, "a cycle is R<times>/<beginning>/<period>")
    times, beginning, period = found.groups()
    try:
        start = datetime.fromisoformat(beginning)
    except ValueError as error:
        raise ScheduleRefused(text, "its beginning is no time") from error
    if start.tzinfo is None:
        start = start.replace(tzinfo=zone)
    second = next_due(start.astimezone(UTC), period)
    if second is None or second <= start:
        raise ScheduleRefused(text, "its period is no duration")
    return Cycle(start.astimezone(UTC), period, int(times) if times else None)
