"""Where a token can go from a node of a drawing, whatever the conditions say."""

from collections.abc import Iterable, Mapping

from orchestration.bpmn.model import CONTAINERS, EventType, Kind, Node, Process

Steps = Mapping[str, tuple[str, ...]]


def link_targets(process: Process) -> dict[str, str]:
    """Give for every throwing link event the catching one of its name in the same container."""
    targets = {
        (node.container, node.event.name): node.id
        for node in reversed(tuple(process.nodes.values()))
        if node.kind is Kind.CATCH and node.event.type is EventType.LINK
    }
    return {
        node.id: targets[node.container, node.event.name]
        for node in process.nodes.values()
        if node.kind is Kind.THROW
        and node.event.type is EventType.LINK
        and (node.container, node.event.name) in targets
    }


def following(process: Process, *, around: str | None = None) -> dict[str, tuple[str, ...]]:
    """Give for every node those that a token of it may enter next, by flow, link or boundary.

    With `around` no path goes on from that node.
    """
    found: dict[str, list[str]] = {identity: [] for identity in process.nodes}
    for flow in process.flows.values():
        if flow.source in found and flow.target in found:
            found[flow.source].append(flow.target)
    for source, target in link_targets(process).items():
        found[source].append(target)
    for node in process.nodes.values():
        if node.attached_to in found:
            found[node.attached_to].append(node.id)
    if around is not None:
        found[around] = []
    return {identity: tuple(targets) for identity, targets in found.items()}


def turned(steps: Steps) -> dict[str, tuple[str, ...]]:
    """Give the same steps backwards."""
    found: dict[str, list[str]] = {}
    for source, targets in steps.items():
        for target in targets:
            found.setdefault(target, []).append(source)
    return {target: tuple(sources) for target, sources in found.items()}


def reached(starts: Iterable[str], steps: Steps) -> frozenset[str]:
    """Give every node that can be reached from some nodes, these included."""
    seen = set(starts)
    open_nodes = list(seen)
    while open_nodes:
        for target in steps.get(open_nodes.pop(), ()):
            if target not in seen:
                seen.add(target)
                open_nodes.append(target)
    return frozenset(seen)


def insides(process: Process) -> dict[str, tuple[Node, ...]]:
    """Give the nodes of every container by its id, the process itself included."""
    found: dict[str, list[Node]] = {process.id: []}
    for node in process.nodes.values():
        found.setdefault(node.container, []).append(node)
        if node.kind in CONTAINERS:
            found.setdefault(node.id, [])
    return {container: tuple(nodes) for container, nodes in found.items()}
