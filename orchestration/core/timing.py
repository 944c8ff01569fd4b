"""When a timer is due: ISO 8601 texts and FEEL values become instants."""

import re
from dataclasses import dataclass
from datetime import datetime

from orchestration.bpmn.expressions import expression_of
from orchestration.bpmn.model import Node, TimerType
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
from orchestration.feel.temporal_text import parse_date_time, parse_duration
from orchestration.feel.values import FeelValue

_CYCLE = re.compile(r"R(\d*)/(P.+)")


@dataclass(frozen=True, slots=True)
class Due:
    """An instant, with how often (None: for ever) and after how long it comes again."""

    at: datetime
    repeats: int | None = 0
    every: str | None = None


def due_of(run: Run, node: Node, scope: str) -> Due:
    """Work out when the timer event of a node is due, counted from the run's own instant.

    Raises:
        CannotGoOn: its text or value is no time.
    """
    text = node.event.timer or ""
    feel = expression_of(text)
    value = text if feel is None else run.compute(node, scope, "timer", feel)
    match node.event.timer_type:
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


def _after(start: datetime, value: FeelValue) -> datetime | None:
    duration = parse_duration(value) if isinstance(value, str) else value
    if not isinstance(duration, DaysDuration | MonthsDuration):
        return None
    moved = guarded(lambda: move(from_python(start), duration))
    return _instant(moved)


def _on(value: FeelValue) -> Due | None:
    moment = parse_date_time(value) if isinstance(value, str) else value
    if isinstance(moment, Date):
        moment = at_midnight(moment)
    due = _instant(moment)
    return None if due is None else Due(due)


def _instant(value: FeelValue) -> datetime | None:
    return guarded(lambda: to_instant(value)) if isinstance(value, DateTime) else None


def _cycle(start: datetime, value: FeelValue) -> Due | None:
    found = _CYCLE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    times, every = found.groups()
    due = _after(start, every)
    if due is None or times == "0":
        return None
    return Due(due, int(times) - 1 if times else None, every)
