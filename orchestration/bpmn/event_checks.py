"""Whether the events of a node can happen there, and say everything they must."""

from collections.abc import Callable, Iterator

from orchestration.bpmn.cycles import parse_cycle
from orchestration.bpmn.durations import parse_iso_duration
from orchestration.bpmn.errors import Finding
from orchestration.bpmn.expressions import expression_of
from orchestration.bpmn.faults import fault
from orchestration.bpmn.model import (
    ACTIVITIES,
    EARS,
    EventDefinition,
    EventType,
    Kind,
    Node,
    Process,
    TimerType,
)
from orchestration.feel.temporal_text import parse_date_time

_THROWN = {
    EventType.MESSAGE,
    EventType.SIGNAL,
    EventType.ESCALATION,
    EventType.COMPENSATION,
}
ALLOWED = {
    Kind.START: EARS | {EventType.ERROR, EventType.ESCALATION, EventType.COMPENSATION},
    Kind.END: _THROWN | {EventType.ERROR, EventType.CANCEL, EventType.TERMINATE},
    Kind.CATCH: EARS | {EventType.LINK},
    Kind.THROW: _THROWN | {EventType.LINK},
    Kind.BOUNDARY: EARS
    | {EventType.ERROR, EventType.ESCALATION, EventType.COMPENSATION, EventType.CANCEL},
}
_NEEDS_ONE = {Kind.CATCH, Kind.BOUNDARY}
_WAITING = {Kind.CATCH, Kind.BOUNDARY, Kind.RECEIVE}
_ALONE = {EventType.COMPENSATION, EventType.LINK}
_ENDING = _ALONE | {EventType.ERROR, EventType.CANCEL, EventType.TERMINATE}


def check_events(process: Process, node: Node) -> Iterator[Finding]:
    """List what is wrong with the events of one node, and with where it is attached."""
    for rule in _RULES:
        words = rule(process, node)
        if words is not None:
            yield fault(rule.__name__.lstrip("_"), node.id, node.line, words)
    for event in node.events:
        if not event.is_declared:
            words = f"The drawing declares nothing of the id {event.name!r}."
            yield fault("reference_undeclared", node.id, node.line, words)


def _event_unsupported(process: Process, node: Node) -> str | None:
    allowed = ALLOWED.get(node.kind)
    if allowed is None:
        return None
    if node.kind in _NEEDS_ONE and not node.events:
        return "An event without definition cannot be run here."
    for event in node.events:
        if event.type not in allowed:
            return f"{event.tag or 'An event without definition'} cannot be run here."
    holder = process.nodes.get(node.container)
    is_inside = holder is not None and holder.is_event_sub_process
    if node.kind is Kind.START and not is_inside and not _types(node) <= EARS:
        return "Only an event sub-process begins with this."
    return _combination(node, is_inside=is_inside)


def _combination(node: Node, *, is_inside: bool) -> str | None:
    if len(node.events) < 2:
        return None
    types = _types(node)
    if types & _ALONE:
        return "This event stands alone."
    if node.kind is Kind.END and len([e for e in node.events if e.type in _ENDING]) > 1:
        return "An end can do only one of these."
    if node.is_parallel and not types <= EARS:
        return "An event waits for all of its definitions only if each can be waited for."
    if node.is_parallel and node.kind is Kind.START and not is_inside:
        return "Several events cannot begin one instance together."
    return None


def _types(node: Node) -> set[EventType]:
    return {event.type for event in node.events}


def _timer_invalid(process: Process, node: Node) -> str | None:
    del process
    for event in node.events:
        if event.type is not EventType.TIMER:
            continue
        if event.timer is None:
            return "The timer says nothing about when."
        if expression_of(event.timer) is None and not _is_iso(event.timer_type, event.timer):
            return f"{event.timer!r} is no ISO 8601 {event.timer_type}."
    return None


def _is_iso(timer_type: TimerType | None, text: str) -> bool:
    if timer_type is TimerType.DURATION:
        return parse_iso_duration(text) is not None
    if timer_type is TimerType.DATE:
        return parse_date_time(text) is not None
    return parse_cycle(text) is not None


