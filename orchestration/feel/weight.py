"""How large a value is once everything in it is counted, shared parts every time they occur.

A few lines of FEEL can build a value of small memory and boundless extent (a list that holds the
last one twice, again and again). Whatever walks a value weighs it first.
"""

from collections.abc import Mapping

from orchestration.feel.evaluation import Evaluation, LimitExceeded
from orchestration.feel.values import FeelValue, Range

NESTING_MAX = 100
CHARACTERS_PER_UNIT = 32


def weigh(value: FeelValue, evaluation: Evaluation) -> None:
    """Refuse a value of too many parts or too many levels, and count the work to walk it.

    Raises:
        LimitExceeded: it is such a value.
    """
    if not isinstance(value, tuple | Mapping | Range):
        if isinstance(value, str):
            evaluation.charge(len(value) // CHARACTERS_PER_UNIT)
        return
    count = 1
    open_values: list[tuple[FeelValue, int]] = [(value, 1)]
    while open_values:
        current, level = open_values.pop()
        if level > NESTING_MAX:
            raise LimitExceeded("levels", NESTING_MAX)
        parts = _parts(current)
        count += len(parts)
        if count > evaluation.limits.size:
            raise LimitExceeded("size", evaluation.limits.size)
        open_values.extend(
            (part, level + 1) for part in parts if isinstance(part, tuple | dict | Range)
        )
    evaluation.charge(count)


def _parts(value: FeelValue) -> tuple[FeelValue, ...]:
    if isinstance(value, tuple):
        return value
    if isinstance(value, Mapping):
        return tuple(value.values())
    return (value.start, value.end) if isinstance(value, Range) else ()
