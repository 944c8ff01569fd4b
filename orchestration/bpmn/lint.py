"""What keeps a drawing from running, and what its author should look at again."""

from collections.abc import Callable, Iterator

from orchestration.bpmn import (
    event_checks,
    input_checks,
    node_checks,
    scope_checks,
    shape_checks,
    soundness,
)
from orchestration.bpmn.durations import is_period
from orchestration.bpmn.errors import Finding
from orchestration.bpmn.expressions import expression_of, expression_texts, names_in_scope
from orchestration.bpmn.faults import fault
from orchestration.bpmn.model import Drawing, Kind, Node, Process
from orchestration.feel import Expression, FeelSyntaxError, compile_expression

# What the engine itself puts beside the variables of a process.
_GIVEN = frozenset(
    {
        "activationCount",
        "loopCounter",
        "numberOfActiveInstances",
        "numberOfCompletedInstances",
        "numberOfInstances",
        "waitingForStart",
    }
)


def check(drawing: Drawing) -> tuple[Finding, ...]:
    """List everything wrong or doubtful in the processes of a drawing that are to be run."""
    executable = [each for each in drawing.processes if each.is_executable]
    found = [
        finding for process in executable or drawing.processes for finding in check_process(process)
    ]
    if not executable:
        for process in drawing.processes:
            words = "No process of the drawing says that it is to be run."
            found.append(fault("not_executable", process.id, process.line, words))
    return (*found, *_cyclic_calls(drawing))


def check_process(process: Process) -> tuple[Finding, ...]:
    """List everything wrong or doubtful in one process."""
    return tuple(finding for rule in _RULES for finding in rule(process))


def _nodes(process: Process) -> Iterator[Finding]:
    for node in process.nodes.values():
        yield from node_checks.check_node(process, node)
        yield from event_checks.check_events(process, node)


def _deadlines(process: Process) -> Iterator[Finding]:
    if process.deadline is not None and not is_period(process.deadline):
        yield fault("deadline_invalid", process.id, process.line, node_checks.DEADLINE_WORDS)


def _expressions(process: Process) -> Iterator[Finding]:
    names = names_in_scope(process)
    for text, element in expression_texts(process):
        place = process.nodes.get(element) or process.flows[element]
        try:
            expression = compile_expression(text, names=names)
        except FeelSyntaxError as error:
            yield fault("feel_error", element, place.line, str(error))
            continue
        if element in process.flows and _is_no_question(expression):
            words = "The condition is a value and no question, so it never holds."
            yield fault("condition_not_boolean", element, place.line, words)
        if process.variables:
            for name in sorted({path[0] for path in expression.reads} - names - _GIVEN):
                words = f"Nothing in the drawing sets {name!r}, nor does it declare it."
                yield fault("name_unknown", element, place.line, words)


def _inputs(process: Process) -> Iterator[Finding]:
    yield from input_checks.check_inputs(process, names_in_scope(process))


def _is_no_question(condition: Expression) -> bool:
    """Tell whether a condition that looks at nothing has another value than true or false."""
    if condition.reads:
        return False
    value = condition.evaluate({}).value
    is_null = value is None and condition.text.strip() == "null"
    return is_null or not (value is None or isinstance(value, bool))


def _cyclic_calls(drawing: Drawing) -> Iterator[Finding]:
    calls = {
        process.id: {
            node.work.called: node
            for node in process.nodes.values()
            if node.kind is Kind.CALL and node.work.called and not expression_of(node.work.called)
        }
        for process in drawing.processes
    }
    for process in drawing.processes:
        for called, node in calls[process.id].items():
            if process.id in _called_from(called, calls):
                words = f"The process {process.id!r} calls itself without end."
                yield fault("cyclic_call", node.id, node.line, words)


def _called_from(start: str, calls: dict[str, dict[str, Node]]) -> set[str]:
    seen = {start}
    open_calls = [start]
    while open_calls:
        for called in calls.get(open_calls.pop(), {}):
            if called not in seen:
                seen.add(called)
                open_calls.append(called)
    return seen


_RULES: tuple[Callable[[Process], Iterator[Finding]], ...] = (
    shape_checks.repeated_ids,
    shape_checks.starts,
    shape_checks.flows,
    _nodes,
    _deadlines,
    scope_checks.check_scopes,
    shape_checks.unreachable,
    shape_checks.decisions,
    shape_checks.implicit,
    soundness.check_tokens,
    _expressions,
    _inputs,
)
