"""Whether what belongs together stands together: links, handlers, transactions and the like."""

from collections.abc import Iterator

from orchestration.bpmn.errors import Finding
from orchestration.bpmn.faults import fault
from orchestration.bpmn.graph import insides
from orchestration.bpmn.model import ACTIVITIES, EventType, Kind, Node, Process

_BEGINS_INSIDE = {
    EventType.MESSAGE,
    EventType.TIMER,
    EventType.SIGNAL,
    EventType.CONDITIONAL,
    EventType.ERROR,
    EventType.ESCALATION,
    EventType.COMPENSATION,
}


def check_scopes(process: Process) -> Iterator[Finding]:
    """List what is wrong with the contents of the process and of each of its sub-processes."""
    for container, nodes in insides(process).items():
        holder = process.nodes.get(container)
        yield from _links(nodes)
        yield from _handlers(process, nodes)
        yield from _cancelling(holder, nodes)
        yield from _compensating(process, holder, nodes)
        yield from _not_undone(process, nodes)
        if holder is not None and holder.kind is Kind.AD_HOC:
            yield from _offered(holder, nodes)
    for node in process.nodes.values():
        if node.is_event_sub_process:
            inside = [each for each in process.nodes.values() if each.container == node.id]
            yield from _event_sub_process(process, node, inside)


def _links(nodes: tuple[Node, ...]) -> Iterator[Finding]:
    links = [node for node in nodes if node.event.type is EventType.LINK]
    caught: dict[str | None, Node] = {}
    for node in links:
        if node.kind is Kind.CATCH:
            if node.event.name in caught:
                words = f"Two catching links are called {node.event.name!r}."
                yield fault("link_repeated", node.id, node.line, words)
            caught[node.event.name] = node
        flows = node.incoming if node.kind is Kind.CATCH else node.outgoing
        if flows:
            words = "Nothing leads to a catching link, and nothing out of a throwing one."
            yield fault("link_connected", node.id, node.line, words)
    for node in links:
        if node.kind is Kind.THROW and node.event.name not in caught:
            words = f"No catching link here is called {node.event.name!r}."
            yield fault("link_without_target", node.id, node.line, words)


def _handlers(process: Process, nodes: tuple[Node, ...]) -> Iterator[Finding]:
    used = set(process.handlers.values())
    for node in nodes:
        if not node.is_for_compensation:
            continue
        if node.incoming or node.outgoing:
            words = "What undoes an activity stands beside the flow, not in it."
            yield fault("handler_connected", node.id, node.line, words)
        if node.id not in used:
            words = "No compensation event leads to this, so it never undoes anything."
            yield fault("handler_unused", node.id, node.line, words)


def _cancelling(holder: Node | None, nodes: tuple[Node, ...]) -> Iterator[Finding]:
    is_transaction = holder is not None and holder.kind is Kind.TRANSACTION
    for node in nodes:
        is_cancel = any(event.type is EventType.CANCEL for event in node.events)
        if is_cancel and node.kind is Kind.END and not is_transaction:
            words = "Only a transaction can be cancelled, by an end event directly in it."
            yield fault("cancel_misplaced", node.id, node.line, words)


def _is_cancelled(node: Node) -> bool:
    return node.kind is Kind.END and any(each.type is EventType.CANCEL for each in node.events)


def _compensating(
    process: Process, holder: Node | None, nodes: tuple[Node, ...]
) -> Iterator[Finding]:
    throwing = [
        node
        for node in nodes
        if node.kind in {Kind.THROW, Kind.END} and node.event.type is EventType.COMPENSATION
    ]
    cancelled = [node for node in nodes if _is_cancelled(node)]
    yield from _uncaught(process, holder, cancelled)
    around = _around(process, holder, nodes)
    undoable = {node.attached_to for node in around if _is_undoing(node)}
    inside = {node.id for node in around if node.kind in ACTIVITIES}
    for node in throwing:
        wanted = node.event.name
        if wanted is not None and wanted not in inside:
            words = f"There is no activity {wanted!r} here that could be undone."
            yield fault("compensation_unknown", node.id, node.line, words)
        elif not undoable and not _has_containers(around):
            words = "Nothing here says how it is undone, so this undoes nothing."
            yield fault("nothing_to_compensate", node.id, node.line, words)
    if throwing or cancelled:
        for node in around:
            is_effect = (node.work.call or "").startswith("action:")
            if is_effect and node.is_in_flow and node.id not in undoable and not node.work.stays:
                words = "This effect stays when the rest is undone: no handler is drawn for it."
                yield fault("effect_stays", node.id, node.line, words)


