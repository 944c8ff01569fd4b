"""Repeating timers as ISO 8601 writes them: `R3/PT1H`, `R/2026-01-01T00:00:00Z/P1D`."""

import re
from dataclasses import dataclass

from orchestration.bpmn.durations import is_period
from orchestration.feel.temporal import DateTime
from orchestration.feel.temporal_text import parse_date_time

_TIMES = re.compile(r"R([0-9]{0,9})")


@dataclass(frozen=True, slots=True)
class Cycle:
    """How often (None: without end), from when (None: from now) and after how long again."""

    times: int | None
    start: DateTime | None
    every: str


def parse_cycle(text: str) -> Cycle | None:
    """Read a repeating interval; None for other text, for no times and for a period of no time."""
    times, _, rest = text.partition("/")
    found = _TIMES.fullmatch(times)
    start, separator, every = rest.rpartition("/")
    moment = parse_date_time(start) if separator else None
    if found is None or not is_period(every) or (separator and moment is None):
        return None
    count = int(found.group(1)) if found.group(1) else None
    return None if count == 0 else Cycle(count, moment, every)
