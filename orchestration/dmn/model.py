"""A DMN file as immutable values, as drawn: nothing here computes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class HitPolicy(StrEnum):
    """Which of the matching rules of a table make its result."""

    UNIQUE = "UNIQUE"
    ANY = "ANY"
    PRIORITY = "PRIORITY"
    FIRST = "FIRST"
    RULE_ORDER = "RULE ORDER"
    OUTPUT_ORDER = "OUTPUT ORDER"
    COLLECT = "COLLECT"


class Aggregation(StrEnum):
    """How a collecting table folds its results into one."""

    SUM = "SUM"
    COUNT = "COUNT"
    MIN = "MIN"
    MAX = "MAX"


class IterationKind(StrEnum):
    """Which boxed iteration is meant."""

    FOR = "for"
    SOME = "some"
    EVERY = "every"


@dataclass(frozen=True, slots=True)
class Variable:
    """A name with a declared type (None: any)."""

    name: str
    type_ref: str | None


@dataclass(frozen=True, slots=True)
class LiteralBox:
    """FEEL text."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class ContextBox:
    """Named entries; an entry without variable is the result."""

    entries: tuple[tuple[Variable | None, "Box"], ...]


@dataclass(frozen=True, slots=True)
class InvocationBox:
    """A call with boxed arguments."""

    called: "Box"
    bindings: tuple[tuple[str, "Box"], ...]


@dataclass(frozen=True, slots=True)
class ListBox:
    """A list of boxes."""

    items: tuple["Box", ...]


@dataclass(frozen=True, slots=True)
class RelationBox:
    """A list of contexts, drawn as a grid."""

    columns: tuple[str, ...]
    rows: tuple[tuple["Box", ...], ...]


@dataclass(frozen=True, slots=True)
class FunctionBox:
    """A function value; only FEEL functions can be run."""

    parameters: tuple[Variable, ...]
    body: "Box"
    is_feel: bool


@dataclass(frozen=True, slots=True)
class ConditionalBox:
    """If, then, else."""

    condition: "Box"
    consequence: "Box"
    alternative: "Box"


@dataclass(frozen=True, slots=True)
class IterationBox:
    """For, some or every."""

    kind: IterationKind
    variable: str
    source: "Box"
    body: "Box"


@dataclass(frozen=True, slots=True)
class FilterBox:
    """The items of a list that satisfy a condition."""

    source: "Box"
    condition: "Box"


@dataclass(frozen=True, slots=True)
class TableInput:
    """One input column."""

    expression: LiteralBox
    type_ref: str | None
    allowed: str | None


@dataclass(frozen=True, slots=True)
class TableOutput:
    """One output column."""

    name: str
    type_ref: str | None
    allowed: str | None
    default: LiteralBox | None


@dataclass(frozen=True, slots=True)
class Rule:
    """One row; `tests` and `outputs` by column, `annotations` as name and text."""

    id: str
    line: int
    tests: tuple[str, ...]
    outputs: tuple[LiteralBox, ...]
    annotations: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TableBox:
    """A decision table."""

    id: str
    line: int
    hit_policy: HitPolicy
    aggregation: Aggregation | None
    inputs: tuple[TableInput, ...]
    outputs: tuple[TableOutput, ...]
    rules: tuple[Rule, ...]


Box = (
    LiteralBox
    | ContextBox
    | InvocationBox
    | ListBox
    | RelationBox
    | FunctionBox
    | ConditionalBox
    | IterationBox
    | FilterBox
    | TableBox
)


@dataclass(frozen=True, slots=True)
class ItemDefinition:
    """A declared type: an alias, a structure, a function, and what is allowed of it."""

    name: str
    type_ref: str | None
    is_collection: bool
    components: tuple["ItemDefinition", ...]
    allowed: str | None
    constraint: str | None
    function: tuple[tuple[Variable, ...], str | None] | None


@dataclass(frozen=True, slots=True)
class InputData:
    """A fact the decisions are made on."""

    id: str
    name: str
    variable: Variable
    line: int


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision; `requires` and `knowledge` are references, `namespace#id`."""

    id: str
    name: str
    variable: Variable
    requires: tuple[str, ...]
    knowledge: tuple[str, ...]
    box: Box | None
    line: int


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A business knowledge model: a function that decisions share."""

    id: str
    name: str
    variable: Variable
    knowledge: tuple[str, ...]
    function: FunctionBox | None
    line: int


@dataclass(frozen=True, slots=True)
class Service:
    """A decision service: decisions behind one call."""

    id: str
    name: str
    variable: Variable
    outputs: tuple[str, ...]
    input_decisions: tuple[str, ...]
    input_data: tuple[str, ...]
    line: int


Element = InputData | Decision | Knowledge | Service


@dataclass(frozen=True, slots=True)
class Model:
    """A whole file; `imports` maps the local name of an imported model to its namespace.

    `import_lines` says where each is imported.
    """

    id: str
    name: str
    namespace: str
    imports: Mapping[str, str]
    import_lines: Mapping[str, int]
    items: tuple[ItemDefinition, ...]
    elements: Mapping[str, Element]
