"""Sums, differences, products, quotients and powers of numbers, texts and temporal values."""

from collections.abc import Callable
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import TypeVar

from orchestration.feel.temporal import (
    DAY_NANOSECONDS,
    NANOSECONDS,
    UTC_ZONE,
    Date,
    DateTime,
    DaysDuration,
    MonthsDuration,
    TemporalOutOfRange,
    Time,
)
from orchestration.feel.values import FeelValue

DECIMAL = Context(
    prec=34,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
Result = TypeVar("Result")
# What one power, exponential or logarithm counts as in looked-at items.
POWER_WORK = 100


def guarded(operation: Callable[[], Result]) -> Result | None:
    """Run a calculation, giving None where it has no result."""
    try:
        return operation()
    except (ArithmeticError, TemporalOutOfRange):
        return None


def calculate(operator: str, left: FeelValue, right: FeelValue) -> FeelValue:
    """Apply an operator; None when these values do not take it."""
    if type(left) is Decimal and type(right) is Decimal:
        return guarded(lambda: _NUMBERS[operator](left, right))
    return guarded(lambda: _OTHERS[operator](left, right))


def _raised(base: Decimal, exponent: Decimal) -> Decimal:
    if not exponent:
        return Decimal(1)
    if not base and exponent < 0:
        raise DivisionByZero  # Python would say infinity, which is no number of FEEL.
    return DECIMAL.power(base, exponent)


_NUMBERS: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": DECIMAL.add,
    "-": DECIMAL.subtract,
    "*": DECIMAL.multiply,
    "/": DECIMAL.divide,
    "**": _raised,
}


def negate(value: FeelValue) -> FeelValue:
    """Apply arithmetic minus; None for values without sign."""
    match value:
        case bool():
            return None
        case Decimal():
            return DECIMAL.minus(value)
        case DaysDuration(nanoseconds):
            return DaysDuration(-nanoseconds)
        case MonthsDuration(months):
            return MonthsDuration(-months)
        case _:
            return None


def _add(left: FeelValue, right: FeelValue) -> FeelValue:
    match left, right:
        case str(), str():
            return left + right
        case DaysDuration(one), DaysDuration(other):
            return DaysDuration(one + other)
        case MonthsDuration(one), MonthsDuration(other):
            return MonthsDuration(one + other)
        case ((DaysDuration() | MonthsDuration()), (Date() | DateTime() | Time())):
            return move(right, left)
        case ((Date() | DateTime() | Time()), (DaysDuration() | MonthsDuration())):
            return move(left, right)
        case _:
            return None


def move(moment: FeelValue, by: FeelValue) -> FeelValue:
    """Move a date, a time or both by a duration."""
    match moment, by:
        case Date(), DaysDuration(nanoseconds):
            return Date.from_ordinal(moment.ordinal + nanoseconds // DAY_NANOSECONDS)
        case Date(), MonthsDuration(months):
            return moment.plus_months(months)
        case DateTime(), DaysDuration(nanoseconds):
            return moment.plus_nanoseconds(nanoseconds)
        case DateTime(), MonthsDuration(months):
            return DateTime(moment.date.plus_months(months), moment.time)
        case Time(), DaysDuration(nanoseconds):
            return Time.from_nanoseconds(moment.nanosecond_of_day + nanoseconds, moment.zone)
        case _:
            return None


def _subtract(left: FeelValue, right: FeelValue) -> FeelValue:
    match left, right:
        case DaysDuration(one), DaysDuration(other):
            return DaysDuration(one - other)
        case MonthsDuration(one), MonthsDuration(other):
            return MonthsDuration(one - other)
        case _, (DaysDuration() | MonthsDuration()):
            return move(left, negate(right))
        case Time(), Time():
            return _between_times(left, right)
        case ((Date() | DateTime()), (Date() | DateTime())):
            return _between(at_midnight(left), at_midnight(right))
        case _:
            return None


def _between_times(left: Time, right: Time) -> FeelValue:
    one, other = left.offset_seconds(), right.offset_seconds()
    if (one is None) != (other is None):
        return None
    shift = ((other or 0) - (one or 0)) * NANOSECONDS
    return DaysDuration(left.nanosecond_of_day - right.nanosecond_of_day + shift)


def at_midnight(value: Date | DateTime) -> DateTime:
    """Give a date as its first moment, in UTC; a date and time stays what it is."""
    return value if isinstance(value, DateTime) else DateTime(value, Time(0, 0, 0, 0, UTC_ZONE))


def _between(left: DateTime, right: DateTime) -> FeelValue:
    if (left.time.zone is None) != (right.time.zone is None):
        return None
    return DaysDuration(left.utc_nanoseconds - right.utc_nanoseconds)


def _multiply(left: FeelValue, right: FeelValue) -> FeelValue:
    if type(left) is Decimal:
        left, right = right, left
    if type(right) is not Decimal:
        return None
    return _scaled(left, lambda amount: DECIMAL.multiply(amount, right))


def _divide(left: FeelValue, right: FeelValue) -> FeelValue:
    match left, right:
        case DaysDuration(one), DaysDuration(other):
            return DECIMAL.divide(Decimal(one), Decimal(other))
        case MonthsDuration(one), MonthsDuration(other):
            return DECIMAL.divide(Decimal(one), Decimal(other))
        case _, Decimal():
            return _scaled(left, lambda amount: DECIMAL.divide(amount, right))
        case _:
            return None


def _scaled(duration: FeelValue, scale: Callable[[Decimal], Decimal]) -> FeelValue:
    match duration:
        case DaysDuration(nanoseconds):
            seconds = scale(DECIMAL.divide(Decimal(nanoseconds), Decimal(NANOSECONDS)))
            return DaysDuration(int(DECIMAL.multiply(seconds, Decimal(NANOSECONDS))))
        case MonthsDuration(months):
            return MonthsDuration(int(scale(Decimal(months))))
        case _:
            return None


def _power(left: FeelValue, right: FeelValue) -> FeelValue:
    del left, right
    return None  # Only numbers have powers.


_OTHERS: dict[str, Callable[[FeelValue, FeelValue], FeelValue]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "**": _power,
}
