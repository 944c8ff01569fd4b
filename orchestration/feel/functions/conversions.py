"""Built-in functions that turn one kind of value into another."""

import re
from decimal import Decimal

from orchestration.feel.arithmetic import DECIMAL
from orchestration.feel.functions.registry import builtin
from orchestration.feel.literals import NUMBER
from orchestration.feel.temporal import (
    NANOSECONDS,
    UTC_ZONE,
    Date,
    DateTime,
    DaysDuration,
    MonthsDuration,
    Time,
    Zone,
)
from orchestration.feel.temporal_text import (
    OFFSET_SECONDS_MAX,
    parse_date,
    parse_date_time,
    parse_duration,
    parse_time,
)
from orchestration.feel.values import FeelValue

_SIGNED = re.compile(r"[+-]?" + NUMBER.pattern)
_GROUPINGS = {" ", ",", "."}


@builtin("not(negand)")
def _not(value: FeelValue) -> FeelValue:
    return (not value) if isinstance(value, bool) else None


@builtin("number(from: string)")
def _number(text: str) -> FeelValue:
    return DECIMAL.create_decimal(text) if _SIGNED.fullmatch(text) else None


@builtin("number(from: number)")
def _number_itself(number: Decimal) -> FeelValue:
    return number


@builtin("number(from: string, grouping separator: string|Null, decimal separator: string|Null)")
def _number_local(text: str, grouping: str | None, decimal: str | None) -> FeelValue:
    if grouping is not None and grouping not in _GROUPINGS:
        return None
    if decimal is not None and (decimal not in {".", ","} or decimal == grouping):
        return None
    plain = text.replace(grouping, "") if grouping else text
    return _number(plain.replace(decimal, ".") if decimal else plain)


@builtin("date(from: string)")
def _date(text: str) -> FeelValue:
    return parse_date(text)


@builtin("date(from: date|date and time)")
def _date_of(value: Date | DateTime) -> FeelValue:
    return value.date if isinstance(value, DateTime) else value


@builtin("date(year: number, month: number, day: number)")
def _date_from(year: Decimal, month: Decimal, day: Decimal) -> FeelValue:
    return Date(int(year), int(month), int(day))


@builtin("date and time(from: string)")
def _date_time(text: str) -> FeelValue:
    return parse_date_time(text)


@builtin("date and time(from: date|date and time)")
def _date_time_of(value: Date | DateTime) -> FeelValue:
    return value if isinstance(value, DateTime) else DateTime(value, Time(0, 0, 0))


@builtin("date and time(date: date|date and time, time: time)")
def _date_time_from(day: Date | DateTime, moment: Time) -> FeelValue:
    return DateTime(day.date if isinstance(day, DateTime) else day, moment)


@builtin("time(from: string)")
def _time(text: str) -> FeelValue:
    return parse_time(text)


@builtin("time(from: time|date|date and time)")
def _time_of(value: Time | Date | DateTime) -> FeelValue:
    if isinstance(value, Date):
        return Time(0, 0, 0, 0, UTC_ZONE)
    return value.time if isinstance(value, DateTime) else value


@builtin("time(hour: number, minute: number, second: number, offset?: days and time duration|Null)")
def _time_from(
    hour: Decimal, minute: Decimal, second: Decimal, offset: DaysDuration | None = None
) -> FeelValue:
    nanosecond = int((second % 1) * NANOSECONDS)
    zone = None
    if offset is not None:
        zone = Zone(int(offset.nanoseconds / NANOSECONDS))
        if abs(zone.offset_seconds) > OFFSET_SECONDS_MAX:
            return None
    return Time(int(hour), int(minute), int(second), nanosecond, zone)


@builtin("duration(from: string)")
def _duration(text: str) -> FeelValue:
    return parse_duration(text)


@builtin("duration(from: days and time duration|years and months duration)")
def _duration_itself(value: DaysDuration | MonthsDuration) -> FeelValue:
    return value


@builtin("years and months duration(from: date|date and time, to: date|date and time)")
def _months_between(start: Date | DateTime, end: Date | DateTime) -> FeelValue:
    first = start.date if isinstance(start, DateTime) else start
    last = end.date if isinstance(end, DateTime) else end
    months = (last.year - first.year) * 12 + last.month - first.month
    # A month counts when its day is reached, going either way.
    if months > 0 and last.day < first.day:
        months -= 1
    elif months < 0 and last.day > first.day:
        months += 1
    return MonthsDuration(months)
