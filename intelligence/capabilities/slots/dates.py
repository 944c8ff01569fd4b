"""Find days and periods in a text, relative to the day the message was written."""

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from intelligence.capabilities.slots.number_words import NotOneNumber, number_of
from intelligence.capabilities.slots.refusals import refusal
from intelligence.capabilities.slots.values import DateSlot, Refusal, Span
from sentinel.vocabulary import Provenance

MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            "january jan", "february feb febuary", "march mar", "april apr", "may", "june jun",
            "july jul", "august aug", "september sep sept", "october oct", "november nov",
            "december dec decemer",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_WEEKDAYS: Final = {
    name: number
    for number, names in enumerate(
        (
            "monday mon", "tuesday tue tues", "wednesday wed wensday wednsday",
            "thursday thu thur thurs",
            "friday fri", "saturday sat", "sunday sun",
        )
    )
    for name in names.split()
}  # fmt: skip
_MONTH: Final = "|".join(sorted(MONTHS, key=len, reverse=True))
_WEEKDAY: Final = "|".join(sorted(_WEEKDAYS, key=len, reverse=True))
_COUNT: Final = r"\d{1,3}|a|an|one|two|three|four|five|six|seven|eight|nine|ten"
_LEAD: Final = r"(?:\b(?:on|by|before|at|for|from|until)\s+(?:the\s+)?)?"


class _DateRefused(Exception):
    """The words form a date that does not exist or can be read in two ways."""

    code = "date_refused"
    is_retryable = False

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class DateReading:
    """The day a text names, if beyond doubt, and the places that speak of days."""

    date: DateSlot | None
    refusals: tuple[Refusal, ...] = ()
    spans: tuple[Span, ...] = ()


def _on(year: int, month: int, day: int) -> date:
    try:
        return date(year, month, day)
    except ValueError as error:
        raise _DateRefused("date_invalid") from error


def _next_with(today: date, month: int, day: int) -> date:
    """Return the next day with this month and day, today included."""
    if month == 2 and day == 29:
        year = next(y for y in range(today.year, today.year + 9) if calendar.isleap(y))
        return _on(year, month, day)
    found = _on(today.year, month, day)
    return found if found >= today else _on(today.year + 1, month, day)


