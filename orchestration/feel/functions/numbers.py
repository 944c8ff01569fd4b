"""Built-in number functions."""

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
)

from orchestration.feel.arithmetic import DECIMAL, POWER_WORK
from orchestration.feel.evaluation import Evaluation
from orchestration.feel.functions.registry import builtin
from orchestration.feel.temporal import DaysDuration, MonthsDuration
from orchestration.feel.values import FeelValue

_SCALE_MIN, _SCALE_MAX = -6111, 6176
# Rounding may need more digits than a result may have; the result is cut to 34 afterwards.
_ROUNDING = Context(prec=7000, Emin=-6143, Emax=6144)


def _rounded(number: Decimal, scale: Decimal, rounding: str) -> Decimal | None:
    if scale != int(scale) or not _SCALE_MIN <= scale <= _SCALE_MAX:
        return None
    unit = Decimal(1).scaleb(-int(scale), context=_ROUNDING)
    return DECIMAL.plus(number.quantize(unit, rounding=rounding, context=_ROUNDING))


@builtin("decimal(n: number, scale: number)")
def _decimal(number: Decimal, scale: Decimal) -> FeelValue:
    return _rounded(number, Decimal(int(scale)), ROUND_HALF_EVEN)


@builtin("floor(n: number, scale?: number)")
def _floor(number: Decimal, scale: Decimal = Decimal(0)) -> FeelValue:
    return _rounded(number, scale, ROUND_FLOOR)


@builtin("ceiling(n: number, scale?: number)")
def _ceiling(number: Decimal, scale: Decimal = Decimal(0)) -> FeelValue:
    return _rounded(number, scale, ROUND_CEILING)


@builtin("round up(n: number, scale: number)")
def _round_up(number: Decimal, scale: Decimal) -> FeelValue:
    return _rounded(number, scale, ROUND_UP)


@builtin("round down(n: number, scale: number)")
def _round_down(number: Decimal, scale: Decimal) -> FeelValue:
    return _rounded(number, scale, ROUND_DOWN)


@builtin("round half up(n: number, scale: number)")
def _round_half_up(number: Decimal, scale: Decimal) -> FeelValue:
    return _rounded(number, scale, ROUND_HALF_UP)


@builtin("round half down(n: number, scale: number)")
def _round_half_down(number: Decimal, scale: Decimal) -> FeelValue:
    return _rounded(number, scale, ROUND_HALF_DOWN)


@builtin("abs(n: number|days and time duration|years and months duration)")
def _abs(value: Decimal | DaysDuration | MonthsDuration) -> FeelValue:
    match value:
        case DaysDuration(nanoseconds):
            return DaysDuration(abs(nanoseconds))
        case MonthsDuration(months):
            return MonthsDuration(abs(months))
        case Decimal():
            return DECIMAL.abs(value)


@builtin("modulo(dividend: number, divisor: number)")
def _modulo(dividend: Decimal, divisor: Decimal) -> FeelValue:
    # FEEL's modulo takes the sign of the divisor; Python's decimal takes the dividend's. The whole
    # quotient may have more digits than a result, so it is not computed within 34.
    rest = _ROUNDING.remainder(dividend, divisor)
    is_other_side = rest and (rest < 0) != (divisor < 0)
    return DECIMAL.add(rest, divisor) if is_other_side else DECIMAL.plus(rest)


@builtin("sqrt(number: number)")
def _sqrt(number: Decimal) -> FeelValue:
    return None if number < 0 else DECIMAL.sqrt(number)


@builtin("log(number: number)", takes_evaluation=True)
def _log(evaluation: Evaluation, number: Decimal) -> FeelValue:
    evaluation.charge(POWER_WORK)
    return None if number <= 0 else DECIMAL.ln(number)


@builtin("exp(number: number)", takes_evaluation=True)
def _exp(evaluation: Evaluation, number: Decimal) -> FeelValue:
    evaluation.charge(POWER_WORK)
    return DECIMAL.exp(number)


@builtin("odd(number: number)")
def _odd(number: Decimal) -> FeelValue:
    return _ROUNDING.remainder(number, Decimal(2)).copy_abs() == 1


@builtin("even(number: number)")
def _even(number: Decimal) -> FeelValue:
    return _ROUNDING.remainder(number, Decimal(2)) == 0
