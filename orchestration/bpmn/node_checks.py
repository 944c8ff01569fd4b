"""Whether a single node says everything it must to be run."""

import re
from collections.abc import Callable, Iterator

from orchestration.bpmn.errors import Finding, Severity
from orchestration.bpmn.expressions import expression_of
from orchestration.bpmn.model import ACTIVITIES, EventType, Kind, Node, Process, TimerType
from orchestration.feel.temporal_text import parse_date_time, parse_duration

_CALL = re.compile(r"(action|read|model|agent):[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")
_CYCLE = re.compile(r"R\d*/(P.+)")
_ALLOWED_EVENTS = {
    Kind.START: {EventType.NONE, EventType.MESSAGE, EventType.TIMER, EventType.SIGNAL},
    Kind.END: {
        EventType.NONE,
        EventType.MESSAGE,
        EventType.SIGNAL,
        EventType.ERROR,
        EventType.ESCALATION,
        EventType.TERMINATE,
        EventType.COMPENSATION,
    },
    Kind.CATCH: {EventType.TIMER, EventType.MESSAGE, EventType.SIGNAL},
    Kind.THROW: {
        EventType.NONE,
        EventType.MESSAGE,
        EventType.SIGNAL,
        EventType.ESCALATION,
        EventType.COMPENSATION,
    },
    Kind.BOUNDARY: {
        EventType.TIMER,
        EventType.MESSAGE,
        EventType.SIGNAL,
        EventType.ERROR,
        EventType.ESCALATION,
        EventType.COMPENSATION,
    },
}
_ATTEMPTS_MAX = 20


def check_node(process: Process, node: Node) -> Iterator[Finding]:
    """List what is wrong with one node."""
    for rule in _RULES:
        words = rule(process, node)
        if words is not None:
            yield Finding(rule.__name__.lstrip("_"), node.id, node.line, words)
    if node.kind in ACTIVITIES and not node.name:
        words = "The activity has no name, so nobody can be told what it does."
        yield Finding("name_missing", node.id, node.line, words, Severity.WARNING)


def _element_unsupported(process: Process, node: Node) -> str | None:
    del process
    if node.kind is Kind.UNSUPPORTED:
        return f"{node.tag} can be drawn but not run."
    if node.is_event_sub_process:
        return "An event sub-process can be drawn but not run."
    return "A standard loop can be drawn but not run." if node.has_standard_loop else None


def _event_unsupported(process: Process, node: Node) -> str | None:
    del process
    allowed = _ALLOWED_EVENTS.get(node.kind)
    if allowed is None:
        return None
    if node.event_count > 1:
        return "An event with several definitions can be drawn but not run."
    if node.event.type not in allowed:
        return f"{node.event.tag or 'An event without definition'} cannot be run here."
    return None


def _call_missing(process: Process, node: Node) -> str | None:
    del process
    if node.kind is not Kind.SERVICE and not (node.kind is Kind.SEND and node.work.call):
        return None
    if _CALL.fullmatch(node.work.call or ""):
        return None
    return "A service task names what it calls: action:…, read:…, model:… or agent:…"


def _decision_missing(process: Process, node: Node) -> str | None:
    del process
    file, separator, name = (node.work.decision or "").partition("#")
    if node.kind is not Kind.RULE or (file and separator and name):
        return None
    return "A business rule task names its decision as file.dmn#decision."


def _script_missing(process: Process, node: Node) -> str | None:
    del process
    if node.kind is Kind.SCRIPT and not node.work.script:
        return "A script task holds a FEEL expression."
    return None


def _called_process_missing(process: Process, node: Node) -> str | None:
    del process
    if node.kind is Kind.CALL and not node.work.called:
        return "A call activity names the process it calls."
    return None


def _retry_invalid(process: Process, node: Node) -> str | None:
    del process
    attempts, backoff = node.work.attempts, node.work.backoff
    if attempts is not None and not 1 <= attempts <= _ATTEMPTS_MAX:
        return f"attempts is a number from 1 to {_ATTEMPTS_MAX}."
    if backoff is not None and parse_duration(backoff) is None:
        return "backoff is an ISO 8601 duration such as PT5S."
    return None


def _service_level_invalid(process: Process, node: Node) -> str | None:
    del process
    for text in (node.work.due, node.work.warn):
        if text is not None and expression_of(text) is None and parse_duration(text) is None:
            return "due and warn are ISO 8601 durations such as PT4H."
    return None


def _timer_invalid(process: Process, node: Node) -> str | None:
    del process
    event = node.event
    if event.type is not EventType.TIMER:
        return None
    if event.timer is None:
        return "The timer says nothing about when."
    if expression_of(event.timer) is None and not _is_iso(event.timer_type, event.timer):
        return f"{event.timer!r} is no ISO 8601 {event.timer_type}."
    return None


def _is_iso(timer_type: TimerType | None, text: str) -> bool:
    if timer_type is TimerType.DURATION:
        return parse_duration(text) is not None
    if timer_type is TimerType.DATE:
        return parse_date_time(text) is not None
    found = _CYCLE.fullmatch(text)
    return found is not None and parse_duration(found.group(1)) is not None


def _event_name_missing(process: Process, node: Node) -> str | None:
    del process
    needs_name = node.event.type in {EventType.MESSAGE, EventType.SIGNAL} or (
        node.kind in {Kind.END, Kind.THROW}
        and node.event.type in {EventType.ERROR, EventType.ESCALATION}
    )
    if node.kind is Kind.RECEIVE and node.event.type is EventType.NONE:
        return "A receive task names its message."
    return (
        "The event names no message, signal or code."
        if needs_name and not node.event.name
        else None
    )


def _boundary_invalid(process: Process, node: Node) -> str | None:
    if node.kind is not Kind.BOUNDARY:
        return None
    host = process.nodes.get(node.attached_to or "")
    if host is None or host.kind not in ACTIVITIES:
        return "A boundary event is attached to an activity."
    if node.event.type is EventType.COMPENSATION:
        handler = process.nodes.get(process.handlers.get(node.id, ""))
        is_handler = handler is not None and handler.is_for_compensation
        return None if is_handler else "A compensation event leads to an activity that undoes."
    if node.event.type is EventType.ERROR and not node.is_interrupting:
        return "An error always interrupts."
    return None


def _event_gateway_invalid(process: Process, node: Node) -> str | None:
    if node.kind is not Kind.EVENT_BASED:
        return None
    targets = [process.nodes.get(process.flows[flow].target) for flow in node.outgoing]
    are_events = all(
        target is not None and target.kind in {Kind.CATCH, Kind.RECEIVE} for target in targets
    )
    if len(targets) > 1 and are_events:
        return None
    return "An event-based gateway leads to two or more events to wait for."


def _loop_invalid(process: Process, node: Node) -> str | None:
    del process
    if node.loop is None or node.loop.collection or node.loop.cardinality:
        return None
    return "A multi-instance activity names a collection or a number."


def _way_out_missing(process: Process, node: Node) -> str | None:
    del process
    if node.kind in {Kind.EXCLUSIVE, Kind.INCLUSIVE, Kind.PARALLEL} and not node.outgoing:
        return "No way leads out of this gateway."
    return None


_RULES: tuple[Callable[[Process, Node], str | None], ...] = (
    _element_unsupported,
    _event_unsupported,
    _call_missing,
    _decision_missing,
    _script_missing,
    _called_process_missing,
    _retry_invalid,
    _service_level_invalid,
    _timer_invalid,
    _event_name_missing,
    _boundary_invalid,
    _event_gateway_invalid,
    _loop_invalid,
    _way_out_missing,
)
