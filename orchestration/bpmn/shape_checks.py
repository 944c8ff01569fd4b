"""Whether the nodes of a process hang together: beginnings, ways, decisions, ends."""

from collections.abc import Iterator

from orchestration.bpmn.errors import Finding
from orchestration.bpmn.expressions import condition_of
from orchestration.bpmn.faults import fault
from orchestration.bpmn.graph import following, insides, reached
from orchestration.bpmn.model import ACTIVITIES, GATEWAYS, EventType, Flow, Kind, Node, Process
from orchestration.bpmn.node_checks import other_language

_DECIDING = {Kind.EXCLUSIVE, Kind.INCLUSIVE, Kind.COMPLEX}


def repeated_ids(process: Process) -> Iterator[Finding]:
    """Find ids that stand for two things."""
    for identity, line in process.repeated:
        yield fault("repeated_id", identity, line, f"The id {identity!r} is used twice.")


def starts(process: Process) -> Iterator[Finding]:
    """Find processes and sub-processes that do not begin at one plain start."""
    begun_from_outside = any(
        node.instantiates for node in process.nodes.values() if node.container == process.id
    )
    for container, nodes in insides(process).items():
        holder = process.nodes.get(container)
        if holder is not None and (holder.is_event_sub_process or holder.kind is Kind.AD_HOC):
            continue
        line = process.line if holder is None else holder.line
        found = [node for node in nodes if node.kind is Kind.START]
        if not found and not (holder is None and begun_from_outside):
            yield fault("no_start", container, line, "There is no start event.")
        plain = [node for node in found if not node.events]
        if len(plain) > 1 or (holder is not None and len(found) != len(plain)):
            words = "A process has one none start event; a sub-process has no other."
            yield fault("start_not_plain", container, line, words)


def flows(process: Process) -> Iterator[Finding]:
    """Find flows that lead nowhere, across a border, or beside another one."""
    seen: set[tuple[str, str]] = set()
    for flow in process.flows.values():
        source, target = process.nodes.get(flow.source), process.nodes.get(flow.target)
        if source is None or target is None:
            words = "The flow does not connect two nodes."
            yield fault("flow_dangling", flow.id, flow.line, words)
            continue
        if source.container != target.container:
            words = "A sequence flow may not cross the border of a sub-process."
            yield fault("flow_crosses_border", flow.id, flow.line, words)
        if (flow.source, flow.target) in seen:
            words = f"Another flow leads from {flow.source!r} to {flow.target!r} as well."
            yield fault("flow_repeated", flow.id, flow.line, words)
        seen.add((flow.source, flow.target))
        yield from _ends_of(flow, source, target)


def _ends_of(flow: Flow, source: Node, target: Node) -> Iterator[Finding]:
    if source.kind is Kind.END:
        yield fault("end_left", source.id, source.line, "Nothing follows an end event.")
    if target.kind is Kind.START:
        yield fault("start_entered", target.id, target.line, "Nothing leads to a start event.")
    if condition_of(flow) is None:
        return
    words = other_language(flow.language)
    if words is not None:
        yield fault("language_unsupported", flow.id, flow.line, words)
    if flow.id == source.default_flow:
        words = "The default way is taken when no other is; its condition is not looked at."
        yield fault("default_conditional", flow.id, flow.line, words)
    elif source.kind in {Kind.PARALLEL, Kind.EVENT_BASED}:
        words = "All ways out of this gateway are taken; the condition is not looked at."
        yield fault("condition_ignored", flow.id, flow.line, words)


def unreachable(process: Process) -> Iterator[Finding]:
    """Find nodes no path leads to."""
    seen = reached(
        (node.id for node in process.nodes.values() if _is_entry(process, node)),
        following(process),
    )
    for node in process.nodes.values():
        if node.id not in seen:
            yield fault("unreachable", node.id, node.line, "No path leads here.")


def _is_entry(process: Process, node: Node) -> bool:
    holder = process.nodes.get(node.container)
    is_offered = holder is not None and holder.kind is Kind.AD_HOC and node.kind in ACTIVITIES
    return (
        node.kind is Kind.START
        or not node.is_in_flow
        or node.instantiates
        or (is_offered and not node.incoming)
    )


def decisions(process: Process) -> Iterator[Finding]:
    """Find decisions a case can get stuck in."""
    for node in process.nodes.values():
        leaving = [process.flows[flow] for flow in node.outgoing]
        if node.default_flow is not None and node.default_flow not in node.outgoing:
            words = "The default way is none of those that lead out of here."
            yield fault("default_unknown", node.id, node.line, words)
        decided = [flow for flow in leaving if flow.id != node.default_flow]
        if node.kind in _DECIDING and len(leaving) > 1:
            for flow in decided:
                if condition_of(flow) is None:
                    words = "A way out of a decision needs a condition, or must be the default."
                    yield fault("condition_missing", flow.id, flow.line, words)
        is_decided = bool(decided) and all(condition_of(flow) for flow in decided)
        is_gateway = node.kind in _DECIDING and len(leaving) > 1
        if len(decided) == len(leaving) and (is_gateway or (_flows_on(node) and is_decided)):
            words = "Without a default way out, a case that fits no condition gets stuck."
            code = "default_missing" if is_gateway else "stuck_possible"
            yield fault(code, node.id, node.line, words)


def _flows_on(node: Node) -> bool:
    return node.kind not in GATEWAYS


def implicit(process: Process) -> Iterator[Finding]:
    """Find splits, joins and ends that are there without being drawn, and gateways for nothing."""
    for node in process.nodes.values():
        ways_in, ways_out = len(node.incoming), len(node.outgoing)
        if node.kind in GATEWAYS:
            if ways_in == ways_out == 1:
                words = "A gateway with one way in and one way out decides nothing."
                yield fault("gateway_superfluous", node.id, node.line, words)
            if ways_out == 0:
                words = "No way leads out of this gateway."
                yield fault("way_out_missing", node.id, node.line, words)
            continue
        unconditional = [
            flow for flow in node.outgoing if condition_of(process.flows[flow]) is None
        ]
        if len(unconditional) > 1:
            words = "Several ways are taken at once; a parallel gateway would say so."
            yield fault("implicit_split", node.id, node.line, words)
        if ways_in > 1 and node.kind is not Kind.END:
            words = "Ways meet here without a gateway: each that comes runs it again."
            yield fault("implicit_join", node.id, node.line, words)
        if ways_out == 0 and _goes_on(process, node):
            yield fault("implicit_end", node.id, node.line, "The way ends here without an end.")


def _goes_on(process: Process, node: Node) -> bool:
    holder = process.nodes.get(node.container)
    is_offered = holder is not None and holder.kind is Kind.AD_HOC
    is_over = node.kind is Kind.END or node.event.type in {EventType.LINK, EventType.COMPENSATION}
    return node.is_in_flow and not is_offered and not is_over