def add_months(day: date, months: int) -> date:
    """Return the day some months later, or the last day of that month if it is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _iso(match: re.Match[str], _today: date) -> date:
    return _on(int(match[1]), int(match[2]), int(match[3]))


def _day_first(match: re.Match[str], _today: date) -> date:
    """Read 1-12-2026 and 1.12.2026, which are written day first wherever they are used."""
    year = int(match["year"])
    return _on(year + 2000 if year < 100 else year, int(match["month"]), int(match["day"]))


def _slashed(match: re.Match[str], today: date) -> date:
    first, second = int(match[1]), int(match[2])
    year = int(match[3]) if match[3] else 0
    year = year + 2000 if 0 < year < 100 else year
    if first <= 12 and second <= 12 and first != second:
        raise _DateRefused("date_ambiguous")
    day, month = (second, first) if second > 12 else (first, second)
    return _on(year, month, day) if year else _next_with(today, month, day)


def _named_month(match: re.Match[str], today: date) -> date:
    month, day = MONTHS[match["month"].lower()], int(match["day"])
    return _on(int(match["year"]), month, day) if match["year"] else _next_with(today, month, day)


def _weekday(match: re.Match[str], today: date) -> date:
    """Return the coming such day, never today; with "next", the one in the week after this."""
    number = _WEEKDAYS[match["weekday"].lower()]
    if match["next"] and match["next"].lower() == "next":
        monday = today + timedelta(days=7 - today.weekday())
        return monday + timedelta(days=number)
    return today + timedelta(days=(number - today.weekday() - 1) % 7 + 1)


def _count(written: str) -> int:
    if written.isdigit():
        return int(written)
    try:
        return 1 if written.lower() in {"a", "an"} else number_of([written.lower()])
    except NotOneNumber as error:
        raise _DateRefused("date_invalid") from error


def _in_units(match: re.Match[str], today: date) -> date:
    count, unit = _count(match[1]), match[2].lower()
    if unit.startswith("month"):
        return add_months(today, count)
    return today + timedelta(days=count * (7 if unit.startswith("week") else 1))


def _day_of_month(match: re.Match[str], today: date) -> date:
    day = int(match["day"])
    if not 1 <= day <= 31:
        raise _DateRefused("date_invalid")
    for ahead in range(13):
        first = add_months(today.replace(day=1), ahead)
        if day <= calendar.monthrange(first.year, first.month)[1]:
            found = first.replace(day=day)
            if found >= today:
                return found
    raise _DateRefused("date_invalid")


def _end_of_month(match: re.Match[str], today: date) -> date:
    month = add_months(today.replace(day=1), 1 if (match["next"] or "").strip() else 0)
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def _offset(days: int) -> Callable[[re.Match[str], date], date]:
    return lambda _match, today: today + timedelta(days=days)


def _next_week(_match: re.Match[str], today: date) -> date:
    return today + timedelta(days=7 - today.weekday())


def _next_month(_match: re.Match[str], today: date) -> date:
    return add_months(today.replace(day=1), 1)


_NUMBER_DAY: Final = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR: Final = r"(?:,?\s+(?P<year>20\d\d|19\d\d))?"
_FORMS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), read)
    for pattern, read in (
        (_LEAD + r"\b(\d{4})-(\d{1,2})-(\d{1,2})\b", _iso),
        (
            _LEAD + r"\b(?P<day>\d{1,2})(?P<dot>[-.])(?P<month>\d{1,2})(?P=dot)"
            r"(?P<year>(?:20|19)\d\d|\d\d)\b(?![.,]\d)",
            _day_first,
        ),
        (_LEAD + r"(?<![\d/])(\d{1,2})/(\d{1,2})/((?:20|19)\d\d|\d\d)\b", _slashed),
        (r"\b(?:on|by)\s+(\d{1,2})/(\d{1,2})()\b", _slashed),
        (_LEAD + rf"\b{_NUMBER_DAY}\s+(?:of\s+)?(?P<month>{_MONTH})\b\.?{_YEAR}", _named_month),
        (_LEAD + rf"\b(?P<month>{_MONTH})\.?\s+(?:the\s+)?{_NUMBER_DAY}\b(?![.,]\d){_YEAR}",
         _named_month),
        (_LEAD + r"\b(?:the\s+)?day\s+after\s+tomorrow\b", _offset(2)),
        (r"\b(?:tomorrow|tomorow|tommorow|tommorrow|tmrw|tmr)(?:\s+(?:morning|evening|night))?\b",
         _offset(1)),
        (r"\b(?:today|tonight|right\s+now|straight\s+away|immediately)\b", _offset(0)),
        (r"\bin\s+(?:the\s+next\s+)?(" + _COUNT + r")\s+(days?|weeks?|months?)\b", _in_units),
        (r"\b(" + _COUNT + r")\s+(days?|weeks?|months?)\s+from\s+(?:now|today)\b", _in_units),
        (_LEAD + r"\b(?:the\s+)?end\s+of\s+(?:the\s+|this\s+)?(?P<next>next\s+)?month\b",
         _end_of_month),
        (_LEAD + r"\bnext\s+week\b", _next_week),
        (_LEAD + r"\b(?:the\s+)?(?:first\s+of\s+|start\s+of\s+|beginning\s+of\s+)?next\s+month\b",
         _next_month),
        (rf"\b(?:on\s+|by\s+)?(?P<next>next|this|coming)\s+(?P<weekday>{_WEEKDAY})\b", _weekday),
        (rf"\b(?:on|by|before|until|till)\s+(?P<next>)(?P<weekday>{_WEEKDAY})\b", _weekday),
        (r"\b(?P<next>)(?P<weekday>(?:mon|tues|wednes|wens|thurs|fri|satur|sun)day)\b(?!\s+night)",
         _weekday),
        (r"\b(?:on|by)\s+the\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?\b(?!\s*[.,]?\d)", _day_of_month),
        (r"\bthe\s+(?P<day>\d{1,2})(?:st|nd|rd|th)\b", _day_of_month),
    )
)  # fmt: skip


def _matches(text: str, today: date) -> Iterator[tuple[Span, date | None, str]]:
    taken: list[tuple[int, int]] = []
    for pattern, read in _FORMS:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            taken.append((start, end))
            span = Span(start, end, match[0])
            try:
                yield span, read(match, today), ""
            except _DateRefused as refused:
                yield span, None, refused.reason
            except OverflowError:
                yield span, None, "date_invalid"


def read_date(
    text: str, *, today: date, source: Provenance = Provenance.CUSTOMER_TYPED
) -> DateReading:
    """Return the day a text names; the last one counts when a text names several."""
    found = sorted(_matches(text, today), key=lambda one: one[0].start)
    spans = tuple(Span(s.start, s.end, s.text, source) for s, _, _ in found)
    if not found:
        return DateReading(None)
    value, reason = found[-1][1], found[-1][2]
    if value is None:
        return DateReading(None, (refusal(reason, spans[-1]),), spans)
    return DateReading(DateSlot(value, spans[-1]), (), spans)
