"""Built-in functions over lists of numbers (and, for sum and mean, of durations)."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from functools import reduce

from orchestration.feel.arithmetic import DECIMAL, calculate
from orchestration.feel.functions.registry import builtin
from orchestration.feel.temporal import DaysDuration, MonthsDuration
from orchestration.feel.values import FeelValue

_List = tuple[FeelValue, ...]
_ADDABLE = (Decimal, DaysDuration, MonthsDuration)


def _numbers(items: _List) -> list[Decimal] | None:
    found = [item for item in items if isinstance(item, Decimal)]
    return found if found and len(found) == len(items) else None


def _over_numbers(name: str, of: Callable[[list[Decimal]], FeelValue]) -> None:
    def run(items: _List) -> FeelValue:
        numbers = _numbers(items)
        return None if numbers is None else of(numbers)

    def run_rest(*items: FeelValue) -> FeelValue:
        return run(items)

    builtin(f"{name}(list: list)")(run)
    builtin(f"{name}(*n)")(run_rest)


@builtin("sum(list: list)")
def _sum_in(items: _List) -> FeelValue:
    if not items or not all(isinstance(item, _ADDABLE) for item in items):
        return None
    return reduce(lambda one, other: calculate("+", one, other), items)


@builtin("sum(*n)")
def _sum_of(*items: FeelValue) -> FeelValue:
    return _sum_in(items)


@builtin("mean(list: list)")
def _mean_in(items: _List) -> FeelValue:
    return calculate("/", _sum_in(items), Decimal(len(items)))


@builtin("mean(*n)")
def _mean_of(*items: FeelValue) -> FeelValue:
    return _mean_in(items)


def _product(numbers: list[Decimal]) -> FeelValue:
    return reduce(DECIMAL.multiply, numbers)


def _median(numbers: list[Decimal]) -> FeelValue:
    ordered = sorted(numbers)
    middle, is_odd = divmod(len(ordered), 2)
    if is_odd:
        return ordered[middle]
    return DECIMAL.divide(DECIMAL.add(ordered[middle - 1], ordered[middle]), Decimal(2))


def _stddev(numbers: list[Decimal]) -> FeelValue:
    if len(numbers) < 2:
        return None
    mean = DECIMAL.divide(reduce(DECIMAL.add, numbers), Decimal(len(numbers)))
    gaps = [DECIMAL.subtract(number, mean) for number in numbers]
    squares = reduce(DECIMAL.add, [DECIMAL.multiply(gap, gap) for gap in gaps])
    return DECIMAL.sqrt(DECIMAL.divide(squares, Decimal(len(numbers) - 1)))


def _mode(items: _List) -> FeelValue:
    if not items:
        return ()
    numbers = _numbers(items)
    if numbers is None:
        return None
    counts = Counter(numbers)
    most = max(counts.values())
    return tuple(sorted(number for number, count in counts.items() if count == most))


@builtin("mode(list: list)")
def _mode_in(items: _List) -> FeelValue:
    return _mode(items)


@builtin("mode(*n)")
def _mode_of(*items: FeelValue) -> FeelValue:
    return _mode(items)


_over_numbers("product", _product)
_over_numbers("median", _median)
_over_numbers("stddev", _stddev)
