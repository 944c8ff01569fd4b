"""Reading single elements: events with their definitions, activities with their extensions."""

from dataclasses import dataclass

from orchestration.bpmn.model import (
    Assignment,
    EventDefinition,
    EventType,
    Kind,
    MultiInstance,
    Node,
    TimerType,
    Work,
)
from orchestration.markup import (
    Element,
    child,
    children,
    line_of,
    local_name,
    namespace,
    text_of,
)

FRONTLINE = "https://frontline.bank/bpmn/1.0"
_UNSUPPORTED_TAGS = {"complexGateway", "adHocSubProcess", "transaction", "callChoreography"}
NODE_TAGS = {kind.value for kind in Kind if kind is not Kind.UNSUPPORTED} | _UNSUPPORTED_TAGS
_EVENT_TYPES = {f"{each.value}EventDefinition": each for each in EventType}


@dataclass(frozen=True, slots=True)
class Definitions:
    """Names of the messages, signals, errors and escalations a drawing declares, by id."""

    names: dict[str, str]

    @classmethod
    def of(cls, root: Element) -> "Definitions":
        """Read what the root element declares."""
        names: dict[str, str] = {}
        for element in children(root, "message", "signal", "error", "escalation"):
            code = element.get("errorCode") or element.get("escalationCode")
            identity = element.get("id") or ""
            names[identity] = code or element.get("name") or identity
        return cls(names)

    def name(self, reference: str | None) -> str | None:
        """Give the name behind a reference, which may carry a namespace prefix."""
        if not reference:
            return None
        return self.names.get(reference, self.names.get(reference.rpartition(":")[2], reference))


def read_node(element: Element, container: str, definitions: Definitions) -> Node:
    """Read one node; its flows and lane are filled in by the caller."""
    tag = local_name(element)
    kind = Kind.UNSUPPORTED if tag in _UNSUPPORTED_TAGS else Kind(tag)
    events = [each for each in element if local_name(each).endswith("EventDefinition")]
    references = children(element, "eventDefinitionRef")
    return Node(
        id=element.get("id") or element.getroottree().getpath(element),
        name=" ".join((element.get("name") or "").split()),
        kind=kind,
        line=line_of(element),
        container=container,
        tag=tag,
        event=_event(element, events, definitions),
        event_count=len(events) + len(references),
        attached_to=element.get("attachedToRef"),
        is_interrupting=_is_interrupting(element),
        default_flow=element.get("default"),
        is_for_compensation=element.get("isForCompensation") == "true",
        is_event_sub_process=element.get("triggeredByEvent") == "true",
        work=_work(element),
        loop=_loop(element),
        has_standard_loop=child(element, "standardLoopCharacteristics") is not None,
    )


def _is_interrupting(element: Element) -> bool:
    flag = element.get("cancelActivity") or element.get("isInterrupting")
    return flag != "false"


def _event(element: Element, events: list[Element], definitions: Definitions) -> EventDefinition:
    if local_name(element) in {"sendTask", "receiveTask"} and element.get("messageRef"):
        name = definitions.name(element.get("messageRef"))
        return EventDefinition(EventType.MESSAGE, name, _correlation(element))
    if not events:
        is_elsewhere = bool(children(element, "eventDefinitionRef"))
        return EventDefinition(EventType.OTHER if is_elsewhere else EventType.NONE)
    drawn = events[0]
    tag = local_name(drawn)
    timer = child(drawn, *(each.value for each in TimerType))
    return EventDefinition(
        type=_EVENT_TYPES.get(tag, EventType.OTHER),
        name=_event_name(drawn, definitions),
        correlation=_correlation(element) or _correlation(drawn),
        timer_type=None if timer is None else TimerType(local_name(timer)),
        timer=text_of(timer) or None,
        tag=tag,
    )


def _event_name(drawn: Element, definitions: Definitions) -> str | None:
    for attribute in ("messageRef", "signalRef", "errorRef", "escalationRef"):
        if drawn.get(attribute):
            return definitions.name(drawn.get(attribute))
    return drawn.get("activityRef")


def _extensions(element: Element, *names: str) -> list[Element]:
    holder = child(element, "extensionElements")
    if holder is None:
        return []
    return [each for each in holder if namespace(each) == FRONTLINE and local_name(each) in names]


def _extension(element: Element, name: str) -> dict[str, str]:
    found = _extensions(element, name)
    return {str(key): str(value) for key, value in found[0].attrib.items()} if found else {}


def _correlation(element: Element) -> str | None:
    return _extension(element, "correlation").get("value")


def _work(element: Element) -> Work:
    task, retry = _extension(element, "task"), _extension(element, "retry")
    assignment, sla = _extension(element, "assignment"), _extension(element, "sla")
    decision = _extension(element, "decision")
    attempts = retry.get("attempts", "")
    return Work(
        call=task.get("call"),
        inputs=_assignments(element, "input"),
        outputs=_assignments(element, "output"),
        # Text that is no number is kept as 0, which the linter refuses with its place.
        attempts=(int(attempts) if attempts.isdigit() else 0) if attempts else None,
        backoff=retry.get("backoff"),
        form=_extension(element, "form").get("key"),
        roles=assignment.get("roles"),
        skills=assignment.get("skills"),
        exclude=assignment.get("exclude"),
        due=sla.get("due"),
        warn=sla.get("warn"),
        decision=decision.get("ref"),
        result=decision.get("result") or _extension(element, "script").get("result"),
        script=text_of(child(element, "script")) or None,
        called=element.get("calledElement"),
    )


def _assignments(element: Element, name: str) -> tuple[Assignment, ...]:
    return tuple(
        Assignment(each.get("name") or "", each.get("value"), line_of(each))
        for each in _extension_tree(element, name)
    )


def _extension_tree(element: Element, name: str) -> list[Element]:
    # Inputs and outputs may stand beside `frontline:task` or inside it.
    nested = [
        each
        for task in _extensions(element, "task")
        for each in task
        if namespace(each) == FRONTLINE and local_name(each) == name
    ]
    return _extensions(element, name) + nested


def _loop(element: Element) -> MultiInstance | None:
    drawn = child(element, "multiInstanceLoopCharacteristics")
    if drawn is None:
        return None
    loop = _extension(drawn, "loop")
    return MultiInstance(
        is_sequential=drawn.get("isSequential") == "true",
        collection=loop.get("collection"),
        item=loop.get("item", "item"),
        cardinality=text_of(child(drawn, "loopCardinality")) or None,
        completion=text_of(child(drawn, "completionCondition")) or None,
        into=loop.get("into"),
        result=loop.get("result"),
    )
