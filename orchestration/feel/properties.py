"""What stands behind the dot: entries of contexts and parts of temporal values and ranges."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from orchestration.feel.evaluation import Evaluation
from orchestration.feel.temporal import (
    DAY_NANOSECONDS,
    NANOSECONDS,
    Date,
    DateTime,
    DaysDuration,
    MonthsDuration,
    Time,
)
from orchestration.feel.values import FeelValue, Range, type_name_of


def property_of(value: FeelValue, name: str, evaluation: Evaluation) -> FeelValue:
    """Give a property; of a list, the property of each item; null where there is none."""
    if isinstance(value, Mapping):
        if name not in value:
            evaluation.null(f"context has no entry {name!r}")
        return value.get(name)
    if isinstance(value, tuple):
        evaluation.step(len(value))
        return tuple(property_of(item, name, evaluation) for item in value)
    read = _PROPERTIES.get(type(value), {}).get(name)
    if read is None:
        evaluation.null(f"{type_name_of(value)} has no property {name!r}")
        return None
    return read(value)


def _date(read: Callable[[Date], int]) -> Callable[[FeelValue], FeelValue]:
    def of(value: FeelValue) -> FeelValue:
        day = value.date if isinstance(value, DateTime) else value
        assert isinstance(day, Date)
        return Decimal(read(day))

    return of


def _time(read: Callable[[Time], FeelValue]) -> Callable[[FeelValue], FeelValue]:
    def of(value: FeelValue) -> FeelValue:
        moment = value.time if isinstance(value, DateTime) else value
        assert isinstance(moment, Time)
        return read(moment)

    return of


def _seconds(moment: Time) -> FeelValue:
    whole = Decimal(moment.second)
    return whole + Decimal(moment.nanosecond) / NANOSECONDS if moment.nanosecond else whole


def _offset(value: FeelValue) -> FeelValue:
    match value:
        case DateTime():
            seconds = value.time.offset_seconds(value.date)
        case Time():
            seconds = value.offset_seconds()
        case _:
            return None
    return None if seconds is None else DaysDuration(seconds * NANOSECONDS)


def _days_part(size: int, within: int | None) -> Callable[[FeelValue], FeelValue]:
    def of(value: FeelValue) -> FeelValue:
        assert isinstance(value, DaysDuration)
        amount = abs(value.nanoseconds) if within is None else abs(value.nanoseconds) % within
        whole = Decimal(amount // size)
        if size == NANOSECONDS and amount % size:
            whole = Decimal(amount) / NANOSECONDS
        return -whole if value.nanoseconds < 0 else whole

    return of


def _months_part(read: Callable[[int], int]) -> Callable[[FeelValue], FeelValue]:
    def of(value: FeelValue) -> FeelValue:
        assert isinstance(value, MonthsDuration)
        whole = Decimal(read(abs(value.months)))
        return -whole if value.months < 0 else whole

    return of


def _range(name: str) -> Callable[[FeelValue], FeelValue]:
    def of(value: FeelValue) -> FeelValue:
        found: FeelValue = getattr(value, name)
        return found

    return of


_Readers = dict[str, Callable[[FeelValue], FeelValue]]
_DATE: _Readers = {
    "year": _date(lambda day: day.year),
    "month": _date(lambda day: day.month),
    "day": _date(lambda day: day.day),
    "weekday": _date(lambda day: day.weekday),
}
_TIME: _Readers = {
    "hour": _time(lambda moment: Decimal(moment.hour)),
    "minute": _time(lambda moment: Decimal(moment.minute)),
    "second": _time(_seconds),
    "time offset": _offset,
    "timezone": _time(lambda moment: moment.zone.name if moment.zone else None),
}
_PROPERTIES: dict[type, _Readers] = {
    Date: _DATE,
    Time: _TIME,
    DateTime: _DATE | _TIME,
    DaysDuration: {
        "days": _days_part(DAY_NANOSECONDS, None),
        "hours": _days_part(3600 * NANOSECONDS, DAY_NANOSECONDS),
        "minutes": _days_part(60 * NANOSECONDS, 3600 * NANOSECONDS),
        "seconds": _days_part(NANOSECONDS, 60 * NANOSECONDS),
    },
    MonthsDuration: {
        "years": _months_part(lambda months: months // 12),
        "months": _months_part(lambda months: months % 12),
    },
    Range: {
        "start": _range("start"),
        "end": _range("end"),
        "start included": _range("start_included"),
        "end included": _range("end_included"),
    },
}
