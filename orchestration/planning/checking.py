"""Whether a plan holds together, before anything of it is begun. Pure.

Whatever does not fit is refused at the very place where it stands: a task, an input, an edge.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import networkx

from orchestration.planning.graph import (
    Found,
    Given,
    Input,
    Kind,
    Source,
    Task,
    Type,
    graph_of,
    needed_by,
)

TASKS_MAX = 8
EDGES_MAX = 24
TEXT_LENGTH_MAX = 140
WORDS_LENGTH_MAX = 500
MINOR_UNITS_MAX = 10**12
_ID = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not fit: a stable code, the place in the plan, and words."""

    code: str
    place: str
    words: str


class PlanRefused(ValueError):
    """The plan does not hold together; nothing of it was begun. `faults` say where."""

    code = "plan_refused"
    is_retryable = False

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(faults)
        self.faults = faults

    def __str__(self) -> str:
        return "; ".join(f"{each.place}: {each.words}" for each in self.faults)


def check(tasks: Sequence[Task], kinds: Mapping[str, Kind]) -> tuple[str, ...]:
    """Return the ids of the tasks in an order in which they can run.

    Raises:
        PlanRefused: the tasks are none, too many, or do not fit together.
    """
    faults = tuple(_faults(tasks, kinds))
    if faults:
        raise PlanRefused(faults)
    graph = graph_of(tasks)
    place = {task.id: index for index, task in enumerate(tasks)}
    # As the customer said it, wherever nothing else is needed.
    return tuple(networkx.lexicographical_topological_sort(graph, key=place.__getitem__))


def _faults(tasks: Sequence[Task], kinds: Mapping[str, Kind]) -> Iterator[Fault]:
    if not tasks:
        yield Fault("no_tasks", "tasks", "there is nothing to do")
        return
    if len(tasks) > TASKS_MAX:
        yield Fault("too_many_tasks", "tasks", f"a plan has {TASKS_MAX} tasks or fewer")
        return
    if sum(len(needed_by(task)) for task in tasks) > EDGES_MAX:
        yield Fault("too_many_edges", "tasks", f"a plan has {EDGES_MAX} links or fewer")
        return
    by_id = {task.id: task for task in tasks}
    seen = set[str]()
    for index, task in enumerate(tasks):
        place = f"tasks[{index}]"
        if task.id in seen:
            yield Fault("duplicate_task", place, f"there is another task {task.id}")
        seen.add(task.id)
        yield from _faults_of_task(place, task, by_id, kinds)
    yield from _cycles(tasks)


def _faults_of_task(
    place: str, task: Task, by_id: Mapping[str, Task], kinds: Mapping[str, Kind]
) -> Iterator[Fault]:
    if not _ID.fullmatch(task.id):
        yield Fault("bad_id", place, "an id is lower-case letters, digits, - and _")
    if len(task.words) > WORDS_LENGTH_MAX:
        yield Fault("words_too_long", place, f"{WORDS_LENGTH_MAX} characters or fewer")
    for position, first in enumerate(task.after):
        if first not in by_id:
            where = f"{place}.after[{position}]"
            yield Fault("unknown_task", where, f"there is no task {first[:40]}")
    if task.when is not None:
        yield from _faults_of_edge(f"{place}.when", "money", task.when.found, by_id, kinds)
        if abs(task.when.minor_units) > MINOR_UNITS_MAX:
            yield Fault("value_refused", f"{place}.when", "the amount is too large")
    kind = kinds.get(task.kind)
    if kind is None:
        yield Fault("unknown_kind", f"{place}.kind", f"there is no task {task.kind[:40]}")
        return
    yield from _faults_of_inputs(place, task, kind, by_id, kinds)


def _faults_of_inputs(
    place: str,
    task: Task,
    kind: Kind,
    by_id: Mapping[str, Task],
    kinds: Mapping[str, Kind],
) -> Iterator[Fault]:
    for name, wanted in kind.inputs.items():
        if wanted.is_required and name not in task.inputs:
            where = f"{place}.inputs.{name}"
            yield Fault("input_missing", where, f"{task.kind} needs a {wanted.type} here")
    for name, source in task.inputs.items():
        where = f"{place}.inputs.{name[:40]}"
        if name not in kind.inputs:
            yield Fault("unknown_input", where, f"{task.kind} takes no {name[:40]}")
        else:
            yield from _faults_of_input(where, kind.inputs[name], source, by_id, kinds)


def _faults_of_input(
    where: str,
    wanted: Input,
    source: Source,
    by_id: Mapping[str, Task],
    kinds: Mapping[str, Kind],
) -> Iterator[Fault]:
    if isinstance(source, Found):
        yield from _faults_of_edge(where, wanted.type, source, by_id, kinds)
    elif isinstance(source, Given) and not _VALUES[wanted.type](source.value):
        yield Fault("value_refused", where, f"this is no {wanted.type}")


def _faults_of_edge(
    where: str,
    wanted: Type,
    found: Found,
    by_id: Mapping[str, Task],
    kinds: Mapping[str, Kind],
) -> Iterator[Fault]:
    task = by_id.get(found.task)
    if task is None:
        yield Fault("unknown_task", where, f"there is no task {found.task[:40]}")
        return
    outputs = kinds[task.kind].outputs if task.kind in kinds else {}
    if found.output not in outputs:
        yield Fault("unknown_output", where, f"{found.task} finds no {found.output[:40]}")
    elif outputs[found.output] != wanted:
        words = f"{found.task} finds a {outputs[found.output]}, a {wanted} is needed"
        yield Fault("type_mismatch", where, words)


def _cycles(tasks: Sequence[Task]) -> Iterator[Fault]:
    graph = graph_of(tasks)
    place = {task.id: index for index, task in enumerate(tasks)}
    for members in networkx.strongly_connected_components(graph):
        is_loop = len(members) > 1 or any(graph.has_edge(each, each) for each in members)
        if is_loop and members <= place.keys():
            named = sorted(members, key=place.__getitem__)
            words = " waits for ".join((*named, named[0]))
            yield Fault("cycle", f"tasks[{place[named[0]]}]", words)


def is_of_type(value: object, wanted: Type) -> bool:
    """Tell whether this is a value of a type."""
    return _VALUES[wanted](value)


def is_money(value: object) -> bool:
    """Tell whether this is a positive amount in a currency."""
    if not isinstance(value, Mapping) or set(value) != {"minor_units", "currency"}:
        return False
    units, currency = value["minor_units"], value["currency"]
    is_amount = isinstance(units, int) and not isinstance(units, bool)
    return (
        is_amount
        and 0 < units <= MINOR_UNITS_MAX
        and isinstance(currency, str)
        and bool(_CURRENCY.fullmatch(currency))
    )


def _is_payee(value: object) -> bool:
    return (
        isinstance(value, Mapping)
        and set(value) == {"name", "iban"}
        and all(_is_text(each) for each in value.values())
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= TEXT_LENGTH_MAX and value.isprintable()


def _is_id(value: object) -> bool:
    try:
        UUID(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _is_day(value: object) -> bool:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


_VALUES: Mapping[Type, Callable[[object], bool]] = {
    "money": is_money,
    "payee": _is_payee,
    "card": _is_id,
    "account": _is_id,
    "day": _is_day,
    "text": _is_text,
    "reference": _is_text,
}
