"""What FEEL's types are made of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


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
    allows: Callable[[Any], bool]


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
