"""A process made ready to run: expressions compiled, and the drawing indexed for the core."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256

from orchestration.bpmn.errors import DrawingRefused, Severity, refusal_of
from orchestration.bpmn.expressions import expression_texts, names_in_scope
from orchestration.bpmn.lint import check_process
from orchestration.bpmn.model import Drawing, EventType, Flow, Kind, Node, Process
from orchestration.feel import Expression, compile_expression

# From an incoming flow of an inclusive join to the nodes whose tokens may still arrive by it.
Reach = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Definition:
    """One executable process of a drawing; `digest` is the SHA-256 of the whole file."""

    process: Process
    digest: str
    expressions: Mapping[str, Expression]
    outgoing: Mapping[str, tuple[Flow, ...]]
    boundaries: Mapping[str, tuple[Node, ...]]
    starts: Mapping[str, tuple[Node, ...]]
    reach: Mapping[str, Reach]

    def node(self, node_id: str) -> Node:
        """Give a node by its id, which must be one of this process."""
        return self.process.nodes[node_id]

    def handler_of(self, activity: str) -> str | None:
        """Give the activity that undoes this one, if a compensation event is attached to it."""
        for boundary in self.boundaries.get(activity, ()):
            if boundary.event.type is EventType.COMPENSATION:
                return self.process.handlers.get(boundary.id)
        return None


def deploy(drawing: Drawing, *, process: str | None = None) -> Definition:
    """Make a process of a drawing ready to run; without a name, its only executable one.

    Raises:
        DrawingRefused: the process cannot be run; `findings` names every fault with its place.
    """
    chosen = drawing.process(process)
    if chosen is None:
        words = "The drawing has no such process, or more than one to choose from."
        raise DrawingRefused("no_process", process or drawing.id, 0, words)
    errors = tuple(
        finding for finding in check_process(chosen) if finding.severity is Severity.ERROR
    )
    if errors:
        raise refusal_of(errors)
    return _index(chosen, sha256(drawing.xml).hexdigest())


def _index(process: Process, digest: str) -> Definition:
    nodes = process.nodes
    names = names_in_scope(process)
    expressions = {
        text: compile_expression(text, names=names) for text, _ in expression_texts(process)
    }
    return Definition(
        process=process,
        digest=digest,
        expressions=expressions,
        outgoing={
            node.id: tuple(process.flows[flow] for flow in node.outgoing) for node in nodes.values()
        },
        boundaries=_grouped((node.attached_to, node) for node in nodes.values()),
        starts=_grouped(
            (node.container, node) for node in nodes.values() if node.kind is Kind.START
        ),
        reach={
            node.id: _reach_of(process, node)
            for node in nodes.values()
            if node.kind is Kind.INCLUSIVE and len(node.incoming) > 1
        },
    )


def _grouped(pairs: Iterator[tuple[str | None, Node]]) -> dict[str, tuple[Node, ...]]:
    grouped: dict[str, tuple[Node, ...]] = {}
    for key, node in pairs:
        if key is not None:
            grouped[key] = (*grouped.get(key, ()), node)
    return grouped


def _reach_of(process: Process, join: Node) -> dict[str, frozenset[str]]:
    """Find for every incoming flow the nodes from which it can be reached around the join."""
    before: dict[str, set[str]] = {}
    for flow in process.flows.values():
        if flow.source != join.id:
            before.setdefault(flow.target, set()).add(flow.source)
    for node in process.nodes.values():
        if node.attached_to is not None:
            before.setdefault(node.id, set()).add(node.attached_to)
    return {flow: _upstream(process.flows[flow].source, before) for flow in join.incoming}


def _upstream(start: str, before: Mapping[str, set[str]]) -> frozenset[str]:
    seen = {start}
    open_nodes = [start]
    while open_nodes:
        for previous in before.get(open_nodes.pop(), ()):
            if previous not in seen:
                seen.add(previous)
                open_nodes.append(previous)
    return frozenset(seen)
