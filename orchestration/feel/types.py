"""FEEL types: what `instance of` asks, what DMN declares, and the three implicit conversions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestration.feel.temporal import UTC_ZONE, Date, DateTime, Time
from orchestration.feel.values import FeelValue, Function, Range, type_name_of


@dataclass(frozen=True, slots=True)
class Simple:
    """A built-in type, by FEEL's name for it."""

    name: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list whose items all conform."""

    item: "FeelType"


@dataclass(frozen=True, slots=True)
class RangeOf:
    """A range whose bounds conform."""

    bound: "FeelType"


@dataclass(frozen=True, slots=True)
class ContextOf:
    """A context that has at least these entries."""

    fields: tuple[tuple[str, "FeelType"], ...]


@dataclass(frozen=True, slots=True)
class FunctionOf:
    """A function with these parameters and result."""

    parameters: tuple["FeelType", ...]
    result: "FeelType"


@dataclass(frozen=True, slots=True)
class Constrained:
    """A type of which only some values are allowed."""

    base: "FeelType"
    allows: Callable[[FeelValue], bool]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A type name that means nothing here; a model may define it."""

    name: str


FeelType = Simple | ListOf | RangeOf | ContextOf | FunctionOf | Constrained | Unknown

ANY = Simple("Any")
SIMPLE_NAMES = frozenset(
    {
        "Any",
        "Null",
        "number",
        "string",
        "boolean",
        "date",
        "time",
        "date and time",
        "days and time duration",
        "years and months duration",
        "list",
        "context",
        "range",
        "function",
    }
)
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
        case FunctionOf(parameters), Function():
            return len(value.parameters) == len(parameters)
        case _:
            return _parts_conform(value, wanted)


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
    if is_list(wanted):
        return _wrap(value, wanted)
    if isinstance(value, tuple) and len(value) == 1:
        return coerce(value[0], wanted)
    if wanted == Simple("date and time") and isinstance(value, Date):
        return DateTime(value, Time(0, 0, 0, 0, UTC_ZONE)), True
    return None, False


def is_list(wanted: FeelType) -> bool:
    """Tell whether a type is one of lists, constrained or not."""
    if isinstance(wanted, Constrained):
        return is_list(wanted.base)
    return isinstance(wanted, ListOf) or wanted == Simple("list")


def _wrap(value: FeelValue, wanted: FeelType) -> tuple[FeelValue, bool]:
    if not isinstance(value, tuple) and conforms((value,), wanted):
        return (value,), True
    return None, False
