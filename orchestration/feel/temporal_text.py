"""ISO 8601 texts of dates, times and durations, both ways."""

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestration.feel.temporal import (
    DAY_NANOSECONDS,
    NANOSECONDS,
    UTC_ZONE,
    Date,
    DateTime,
    DaysDuration,
    Duration,
    MonthsDuration,
    Temporal,
    TemporalOutOfRange,
    Time,
    Zone,
)

OFFSET_SECONDS_MAX = 18 * 3600
_DATE = re.compile(r"(-?)(\d{4}|[1-9]\d{4,8})-(\d\d)-(\d\d)", re.ASCII)
_TIME = re.compile(
    r"(\d\d):(\d\d):(\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d(?::\d\d)?|@[A-Za-z][\w+/-]*)?", re.ASCII
)
_MONTHS = re.compile(r"(-?)P(?:(\d+)Y)?(?:(\d+)M)?", re.ASCII)
_DAYS = re.compile(r"(-?)P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d+))?S)?)?", re.ASCII)
_DIGITS_MAX = 18


def parse_date(text: str) -> Date | None:
    """Read `2026-11-21`; None when it is no such date."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    sign, year, month, day = found.groups()
    try:
        return Date(int(sign + year), int(month), int(day))
    except TemporalOutOfRange:
        return None


def parse_time(text: str) -> Time | None:
    """Read `10:30:00`, with a fraction, an offset or a zone; None when it is no such time."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    hour, minute, second, fraction, zone_text = found.groups()
    if (hour, minute, second) == ("24", "00", "00") and not _nanoseconds(fraction):
        hour = "00"  # The end of a day is the time its next one starts.
    zone = parse_zone(zone_text) if zone_text else None
    if zone_text and zone is None:
        return None
    try:
        return Time(int(hour), int(minute), int(second), _nanoseconds(fraction), zone)
    except TemporalOutOfRange:
        return None


def parse_zone(text: str) -> Zone | None:
    """Read `Z` (or `z`), `+02:00` or `@Europe/Amsterdam`; None when there is no such zone."""
    if text in {"Z", "z"}:
        return UTC_ZONE
    if text.startswith("@"):
        return _named_zone(text[1:])
    parts = [int(part) for part in text[1:].split(":")]
    seconds = parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) == 3 else 0)
    if seconds > OFFSET_SECONDS_MAX or parts[1] > 59:
        return None
    return Zone(-seconds if text[0] == "-" else seconds)


def _named_zone(name: str) -> Zone | None:
    try:
        return Zone(0, ZoneInfo(name).key)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _nanoseconds(fraction: str | None) -> int:
    return int((fraction or "0")[:9].ljust(9, "0"))


def parse_date_time(text: str) -> DateTime | None:
    """Read a date, `T` and a time; a date alone is its midnight. None when it is neither."""
    day_text, separator, time_text = text.partition("T")
    day = parse_date(day_text)
    # The end of a day may be written as its hour 24, which is the start of the next.
    is_end = time_text.startswith("24:00:00")
    moment = parse_time("00" + time_text[2:] if is_end else time_text)
    if not separator:
        moment = Time(0, 0, 0)
    if day is None or moment is None:
        return None
    start = DateTime(day, moment)
    return start.plus_nanoseconds(DAY_NANOSECONDS) if is_end else start


def parse_duration(text: str) -> Duration | None:
    """Read `P1Y2M` or `P1DT2H`; None when it is neither, or names nothing."""
    if text.endswith(("P", "T")) or len(text) > 3 * _DIGITS_MAX:
        return None
    months = _MONTHS.fullmatch(text)
    try:
        return _parse_months(months) if months else _parse_days(text)
    except TemporalOutOfRange:
        return None


def _parse_months(found: re.Match[str]) -> MonthsDuration:
    sign, years, count = found.groups()
    total = int(years or 0) * 12 + int(count or 0)
    return MonthsDuration(-total if sign else total)


def _parse_days(text: str) -> DaysDuration | None:
    found = _DAYS.fullmatch(text)
    if found is None:
        return None
    sign, days, hours, minutes, seconds, fraction = found.groups()
    whole = (
        int(days or 0) * 86_400
        + int(hours or 0) * 3600
        + int(minutes or 0) * 60
        + int(seconds or 0)
    )
    total = whole * NANOSECONDS + _nanoseconds(fraction)
    return DaysDuration(-total if sign else total)


def temporal_literal(text: str) -> Temporal | None:
    """Give what `@"…"` means; None when it is no date, time or duration."""
    if "T" in text and not text.lstrip("-").startswith("P"):
        return parse_date_time(text)
    return parse_date(text) or parse_time(text) or parse_duration(text)


def format_temporal(value: Temporal) -> str:
    """Write a value as `parse_*` reads it."""
    match value:
        case Date():
            return _format_date(value)
        case Time():
            return _format_time(value)
        case DateTime():
            return f"{_format_date(value.date)}T{_format_time(value.time)}"
        case MonthsDuration(months):
            return _format_months(months)
        case DaysDuration(nanoseconds):
            return _format_days(nanoseconds)


def _format_date(value: Date) -> str:
    sign = "-" if value.year < 0 else ""
    return f"{sign}{abs(value.year):04}-{value.month:02}-{value.day:02}"


def _format_time(value: Time) -> str:
    fraction = f".{value.nanosecond:09}".rstrip("0") if value.nanosecond else ""
    return (
        f"{value.hour:02}:{value.minute:02}:{value.second:02}{fraction}{_format_zone(value.zone)}"
    )


def _format_zone(zone: Zone | None) -> str:
    if zone is None:
        return ""
    if zone.name is not None:
        return f"@{zone.name}"
    if zone.offset_seconds == 0:
        return "Z"
    return format_offset(zone.offset_seconds)


def format_offset(seconds: int) -> str:
    """Write an offset from UTC as `+02:00`, with seconds only where it has some."""
    minutes, second = divmod(abs(seconds), 60)
    hours, minute = divmod(minutes, 60)
    text = f"{'-' if seconds < 0 else '+'}{hours:02}:{minute:02}"
    return f"{text}:{second:02}" if second else text


def _format_months(months: int) -> str:
    years, rest = divmod(abs(months), 12)
    text = (f"{years}Y" if years else "") + (f"{rest}M" if rest else "")
    return ("-" if months < 0 else "") + "P" + (text or "0M")


def _format_days(nanoseconds: int) -> str:
    days, rest = divmod(abs(nanoseconds), DAY_NANOSECONDS)
    seconds, nanosecond = divmod(rest, NANOSECONDS)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    fraction = f".{nanosecond:09}".rstrip("0") if nanosecond else ""
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or fraction:
        clock += f"{seconds}{fraction}S"
    text = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
    return ("-" if nanoseconds < 0 else "") + "P" + (text or "T0S")
