"""FEEL dates, times and durations, without Python's year limits and without a clock.

FEEL years run from -999,999,999 to 999,999,999, Python's from 1 to 9,999, so the calendar is
computed here. All values are immutable and compare by what they denote only through
`orchestration.feel.comparison`; dataclass equality is field by field.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

NANOSECONDS = 1_000_000_000
DAY_NANOSECONDS = 86_400 * NANOSECONDS
YEAR_MAX = 999_999_999
# Months or seconds; far more than lie between the first day and the last.
_DURATION_MAX = 10**20
_DAYS_TO_EPOCH = 719_468  # From 0000-03-01, where the counting is regular, to 1970-01-01.
_MONTH_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class TemporalOutOfRange(ValueError):
    """The date does not exist, or lies (or the duration reaches) outside the years FEEL knows."""

    code = "temporal_out_of_range"
    is_retryable = False


def is_leap(year: int) -> bool:
    """Tell whether the Gregorian calendar, extended both ways, gives the year a 29 February."""
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)


def days_in_month(year: int, month: int) -> int:
    """Give the number of days of a month, 28 to 31."""
    return 29 if month == 2 and is_leap(year) else _MONTH_DAYS[month - 1]


@dataclass(frozen=True, slots=True)
class Date:
    """A day of the proleptic Gregorian calendar."""

    year: int
    month: int
    day: int

    def __post_init__(self) -> None:
        if not (
            abs(self.year) <= YEAR_MAX
            and 1 <= self.month <= 12
            and 1 <= self.day <= days_in_month(self.year, self.month)
        ):
            raise TemporalOutOfRange(self.year, self.month, self.day)

    @property
    def ordinal(self) -> int:
        """Days since 1970-01-01."""
        year = self.year - (self.month <= 2)
        era, of_era = divmod(year, 400)
        of_year = (153 * ((self.month + 9) % 12) + 2) // 5 + self.day - 1
        day_of_era = of_era * 365 + of_era // 4 - of_era // 100 + of_year
        return era * 146_097 + day_of_era - _DAYS_TO_EPOCH

    @classmethod
    def from_ordinal(cls, ordinal: int) -> "Date":
        """Give the day that many days after 1970-01-01.

        Raises:
            TemporalOutOfRange: the year has more than nine digits.
        """
        era, day_of_era = divmod(ordinal + _DAYS_TO_EPOCH, 146_097)
        of_era = (
            day_of_era - day_of_era // 1460 + day_of_era // 36_524 - day_of_era // 146_096
        ) // 365
        of_year = day_of_era - (365 * of_era + of_era // 4 - of_era // 100)
        shifted = (5 * of_year + 2) // 153
        month = shifted + 3 if shifted < 10 else shifted - 9
        year = of_era + era * 400 + (month <= 2)
        return cls(year, month, of_year - (153 * shifted + 2) // 5 + 1)

    @property
    def weekday(self) -> int:
        """ISO weekday: Monday is 1, Sunday is 7."""
        return (self.ordinal + 3) % 7 + 1

    @property
    def day_of_year(self) -> int:
        """Day within the year, from 1."""
        return self.ordinal - Date(self.year, 1, 1).ordinal + 1

    def plus_months(self, months: int) -> "Date":
        """Move by whole months; a day the month lacks becomes its last day."""
        total = self.year * 12 + self.month - 1 + months
        year, month = divmod(total, 12)
        if abs(year) > YEAR_MAX:
            raise TemporalOutOfRange(year, month + 1, self.day)
        return Date(year, month + 1, min(self.day, days_in_month(year, month + 1)))


@dataclass(frozen=True, slots=True)
class Zone:
    """Where a time is told: a fixed offset in seconds, or an IANA zone by name."""

    offset_seconds: int = 0
    name: str | None = None

    def offset_at(self, day: Date, second_of_day: int) -> int:
        """Give the offset from UTC, in seconds, in force at a local moment."""
        if self.name is None:
            return self.offset_seconds
        local = _in_python(day, ZoneInfo(self.name))
        offset = (local + timedelta(seconds=second_of_day)).utcoffset()
        return 0 if offset is None else int(offset.total_seconds())

    def offset_of(self, instant: int) -> int:
        """Give the offset from UTC, in seconds, in force that many seconds after the epoch."""
        if self.name is None:
            return self.offset_seconds
        days, seconds = divmod(instant, 86_400)
        moment = _in_python(Date.from_ordinal(days), UTC) + timedelta(seconds=seconds)
        offset = moment.astimezone(ZoneInfo(self.name)).utcoffset()
        return 0 if offset is None else int(offset.total_seconds())


def _in_python(day: Date, zone: tzinfo) -> datetime:
    # Zone rules beyond Python's calendar repeat every 400 years.
    year = day.year if 1 < day.year < 9999 else 2000 + day.year % 400
    return datetime(year, day.month, day.day, tzinfo=zone)


UTC_ZONE = Zone(0)


@dataclass(frozen=True, slots=True)
class Time:
    """A time of day, to the nanosecond, told in a zone or local."""

    hour: int
    minute: int
    second: int
    nanosecond: int = 0
    zone: Zone | None = None

    def __post_init__(self) -> None:
        if not (
            0 <= self.hour <= 23
            and 0 <= self.minute <= 59
            and 0 <= self.second <= 59
            and 0 <= self.nanosecond < NANOSECONDS
        ):
            raise TemporalOutOfRange(self.hour, self.minute, self.second)

    @property
    def second_of_day(self) -> int:
        """Whole seconds since midnight."""
        return self.hour * 3600 + self.minute * 60 + self.second

    @property
    def nanosecond_of_day(self) -> int:
        """Nanoseconds since midnight."""
        return self.second_of_day * NANOSECONDS + self.nanosecond

    @classmethod
    def from_nanoseconds(cls, nanoseconds: int, zone: Zone | None) -> "Time":
        """Give the time that long after midnight, counted within one day."""
        seconds, nanosecond = divmod(nanoseconds % DAY_NANOSECONDS, NANOSECONDS)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        return cls(hour, minute, second, nanosecond, zone)

    def offset_seconds(self, day: Date | None = None) -> int | None:
        """Give the offset from UTC on a day, or None for a local time."""
        if self.zone is None:
            return None
        return self.zone.offset_at(day or Date(1970, 1, 1), self.second_of_day)


@dataclass(frozen=True, slots=True)
class DateTime:
    """A date with a time of day."""

    date: Date
    time: Time

    @property
    def local_nanoseconds(self) -> int:
        """Nanoseconds since 1970-01-01T00:00, on the wall clock it is told by."""
        return self.date.ordinal * DAY_NANOSECONDS + self.time.nanosecond_of_day

    @property
    def utc_nanoseconds(self) -> int:
        """Nanoseconds since the epoch; a local value counts as if it were UTC."""
        offset = self.time.offset_seconds(self.date) or 0
        return self.local_nanoseconds - offset * NANOSECONDS

    def plus_nanoseconds(self, nanoseconds: int) -> "DateTime":
        """Move by an exact amount of time, keeping the zone."""
        moved = self.local_nanoseconds + nanoseconds
        zone = self.time.zone
        if zone is not None and zone.name is not None:
            # The clocks of a region may be changed on the way.
            instant = self.utc_nanoseconds + nanoseconds
            moved = instant + zone.offset_of(instant // NANOSECONDS) * NANOSECONDS
        days, rest = divmod(moved, DAY_NANOSECONDS)
        return DateTime(Date.from_ordinal(days), Time.from_nanoseconds(rest, self.time.zone))


@dataclass(frozen=True, slots=True)
class DaysDuration:
    """An exact length of time (days and time duration)."""

    nanoseconds: int

    def __post_init__(self) -> None:
        if abs(self.nanoseconds) > _DURATION_MAX * NANOSECONDS:
            raise TemporalOutOfRange(self.nanoseconds)


@dataclass(frozen=True, slots=True)
class MonthsDuration:
    """A length in calendar months (years and months duration)."""

    months: int

    def __post_init__(self) -> None:
        if abs(self.months) > _DURATION_MAX:
            raise TemporalOutOfRange(self.months)


Duration = DaysDuration | MonthsDuration
Temporal = Date | Time | DateTime | DaysDuration | MonthsDuration


def from_python(value: date | time | timedelta) -> Temporal:
    """Turn a value of the `datetime` module into its FEEL counterpart."""
    if isinstance(value, datetime):
        return DateTime(Date(value.year, value.month, value.day), _time_of(value.timetz(), value))
    if isinstance(value, date):
        return Date(value.year, value.month, value.day)
    if isinstance(value, time):
        return _time_of(value, value)
    microseconds = value // timedelta(microseconds=1)
    return DaysDuration(microseconds * 1000)


def _time_of(value: time, source: datetime | time) -> Time:
    return Time(value.hour, value.minute, value.second, value.microsecond * 1000, _zone_of(source))


def _zone_of(source: datetime | time) -> Zone | None:
    if isinstance(source.tzinfo, ZoneInfo):
        return Zone(0, source.tzinfo.key)
    offset = source.utcoffset()
    return None if offset is None else Zone(int(offset.total_seconds()))


def to_instant(value: DateTime) -> datetime:
    """Turn a FEEL date and time into an aware Python instant in UTC; local counts as UTC.

    Raises:
        TemporalOutOfRange: the year is not one Python knows.
    """
    seconds, nanoseconds = divmod(value.utc_nanoseconds, NANOSECONDS)
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError as error:
        raise TemporalOutOfRange(value.date.year, value.date.month, value.date.day) from error
    return moment.replace(microsecond=nanoseconds // 1000)