def _event_condition_missing(process: Process, node: Node) -> str | None:
    del process
    for event in node.events:
        if event.type is EventType.CONDITIONAL and event.condition is None:
            return "A conditional event holds its condition as FEEL."
    return None


def _event_name_missing(process: Process, node: Node) -> str | None:
    del process
    if node.kind is Kind.RECEIVE and not node.events:
        return "A receive task names its message."
    is_unnamed = any(not event.name for event in node.events if _needs_name(node, event))
    return "The event names no message, signal, link or code." if is_unnamed else None


def _needs_name(node: Node, event: EventDefinition) -> bool:
    if event.type in {EventType.MESSAGE, EventType.SIGNAL, EventType.LINK}:
        return True
    is_thrown = node.kind in {Kind.END, Kind.THROW}
    return is_thrown and event.type in {EventType.ERROR, EventType.ESCALATION}


def _correlation_missing(process: Process, node: Node) -> str | None:
    holder = process.nodes.get(node.container)
    is_inside = holder is not None and holder.is_event_sub_process
    if node.kind not in _WAITING and not (node.kind is Kind.START and is_inside):
        return None
    if _begins_process(process, node):
        return None
    if any(each.type is EventType.MESSAGE and not each.correlation for each in node.events):
        return "Without a correlation it takes a message that is meant for another case."
    return None


def _begins_process(process: Process, node: Node) -> bool:
    before = (process.nodes.get(process.flows[flow].source) for flow in node.incoming)
    return node.instantiates or any(each is not None and each.instantiates for each in before)


def _boundary_invalid(process: Process, node: Node) -> str | None:
    if node.kind is not Kind.BOUNDARY:
        return None
    host = process.nodes.get(node.attached_to or "")
    if host is None or host.kind not in ACTIVITIES or host.container != node.container:
        return "A boundary event is attached to an activity of its own sub-process or process."
    if node.incoming:
        return "Nothing leads to a boundary event but the activity it is attached to."
    types = _types(node)
    if EventType.COMPENSATION in types and node.outgoing:
        return "A compensation event has no way out, only an association to what undoes."
    if types & {EventType.ERROR, EventType.CANCEL} and not node.is_interrupting:
        return "An error or a cancellation always interrupts."
    return None


def _handler_missing(process: Process, node: Node) -> str | None:
    if node.kind is not Kind.BOUNDARY or node.event.type is not EventType.COMPENSATION:
        return None
    handler = process.nodes.get(process.handlers.get(node.id, ""))
    if handler is not None and handler.is_for_compensation:
        return None
    return "A compensation event leads to an activity that undoes."


def _cancel_misplaced(process: Process, node: Node) -> str | None:
    if node.kind is not Kind.BOUNDARY or EventType.CANCEL not in _types(node):
        return None
    host = process.nodes.get(node.attached_to or "")
    if host is not None and host.kind is Kind.TRANSACTION:
        return None
    return "Only a transaction has a cancel event on its border."


def _event_gateway_invalid(process: Process, node: Node) -> str | None:
    if node.kind is not Kind.EVENT_BASED:
        return None
    targets = [process.nodes.get(process.flows[flow].target) for flow in node.outgoing]
    if len(targets) < 2 or not all(_is_awaited_event(target) for target in targets):
        return "An event-based gateway leads to two or more events to wait for."
    if any(target is not None and len(target.incoming) > 1 for target in targets):
        return "Nothing else leads to an event behind an event-based gateway."
    if node.instantiates and node.incoming:
        return "A gateway that begins a process has nothing in front of it."
    if node.is_parallel and not node.instantiates:
        return "Only a gateway that begins a process waits for all of its events."
    return None


def _is_awaited_event(target: Node | None) -> bool:
    if target is None or target.event.type is EventType.LINK:
        return False
    return target.kind in {Kind.CATCH, Kind.RECEIVE} and not target.is_parallel


_RULES: tuple[Callable[[Process, Node], str | None], ...] = (
    _event_unsupported,
    _timer_invalid,
    _event_condition_missing,
    _event_name_missing,
    _correlation_missing,
    _boundary_invalid,
    _handler_missing,
    _cancel_misplaced,
    _event_gateway_invalid,
)
