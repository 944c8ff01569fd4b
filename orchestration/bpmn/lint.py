"""What keeps a drawing from running, and what its author should look at again."""

from collections.abc import Callable, Iterator

from orchestration.bpmn.errors import Finding, Severity
from orchestration.bpmn.expressions import (
    condition_of,
    expression_of,
    expression_texts,
    names_in_scope,
)
from orchestration.bpmn.model import (
    Drawing,
    Kind,
    Node,
    Process,
)
from orchestration.bpmn.node_checks import check_node
from orchestration.feel import FeelSyntaxError, compile_expression


def check(drawing: Drawing) -> tuple[Finding, ...]:
    """List everything wrong or doubtful in the processes of a drawing that are to be run."""
    chosen = [each for each in drawing.processes if each.is_executable] or drawing.processes
    found = [finding for process in chosen for finding in check_process(process)]
    return (*found, *_cyclic_calls(drawing))


def check_process(process: Process) -> tuple[Finding, ...]:
    """List everything wrong or doubtful in one process."""
    return tuple(finding for rule in _RULES for finding in rule(process))


def _starts(process: Process) -> Iterator[Finding]:
    containers = {process.id: process.line}
    containers.update(
        (node.id, node.line)
        for node in process.nodes.values()
        if node.kind is Kind.SUB_PROCESS and not node.is_event_sub_process
    )
    for container, line in containers.items():
        starts = [
            node
            for node in process.nodes.values()
            if node.kind is Kind.START and node.container == container
        ]
        if not starts:
            yield Finding("no_start", container, line, "There is no start event.")
        plain = [node for node in starts if node.event_count == 0]
        if len(plain) > 1 or (container != process.id and len(starts) != len(plain)):
            words = "A process has one none start event; a sub-process has no other."
            yield Finding("start_not_plain", container, line, words)


def _repeated_ids(process: Process) -> Iterator[Finding]:
    for identity, line in process.repeated:
        yield Finding("repeated_id", identity, line, f"The id {identity!r} is used twice.")


def _flows(process: Process) -> Iterator[Finding]:
    for flow in process.flows.values():
        source, target = process.nodes.get(flow.source), process.nodes.get(flow.target)
        if source is None or target is None:
            words = "The flow does not connect two nodes."
            yield Finding("flow_dangling", flow.id, flow.line, words)
        elif source.container != target.container:
            words = "A sequence flow may not cross the border of a sub-process."
            yield Finding("flow_crosses_border", flow.id, flow.line, words)


def _nodes(process: Process) -> Iterator[Finding]:
    for node in process.nodes.values():
        yield from check_node(process, node)


def _unreachable(process: Process) -> Iterator[Finding]:
    seen = {node.id for node in process.nodes.values() if _is_entry(process, node)}
    open_nodes = list(seen)
    while open_nodes:
        current = open_nodes.pop()
        following = [process.flows[flow].target for flow in process.nodes[current].outgoing] + [
            node.id for node in process.nodes.values() if node.attached_to == current
        ]
        for target in following:
            if target in process.nodes and target not in seen:
                seen.add(target)
                open_nodes.append(target)
    for node in process.nodes.values():
        if node.id not in seen:
            words = "No path leads here."
            yield Finding("unreachable", node.id, node.line, words)


def _is_entry(process: Process, node: Node) -> bool:
    return (
        node.kind is Kind.START
        or node.is_for_compensation
        or node.is_event_sub_process
        or node.id in process.handlers.values()
    )


def _decisions(process: Process) -> Iterator[Finding]:
    for node in process.nodes.values():
        if node.kind not in {Kind.EXCLUSIVE, Kind.INCLUSIVE} or len(node.outgoing) < 2:
            continue
        flows = [process.flows[flow] for flow in node.outgoing if flow != node.default_flow]
        for flow in flows:
            if condition_of(flow) is None:
                words = "A way out of a decision needs a condition, or must be the default."
                yield Finding("condition_missing", flow.id, flow.line, words)
        if len(flows) == len(node.outgoing):
            words = "Without a default way out, a case that fits no condition gets stuck."
            yield Finding("default_missing", node.id, node.line, words, Severity.WARNING)


def _joins(process: Process) -> Iterator[Finding]:
    for node in process.nodes.values():
        if node.kind is Kind.PARALLEL and len(node.incoming) > 1:
            source = _only_decision_before(process, node)
            if source is not None:
                words = f"This join waits for every way out of {source!r}, which takes only one."
                yield Finding("dead_join", node.id, node.line, words)


def _only_decision_before(process: Process, node: Node) -> str | None:
    """Find the exclusive gateway that all incoming ways of a join come from, if there is one."""
    origins = {_decision_behind(process, process.flows[flow].source) for flow in node.incoming}
    return origins.pop() if len(origins) == 1 else None


def _decision_behind(process: Process, node_id: str) -> str | None:
    seen: set[str] = set()
    while node_id not in seen:
        seen.add(node_id)
        node = process.nodes.get(node_id)
        if node is None or node.attached_to is not None:
            return None
        if node.kind in {Kind.EXCLUSIVE, Kind.EVENT_BASED} and len(node.outgoing) > 1:
            return node.id
        if len(node.incoming) != 1 or len(node.outgoing) != 1:
            return None
        node_id = process.flows[node.incoming[0]].source
    return None


def _expressions(process: Process) -> Iterator[Finding]:
    names = names_in_scope(process)
    for text, element in expression_texts(process):
        try:
            compile_expression(text, names=names)
        except FeelSyntaxError as error:
            place = process.nodes.get(element) or process.flows[element]
            yield Finding("feel_error", element, place.line, str(error))


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
                yield Finding("cyclic_call", node.id, node.line, words)


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
    _repeated_ids,
    _starts,
    _flows,
    _nodes,
    _unreachable,
    _decisions,
    _joins,
    _expressions,
)
