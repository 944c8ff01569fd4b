"""Built-in functions on dates, and the two that tell the evaluation's own instant."""

from decimal import Decimal

from orchestration.feel.comparison import equal
from orchestration.feel.evaluation import Evaluation
from orchestration.feel.functions.registry import builtin
from orchestration.feel.temporal import Date, DateTime, Time, from_python
from orchestration.feel.values import FeelValue

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _day(value: Date | DateTime) -> Date:
    return value.date if isinstance(value, DateTime) else value


@builtin("day of year(date: date|date and time)")
def _day_of_year(value: Date | DateTime) -> FeelValue:
    return Decimal(_day(value).day_of_year)


@builtin("day of week(date: date|date and time)")
def _day_of_week(value: Date | DateTime) -> FeelValue:
    return _WEEKDAYS[_day(value).weekday - 1]


@builtin("month of year(date: date|date and time)")
def _month_of_year(value: Date | DateTime) -> FeelValue:
    return _MONTHS[_day(value).month - 1]


@builtin("week of year(date: date|date and time)")
def _week_of_year(value: Date | DateTime) -> FeelValue:
    day = _day(value)
    # The ISO week belongs to the year of its Thursday.
    thursday = Date.from_ordinal(day.ordinal - day.weekday + 4)
    return Decimal((thursday.day_of_year - 1) // 7 + 1)


@builtin("now()", takes_evaluation=True)
def _now(evaluation: Evaluation) -> FeelValue:
    return None if evaluation.at is None else from_python(evaluation.at)


@builtin("today()", takes_evaluation=True)
def _today(evaluation: Evaluation) -> FeelValue:
    return None if evaluation.at is None else from_python(evaluation.at.date())


@builtin("is(value1, value2)")
def _is(left: FeelValue, right: FeelValue) -> FeelValue:
    if type(left) is not type(right):
        return False
    if isinstance(left, Time | DateTime):
        return left == right
    return equal(left, right) is True
