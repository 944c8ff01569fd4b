"""A plan as a graph of typed tasks. Pure.

A task takes its inputs from values, from what another task finds, or from the customer, who is
asked when it runs. It may wait for others, and run only if an amount found by another is large or
small enough.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import networkx

Type = Literal["money", "payee", "card", "account", "day", "text", "reference"]
Operator = Literal["above", "at_least", "below", "at_most"]


@dataclass(frozen=True, slots=True)
class Input:
    """What a kind of task needs; the customer is asked for what is needed and not there."""

    type: Type
    is_required: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of task: what it takes and finds, by name and type."""

    name: str
    inputs: Mapping[str, Input]
    outputs: Mapping[str, Type]


@dataclass(frozen=True, slots=True)
class Given:
    """A value that stands in the plan itself."""

    value: object


@dataclass(frozen=True, slots=True)
class Found:
    """What another task finds."""

    task: str
    output: str


@dataclass(frozen=True, slots=True)
class Asked:
    """The customer is asked when the task runs."""


Source = Given | Found | Asked


@dataclass(frozen=True, slots=True)
class Condition:
    """A task runs only if an amount that another found is so large or small."""

    found: Found
    operator: Operator
    minor_units: int

    def holds(self, minor_units: int) -> bool:
        """Tell whether an amount fulfils it."""
        match self.operator:
            case "above":
                return minor_units > self.minor_units
            case "at_least":
                return minor_units >= self.minor_units
            case "below":
                return minor_units < self.minor_units
        return minor_units <= self.minor_units


@dataclass(frozen=True, slots=True)
class Task:
    """One step of a plan; `words` are the customer's own for it, if there are any."""

    id: str
    kind: str
    inputs: Mapping[str, Source] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    when: Condition | None = None
    words: str = ""


def graph_of(tasks: Sequence[Task]) -> "networkx.DiGraph[str]":
    """Return the tasks as a directed graph: an edge leads from what comes first."""
    graph: networkx.DiGraph[str] = networkx.DiGraph()
    graph.add_nodes_from(task.id for task in tasks)
    graph.add_edges_from((first, task.id) for task in tasks for first in needed_by(task))
    return graph


def needed_by(task: Task) -> tuple[str, ...]:
    """Return the tasks that must have been done before this one, each once."""
    found = [*task.after, *(each.task for _, each in references(task))]
    return tuple(dict.fromkeys(found))


def references(task: Task) -> Iterator[tuple[str, Found]]:
    """Yield where a task uses what another finds."""
    for name, source in task.inputs.items():
        if isinstance(source, Found):
            yield f"inputs.{name}", source
    if task.when is not None:
        yield "when", task.when.found
