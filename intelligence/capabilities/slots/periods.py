"""Find the stretch of days a question about the past speaks of."""

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from intelligence.capabilities.slots.dates import MONTHS, add_months
from intelligence.capabilities.slots.number_words import number_of
from intelligence.capabilities.slots.values import PeriodSlot, Span

_MONTH: Final = "|".join(sorted(MONTHS, key=len, reverse=True))
Range = tuple[date, date]


def _month(first: date) -> Range:
    return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])


def _year(year: int) -> Range:
    return date(year, 1, 1), date(year, 12, 31)


def _latest_month(today: date, month: int, year: str | None) -> date:
    """Return the first day of the month meant: of the year said, or else the latest one begun."""
    if year:
        return date(int(year), month, 1)
    return date(today.year if month <= today.month else today.year - 1, month, 1)


def _named_month(match: re.Match[str], today: date) -> Range:
    return _month(_latest_month(today, MONTHS[match["month"].lower()], match["year"]))


def _since(match: re.Match[str], today: date) -> Range:
    return _latest_month(today, MONTHS[match["month"].lower()], match["year"]), today


def _last_units(match: re.Match[str], today: date) -> Range:
    written, unit = (match["count"] or "1").lower(), match["unit"].lower()
    count = int(written) if written.isdigit() else number_of([written])
    if unit.startswith("month"):
        return add_months(today, -count) + timedelta(days=1), today
    if unit.startswith("year"):
        return add_months(today, -12 * count) + timedelta(days=1), today
    return today - timedelta(days=count * (7 if unit.startswith("week") else 1) - 1), today


def _this(match: re.Match[str], today: date) -> Range:
    unit = match[1].lower()
    if unit == "year":
        return _year(today.year)
    if unit == "month":
        return _month(today.replace(day=1))
    monday = today - timedelta(days=today.weekday())
    return monday, monday + timedelta(days=6)


def _last(match: re.Match[str], today: date) -> Range:
    unit = match[1].lower()
    if unit == "year":
        return _year(today.year - 1)
    if unit == "month":
        return _month(add_months(today.replace(day=1), -1))
    monday = today - timedelta(days=today.weekday() + 7)
    return monday, monday + timedelta(days=6)


def _day(days_ago: int) -> Callable[[re.Match[str], date], Range]:
    def read(_match: re.Match[str], today: date) -> Range:
        day = today - timedelta(days=days_ago)
        return day, day

    return read


_YEAR: Final = r"(?:\s+(?:of\s+)?(?P<year>20\d\d|19\d\d))?"
_COUNT: Final = r"\d{1,2}|two|three|four|five|six|seven|eight|nine|ten|twelve"
_FORMS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), read)
    for pattern, read in (
        (rf"\b(?:since|from)\s+(?P<month>{_MONTH})\b{_YEAR}", _since),
        (
            rf"\b(?:(?:in|over|during|for)\s+)?(?:the\s+)?(?:last|past)\s+(?P<count>{_COUNT})\s+"
            r"(?P<unit>days?|weeks?|months?|years?)\b",
            _last_units,
        ),
        (r"\b(?:(?:in|over|during|for)\s+)?(?:the\s+)?past\s+(?P<count>)(?P<unit>week|month|"
         r"year)\b", _last_units),
        (r"\b(?:last|previous)\s+(week|month|year)\b", _last),
        (r"\bthis\s+(week|month|year)\b", _this),
        (r"\byesterday\b", _day(1)),
        (r"\btoday\b", _day(0)),
        (rf"\b(?:in|during|for|of|over)\s+(?:last\s+)?(?P<month>{_MONTH})\b{_YEAR}", _named_month),
        (rf"\b(?P<month>{_MONTH})\s+(?P<year>20\d\d)\b", _named_month),
        (
            r"\b(?P<month>january|february|april|june|july|august|september|october|november|"
            r"december)"
            r"\b(?P<year>)",
            _named_month,
        ),
        (r"\b(?:in|during|for)\s+(20\d\d|19\d\d)\b", lambda match, _today: _year(int(match[1]))),
    )
)  # fmt: skip


def read_period(text: str, *, today: date) -> PeriodSlot | None:
    """Return the period a text names, or nothing."""
    for pattern, read in _FORMS:
        match = pattern.search(text)
        if match:
            first, last = read(match, today)
            return PeriodSlot(first, last, Span(match.start(), match.end(), match[0]))
    return None
