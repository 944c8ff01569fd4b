"""FEEL types: what `instance of` asks, what DMN declares, and the three implicit conversions."""

from collections.abc import Mapping

from orchestration.feel.temporal import UTC_ZONE, Date, DateTime, Time
from orchestration.feel.type_nodes import (
    ANY,
    SIMPLE_NAMES,
    Constrained,
    ContextOf,
    FeelType,
    FunctionOf,
    ListOf,
    RangeOf,
    Simple,
    Unknown,
)
from orchestration.feel.values import FeelValue, Function, Range, type_name_of

__all__ = [
    "ANY",
    "Constrained",
    "ContextOf",
    "FeelType",
    "FunctionOf",
    "ListOf",
    "RangeOf",
    "Simple",
    "Unknown",
    "coerce",
    "conforms",
    "is_below",
    "is_complete",
    "is_instance",
    "is_list",
    "simple_type",
]


_NEEDS_PARAMETERS = frozenset({"list", "context", "range", "function"})
# Spellings of XML Schema that older DMN models use.
_ALIASES = {
    "dateTime": "date and time",
    "date time": "date and time",
    "dayTimeDuration": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "integer": "number",
    "any": "Any",
}


def simple_type(name: str) -> FeelType:
    """Give the type a plain name stands for; Unknown when FEEL has none of that name."""
    bare = _ALIASES.get(name, name)
    return Simple(bare) if bare in SIMPLE_NAMES else Unknown(name)


def conforms(value: FeelValue, wanted: FeelType) -> bool:
    """Tell whether a value belongs to a type; null belongs to every type but is no instance."""
    if wanted == ANY or value is None:
        return True
    return _conforms_structurally(value, wanted)


def _conforms_structurally(value: FeelValue, wanted: FeelType) -> bool:
    match wanted, value:
        case Simple(name), _:
            return type_name_of(value) == name
        case Constrained(base, allows), _:
            return conforms(value, base) and allows(value)
        case FunctionOf(parameters, result), Function():
            return _function_conforms(value, parameters, result)
        case _:
            return _parts_conform(value, wanted)


def _function_conforms(
    function: Function, parameters: tuple[FeelType, ...], result: FeelType
) -> bool:
    """Compare a function with a type: it must take what is given, and give what is taken."""
    if len(function.parameters) != len(parameters):
        return False
    takes = all(
        is_below(given, own.type or ANY)
        for given, own in zip(parameters, function.parameters, strict=True)
    )
    return takes and (function.result is None or is_below(function.result, result))


def is_below(lower: FeelType, upper: FeelType) -> bool:
    """Tell whether every value of one type is also one of another."""
    if upper == ANY or lower == Simple("Null") or lower == upper:
        return True
    match lower, upper:
        case Constrained(base), _:
            return is_below(base, upper)
        case (ListOf(one), ListOf(other)) | (RangeOf(one), RangeOf(other)):
            return is_below(one, other)
        case ContextOf(fields), ContextOf(wanted):
            own = dict(fields)
            return all(name in own and is_below(own[name], kind) for name, kind in wanted)
        case FunctionOf(takes, gives), FunctionOf(given, taken):
            return (
                len(takes) == len(given)
                and all(map(is_below, given, takes))
                and is_below(gives, taken)
            )
        case _:
            return False


def _parts_conform(value: FeelValue, wanted: FeelType) -> bool:
    match wanted, value:
        case ListOf(item), tuple():
            return all(conforms(each, item) for each in value)
        case RangeOf(bound), Range():
            return _bounds_conform(value, bound)
        case ContextOf(fields), Mapping():
            return all(name in value and conforms(value[name], kind) for name, kind in fields)
        case _:
            return False


def _bounds_conform(value: Range, bound: FeelType) -> bool:
    return conforms(value.start, bound) and conforms(value.end, bound)


def is_complete(wanted: FeelType) -> bool:
    """Tell whether a type stands for itself: known, and with the parameters it needs."""
    match wanted:
        case Simple(name):
            return name not in _NEEDS_PARAMETERS
        case ListOf(inner) | RangeOf(inner) | Constrained(inner):
            return is_complete(inner)
        case ContextOf(fields):
            return all(is_complete(kind) for _, kind in fields)
        case FunctionOf(parameters, result):
            return all(map(is_complete, parameters)) and is_complete(result)
        case Unknown():
            return False


def is_instance(value: FeelValue, wanted: FeelType) -> bool:
    """Answer `value instance of wanted`."""
    if value is None:
        return wanted == Simple("Null")
    return conforms(value, wanted)


def coerce(value: FeelValue, wanted: FeelType) -> tuple[FeelValue, bool]:
    """Convert a value to a declared type where FEEL does so silently.

    Returns the value and whether it conforms; a value that does not comes back as None.
    """
    if conforms(value, wanted):
        return value, True
    if isinstance(wanted, Constrained):
        converted, fits = coerce(value, wanted.base)
        return (converted, True) if fits and wanted.allows(converted) else (None, False)
    if is_list(wanted):
        return _wrap(value, wanted)
    if isinstance(value, tuple) and len(value) == 1:
        return coerce(value[0], wanted)
    if wanted == Simple("date and time") and isinstance(value, Date):
        return DateTime(value, Time(0, 0, 0, 0, UTC_ZONE)), True
    return None, False


def is_list(wanted: FeelType) -> bool:
    """Tell whether a type is one of lists, constrained or not."""
    return isinstance(wanted, ListOf) or wanted == Simple("list")


def _wrap(value: FeelValue, wanted: FeelType) -> tuple[FeelValue, bool]:
    if not isinstance(value, tuple) and conforms((value,), wanted):
        return (value,), True
    return None, False
