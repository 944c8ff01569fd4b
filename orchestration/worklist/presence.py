"""Whether somebody works at an instant, until when, and from when on again. Pure.

The hours somebody declared count in the time zone and with the holidays of their desk. Who
declared none may be given work at any hour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from orchestration.worklist.calendars import (
    WEEKDAYS,
    BusinessCalendar,
    CalendarRefused,
    read_calendar,
)

Hours = Mapping[str, Sequence[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Presence:
    """`until` is when the present stretch of work ends; `back_at` when the next one begins.

    Either is None where nothing declared says so.
    """

    is_on_shift: bool
    until: datetime | None = None
    back_at: datetime | None = None


AT_ALL_HOURS = Presence(is_on_shift=True)


def personal_calendar(hours: Hours, desk: BusinessCalendar) -> BusinessCalendar:
    """Return the calendar of somebody's own hours, on the desk's holidays and in its time zone.

    Raises:
        CalendarRefused: a weekday or an hour that is none, or they never work.
    """
    own: Mapping[str, Any] = {"zone": desk.zone, "hours": hours}
    return replace(desk, hours=read_calendar(own).hours)


def presence_of(
    own: BusinessCalendar | None,
    at: datetime,
    *,
    absent_until: datetime | None = None,
    absent_from: datetime | None = None,
) -> Presence:
    """Return whether somebody works, by their own hours and their present and next absence."""
    if own is None:
        return Presence(is_on_shift=True, until=absent_from, back_at=absent_until)
    if absent_until is not None:
        return Presence(own.is_open(at), back_at=_next(own, absent_until))
    ends = own.open_until(at)
    if ends is None:
        return Presence(is_on_shift=False, back_at=_next(own, at))
    until = ends if absent_from is None else min(ends, absent_from)
    return Presence(is_on_shift=True, until=until, back_at=_next(own, ends))


def next_day(calendar: BusinessCalendar, at: datetime) -> datetime:
    """Return when the first working day after today begins, on a calendar."""
    midnight = calendar.day_after(at)
    return _next(calendar, midnight) or midnight


def hours_in_words(*, hours: Hours) -> tuple[tuple[str, str], ...]:
    """Return each working weekday with its hours, as people read them."""
    return tuple(
        (day, ", ".join(f"{span[0][:5]}-{span[1][:5]}" for span in hours[day]))
        for day in WEEKDAYS
        if hours.get(day)
    )


def _next(calendar: BusinessCalendar, at: datetime) -> datetime | None:
    try:
        return calendar.next_open(at)
    except CalendarRefused:
        return None
