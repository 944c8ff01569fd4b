"""How many decisions there were over time, by verdict: for those who look before they read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.db import connection

from sentinel.reading import CONDITIONS, OUTCOME, DecisionFilter, asked_for

BARS_MAX = 72
_STEPS_SECONDS = (60, 300, 900, 3_600, 14_400, 86_400, 604_800)
_COUNTED = f"""
SELECT date_bin(%(step)s, d.decided_at, %(origin)s), d.verdict, count(*)
FROM sentinel_decision d
{OUTCOME}
{CONDITIONS}
GROUP BY 1, 2
"""  # noqa: S608  (constants of the module that lists decisions; values are always bound)


@dataclass(frozen=True, slots=True)
class TimelineBar:
    """The decisions of one stretch of time, by verdict."""

    since: datetime
    until: datetime
    verdicts: Mapping[str, int]

    @property
    def count(self) -> int:
        """Return how many there were of all verdicts."""
        return sum(self.verdicts.values())


def decision_timeline(
    *, filters: DecisionFilter, origin: datetime, until: datetime
) -> tuple[TimelineBar, ...]:
    """Return how many decisions fit the filters in each stretch of time, oldest first.

    Stretches are as long as needed for at most 72 of them; one of them begins at `origin`. Without
    a beginning in the filters the first decision is the beginning.
    """
    since = filters.since or _first(until)
    end = min(until, filters.until) if filters.until else until
    step = _step(end - since)
    found = _counts(replace(filters, since=since, until=end), step, origin)
    bars: list[TimelineBar] = []
    start = origin + (since - origin) // step * step
    while start < end:
        bars.append(TimelineBar(start, start + step, found.get(start, {})))
        start += step
    return tuple(bars)


def _step(span: timedelta) -> timedelta:
    needed = span.total_seconds() / (BARS_MAX - 1)
    fitting = [seconds for seconds in _STEPS_SECONDS if seconds >= needed]
    weeks = int(needed // _STEPS_SECONDS[-1]) + 1
    return timedelta(seconds=fitting[0] if fitting else weeks * _STEPS_SECONDS[-1])


def _counts(
    filters: DecisionFilter, step: timedelta, origin: datetime
) -> dict[datetime, dict[str, int]]:
    asked = asked_for(filters) | {"step": step, "origin": origin}
    counts: dict[datetime, dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COUNTED, asked)
        for at, verdict, count in cursor.fetchall():
            counts.setdefault(at, {})[verdict] = count
    return counts


def _first(otherwise: datetime) -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(decided_at) FROM sentinel_decision")
        (first,) = cursor.fetchone()
    return first or otherwise
