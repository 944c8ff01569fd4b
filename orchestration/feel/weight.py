"""How large a value is once everything in it is counted, shared parts every time they occur.

A few lines of FEEL can build a value of small memory and boundless extent (a list that holds the
last one twice, again and again). Whatever walks a value weighs it first.
"""

from collections.abc import Mapping

from orchestration.feel.evaluation import Evaluation, LimitExceeded
from orchestration.feel.values import FeelValue, Range

NESTING_MAX = 100


def weigh(value: FeelValue, evaluation: Evaluation) -> None:
    """Refuse a value of too many parts or too many levels.

    Raises:
        LimitExceeded: it is such a value.
    """
    if not isinstance(value, tuple | Mapping | Range):
        return
    count = 0
    open_values: list[tuple[FeelValue, int]] = [(value, 1)]
    while open_values:
        current, level = open_values.pop()
        count += 1
        if level > NESTING_MAX:
            raise LimitExceeded("levels", NESTING_MAX)
        parts = _parts(current)
        if count + len(open_values) + len(parts) > evaluation.limits.size:
            raise LimitExceeded("size", evaluation.limits.size)
        open_values.extend((part, level + 1) for part in parts)


def _parts(value: FeelValue) -> tuple[FeelValue, ...]:
    if isinstance(value, tuple):
        return value
    if isinstance(value, Mapping):
        return tuple(value.values())
    return (value.start, value.end) if isinstance(value, Range) else ()