def _not_undone(process: Process, nodes: tuple[Node, ...]) -> Iterator[Finding]:
    undoable = {each.attached_to for each in process.nodes.values() if _is_undoing(each)}
    for node in nodes:
        is_effect = (node.work.call or "").startswith("action:")
        if is_effect and node.is_in_flow and node.id not in undoable and not node.work.stays:
            words = "Nothing says how this effect is undone, nor that it stays on purpose."
            yield fault("effect_not_undone", node.id, node.line, words)


def _uncaught(process: Process, holder: Node | None, cancelled: list[Node]) -> Iterator[Finding]:
    if holder is None or holder.kind is not Kind.TRANSACTION:
        return
    is_caught = any(
        node.attached_to == holder.id and node.event.type is EventType.CANCEL
        for node in process.nodes.values()
    )
    for node in () if is_caught else cancelled:
        words = "The transaction is cancelled here, but has no cancel event on its border."
        yield fault("cancel_uncaught", node.id, node.line, words)


def _around(process: Process, holder: Node | None, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
    """Give the nodes a compensation thrown here can reach, as an event sub-process does outside."""
    if holder is None or not holder.is_event_sub_process:
        return nodes
    outer = tuple(each for each in process.nodes.values() if each.container == holder.container)
    return (*nodes, *outer)


def _is_undoing(node: Node) -> bool:
    return node.kind is Kind.BOUNDARY and node.event.type is EventType.COMPENSATION


def _has_containers(nodes: tuple[Node, ...]) -> bool:
    return any(
        node.kind in {Kind.SUB_PROCESS, Kind.TRANSACTION, Kind.AD_HOC} and node.is_in_flow
        for node in nodes
    )


def _offered(holder: Node, nodes: tuple[Node, ...]) -> Iterator[Finding]:
    if any(node.kind in {Kind.START, Kind.END} for node in nodes):
        words = "An ad-hoc sub-process has no start and no end: its activities are chosen."
        yield fault("ad_hoc_invalid", holder.id, holder.line, words)
    if not any(node.kind in ACTIVITIES and not node.incoming for node in nodes):
        words = "An ad-hoc sub-process offers one activity at least."
        yield fault("ad_hoc_invalid", holder.id, holder.line, words)


def _event_sub_process(process: Process, node: Node, inside: list[Node]) -> Iterator[Finding]:
    for words in _event_sub_process_words(process, node, inside):
        yield fault("event_sub_process_invalid", node.id, node.line, words)


def _event_sub_process_words(process: Process, node: Node, inside: list[Node]) -> Iterator[str]:
    starts = [each for each in inside if each.kind is Kind.START]
    if node.kind is not Kind.SUB_PROCESS or node.loop or node.repeat:
        yield "An event sub-process is a plain sub-process, begun once for each event."
    if node.incoming or node.outgoing:
        yield "An event sub-process stands beside the flow, not in it."
    if any(each.attached_to == node.id for each in process.nodes.values()):
        yield "An event sub-process has no events on its border."
    if len(starts) != 1 or not starts[0].events:
        yield "An event sub-process has one start event, which says what it waits for."
        return
    types = {event.type for event in starts[0].events}
    if not types <= _BEGINS_INSIDE:
        yield "An event sub-process cannot wait for this."
    elif EventType.COMPENSATION in types and node.container not in process.nodes:
        yield "A compensation event sub-process undoes the sub-process it stands in."
