"""The syntax tree of FEEL: what the parser makes and the compiler reads."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from orchestration.feel.types import FeelType
from orchestration.feel.values import FeelValue


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: FeelValue


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, a built-in function, or `?`."""

    name: str


@dataclass(frozen=True, slots=True)
class Path:
    """A property of a value: `order.amount`."""

    source: "Node"
    name: str


@dataclass(frozen=True, slots=True)
class Filter:
    """Items of a list that satisfy a condition, or the item at an index."""

    source: "Node"
    condition: "Node"


@dataclass(frozen=True, slots=True)
class Call:
    """An invocation with positional or named arguments, never both."""

    function: "Node"
    positional: tuple["Node", ...]
    named: tuple[tuple[str, "Node"], ...]


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic or comparison; `operator` is the symbol."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Logic:
    """Three-valued `and` or `or`."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Negation:
    """Arithmetic minus."""

    operand: "Node"


@dataclass(frozen=True, slots=True)
class Between:
    """`value between low and high`, both included."""

    value: "Node"
    low: "Node"
    high: "Node"


@dataclass(frozen=True, slots=True)
class In:
    """A value against unary tests; any may hold."""

    value: "Node"
    tests: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class InstanceOf:
    """Whether a value conforms to a type."""

    value: "Node"
    type: FeelType


@dataclass(frozen=True, slots=True)
class If:
    """`if condition then consequence else alternative`."""

    condition: "Node"
    consequence: "Node"
    alternative: "Node"


@dataclass(frozen=True, slots=True)
class Iteration:
    """One `name in source`; with `end`, a count from source to end."""

    name: str
    source: "Node"
    end: "Node | None" = None


@dataclass(frozen=True, slots=True)
class For:
    """A list made by running the body over every combination of the iterations."""

    iterations: tuple[Iteration, ...]
    body: "Node"


@dataclass(frozen=True, slots=True)
class Quantified:
    """`some` (is_universal false) or `every` (true)."""

    is_universal: bool
    iterations: tuple[Iteration, ...]
    body: "Node"


@dataclass(frozen=True, slots=True)
class Lambda:
    """A function written in the expression; an external one has no meaning here."""

    parameters: tuple[tuple[str, FeelType | None], ...]
    body: "Node"
    is_external: bool = False


@dataclass(frozen=True, slots=True)
class ContextLiteral:
    """`{name: value, …}`; later entries see the earlier ones."""

    entries: tuple[tuple[str, "Node"], ...]


@dataclass(frozen=True, slots=True)
class ListLiteral:
    """`[a, b, …]`."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class RangeLiteral:
    """`[a..b)` in any of its spellings."""

    start: "Node"
    end: "Node"
    start_included: bool
    end_included: bool


@dataclass(frozen=True, slots=True)
class Test:
    """A unary test with an operator: `< 10`. As a value it is the range of what passes."""

    operator: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class UnaryTestList:
    """The tests of one decision table cell; no tests (`-`) always pass."""

    tests: tuple["Node", ...]
    is_negated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Boxed:
    """A part that was compiled elsewhere: a boxed expression of DMN inside a FEEL construct."""

    code: Callable[[Any], FeelValue]


Node = (
    Literal
    | Name
    | Path
    | Filter
    | Call
    | Binary
    | Logic
    | Negation
    | Between
    | In
    | InstanceOf
    | If
    | For
    | Quantified
    | Lambda
    | ContextLiteral
    | ListLiteral
    | RangeLiteral
    | Test
    | Boxed
)
