"""When a timer is due: ISO 8601 texts and FEEL values become instants."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestration.bpmn.cycles import parse_cycle
from orchestration.bpmn.durations import IsoDuration, parse_iso_duration
from orchestration.bpmn.expressions import expression_of
from orchestration.bpmn.model import EventDefinition, Node, TimerType
from orchestration.core.run import CannotGoOn, Run
from orchestration.feel.arithmetic import at_midnight, guarded, move
from orchestration.feel.temporal import (
    Date,
    DateTime,
    DaysDuration,
    MonthsDuration,
    from_python,
    to_instant,
)
from orchestration.feel.temporal_text import parse_date_time
from orchestration.feel.values import FeelValue


@dataclass(frozen=True, slots=True)
class Due:
    """An instant, with how often (None: for ever) and after how long it comes again."""

    at: datetime
    repeats: int | None = 0
    every: str | None = None


def due_of(run: Run, node: Node, event: EventDefinition, scope: str) -> Due:
    """Work out when the timer event of a node is due, counted from the run's own instant.

    Raises:
        CannotGoOn: its text or value is no time.
    """
    text = event.timer or ""
    feel = expression_of(text)
    value = text if feel is None else run.compute(node, scope, "timer", feel)
    match event.timer_type:
        case TimerType.DURATION:
            due = _after(run.at, value)
            found = None if due is None else Due(due)
        case TimerType.DATE:
            found = _on(value)
        case _:
            found = _cycle(run.at, value)
    if found is None:
        raise CannotGoOn("timer_has_no_time", f"{node.id}: the timer's value is no time")
    return found


def next_due(due_at: datetime, every: str) -> datetime | None:
    """Give the firing after the one due at an instant."""
    return _after(due_at, every)


def instant_after(start: datetime, duration: FeelValue) -> datetime | None:
    """Give the instant a duration after another; None when it is no duration."""
    return _after(start, duration)


def next_due_after(at: datetime, due_at: datetime, every: str) -> tuple[datetime, int] | None:
    """Give the first firing of a cycle after an instant, and how many it is after the one due.

    What was missed while nothing ran, or when the clock jumped, is not made up for.
    """
    duration = parse_iso_duration(every)
    due = _moved(due_at, duration)
    if duration is None or due is None or due <= due_at:
        return None
    if due > at:
        return due, 1
    # Nearly all periods are passed over at once; months differ in length, so the rest is counted.
    longest = due - due_at
    if duration.months:
        exact = timedelta(microseconds=duration.nanoseconds // 1000)
        longest = timedelta(days=31 * duration.months) + exact
    passed = (at - due_at) // longest
    found: datetime | None = due_at
    while found is not None and found <= at:
        passed += 1
        found = _moved(due_at, duration.times(passed))
    return None if found is None else (found, passed)


def _after(start: datetime, value: FeelValue) -> datetime | None:
    match value:
        case str():
            return _moved(start, parse_iso_duration(value))
        case MonthsDuration(months):
            return _moved(start, IsoDuration(months, 0))
        case DaysDuration(nanoseconds):
            return _moved(start, IsoDuration(0, nanoseconds))
        case _:
            return None


def _moved(start: datetime, duration: IsoDuration | None) -> datetime | None:
    """Move an instant by the months of a duration first, then by its days and time."""
    if duration is None:
        return None
    months, exact = duration.months, duration.nanoseconds
    first = guarded(lambda: move(from_python(start), MonthsDuration(months)))
    return _instant(guarded(lambda: move(first, DaysDuration(exact))))


def _on(value: FeelValue) -> Due | None:
    moment = parse_date_time(value) if isinstance(value, str) else value
    if isinstance(moment, Date):
        moment = at_midnight(moment)
    due = _instant(moment)
    return None if due is None else Due(due)


def _instant(value: FeelValue) -> datetime | None:
    return guarded(lambda: to_instant(value)) if isinstance(value, DateTime) else None


def _cycle(start: datetime, value: FeelValue) -> Due | None:
    cycle = parse_cycle(value) if isinstance(value, str) else None
    if cycle is None:
        return None
    left = None if cycle.times is None else cycle.times - 1
    if cycle.start is None:
        due = _after(start, cycle.every)
        return None if due is None else Due(due, left, cycle.every)
    first = _instant(cycle.start)
    if first is None or first > start:
        return None if first is None else Due(first, left, cycle.every)
    # It began in the past: what was due before now is over.
    following = next_due_after(start, first, cycle.every)
    if following is None:
        return None
    due, passed = following
    return Due(due, None if left is None else max(0, left - passed), cycle.every)
