"""What a FEEL expression may hold: the value types, and the way in from plain Python."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import TypeAlias, Union

from orchestration.feel.temporal import (
    Date,
    DateTime,
    DaysDuration,
    MonthsDuration,
    Temporal,
    Time,
    from_python,
)
from orchestration.feel.temporal_text import format_temporal
from orchestration.feel.type_nodes import FeelType

FeelValue: TypeAlias = Union[
    bool, Decimal, str, Temporal, tuple["FeelValue", ...], "Context", "Range", "Function", None
]
Context: TypeAlias = Mapping[str, FeelValue]
_EXPONENT_MAX = 6_176
TEMPORAL_TYPES = (Date, Time, DateTime, DaysDuration, MonthsDuration)


class ValueNotFeel(TypeError):
    """The Python value has no FEEL counterpart, so it may not enter an expression."""

    code = "value_not_feel"
    is_retryable = False

    def __init__(self, type_name: str) -> None:
        super().__init__(type_name)
        self.type_name = type_name


@dataclass(frozen=True, slots=True)
class Range:
    """An interval; a None bound is open-ended. `start_included` says whether `start` belongs."""

    start: "FeelValue"
    end: "FeelValue"
    start_included: bool
    end_included: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """A named function parameter; without type it takes any value."""

    name: str
    type: FeelType | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function as a value: a built-in, a lambda, or a DMN business knowledge model.

    `result` is the type of what it gives, or None where that is not known before it runs;
    `origin` is its text and scope, by which functions are the same, or None when only itself is.
    """

    name: str
    parameters: tuple[Parameter, ...]
    call: "Callable[..., FeelValue]"
    result: FeelType | None = None
    origin: object = None


_FEEL_TYPES = (bool, str, Range, Function, *TEMPORAL_TYPES)


def to_feel(value: object) -> FeelValue:
    """Turn plain Python data into FEEL data: integers become decimals, lists become tuples.

    Raises:
        ValueNotFeel: the value is of a type FEEL does not know, or a number that is not finite.
    """
    if value is None or isinstance(value, _FEEL_TYPES):
        return value
    if isinstance(value, int | Decimal | float):
        return _number(value)
    if isinstance(value, date | time | timedelta):
        return from_python(value)
    if isinstance(value, Mapping):
        return {str(key): to_feel(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(to_feel(item) for item in value)
    raise ValueNotFeel(type(value).__name__)


def data_only(value: FeelValue) -> FeelValue:
    """Give a value as it can be stored: functions in it, which cannot, become null."""
    if isinstance(value, Function):
        return None
    if isinstance(value, tuple):
        return tuple(data_only(item) for item in value)
    if isinstance(value, Mapping):
        return {key: data_only(item) for key, item in value.items()}
    return value


def to_plain(value: FeelValue) -> object:
    """Turn FEEL data into plain data: whole numbers become integers, times become ISO texts.

    Raises:
        ValueNotFeel: the value is a function or a range, which plain data cannot hold.
    """
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else value
    if isinstance(value, TEMPORAL_TYPES):
        return format_temporal(value)
    if isinstance(value, tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {key: to_plain(item) for key, item in value.items()}
    if isinstance(value, Range | Function):
        raise ValueNotFeel(type(value).__name__)
    return value


def _number(value: float | Decimal) -> Decimal:
    # The shortest text of a float is what its author wrote; its binary expansion is not.
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise ValueNotFeel("number that is not finite")
    if abs(number.adjusted()) > _EXPONENT_MAX:
        raise ValueNotFeel("number of too large an exponent")
    return number


def type_name_of(value: FeelValue) -> str:
    """Name the FEEL type of a value, as it stands in messages and in `instance of`."""
    known = _NAMES_BY_TYPE.get(type(value))
    if known is not None:
        return known
    for python_type, name in _TYPE_NAMES:
        if isinstance(value, python_type):
            return name
    return "Any"


_TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (type(None), "Null"),
    (bool, "boolean"),
    (Decimal, "number"),
    (str, "string"),
    (Date, "date"),
    (Time, "time"),
    (DateTime, "date and time"),
    (DaysDuration, "days and time duration"),
    (MonthsDuration, "years and months duration"),
    (tuple, "list"),
    (Range, "range"),
    (Function, "function"),
    (Mapping, "context"),
)
_NAMES_BY_TYPE = dict(_TYPE_NAMES)
