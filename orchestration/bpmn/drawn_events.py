"""Reading what events wait for or throw, with the names the drawing declares for them."""

from dataclasses import dataclass

from orchestration.bpmn.extensions import extension
from orchestration.bpmn.model import EventDefinition, EventType, TimerType
from orchestration.markup import Element, child, children, local_name, text_of

_EVENT_TYPES = {f"{each.value}EventDefinition": each for each in EventType}
_REFERENCES = ("messageRef", "signalRef", "errorRef", "escalationRef")
_MESSAGE_TASKS = {"sendTask", "receiveTask"}


@dataclass(frozen=True, slots=True)
class Declared:
    """What a drawing declares at its top, by id: names and codes, and whole event definitions."""

    names: dict[str, str]
    definitions: dict[str, Element]

    @classmethod
    def of(cls, root: Element) -> "Declared":
        """Read what the root element declares."""
        names: dict[str, str] = {}
        for element in children(root, "message", "signal", "error", "escalation"):
            code = element.get("errorCode") or element.get("escalationCode")
            identity = element.get("id") or ""
            names[identity] = code or element.get("name") or identity
        definitions = {
            each.get("id") or "": each
            for each in root
            if local_name(each).endswith("EventDefinition")
        }
        return cls(names, definitions)

    def name(self, reference: str) -> tuple[str, bool]:
        """Give the name behind a reference, and whether the drawing declares it."""
        for key in (reference, _without_prefix(reference)):
            if key in self.names:
                return self.names[key], True
        return reference, False


def _without_prefix(reference: str) -> str:
    return reference.rpartition(":")[2]


def events_of(element: Element, declared: Declared) -> tuple[EventDefinition, ...]:
    """Read every event definition of an element, those it only refers to included."""
    if local_name(element) in _MESSAGE_TASKS:
        return _message_of(element, declared)
    drawn = [each for each in element if local_name(each).endswith("EventDefinition")]
    found = [_event(element, each, declared) for each in drawn]
    for reference in children(element, "eventDefinitionRef"):
        there = declared.definitions.get(_without_prefix(text_of(reference)))
        if there is None:
            found.append(EventDefinition(EventType.OTHER))
        else:
            found.append(_event(element, there, declared))
    return tuple(found)


def _message_of(element: Element, declared: Declared) -> tuple[EventDefinition, ...]:
    reference = element.get("messageRef")
    if not reference:
        return ()
    name, is_declared = declared.name(reference)
    correlation = extension(element, "correlation").get("value")
    event = EventDefinition(EventType.MESSAGE, name, correlation, is_declared=is_declared)
    return (event,)


def _event(element: Element, drawn: Element, declared: Declared) -> EventDefinition:
    tag = local_name(drawn)
    timer = child(drawn, *(each.value for each in TimerType))
    name, is_declared = _name_of(drawn, declared)
    own, shared = extension(element, "correlation"), extension(drawn, "correlation")
    return EventDefinition(
        type=_EVENT_TYPES.get(tag, EventType.OTHER),
        name=name,
        correlation=shared.get("value") or own.get("value"),
        timer_type=None if timer is None else TimerType(local_name(timer)),
        timer=text_of(timer) or None,
        tag=tag,
        condition=text_of(child(drawn, "condition")) or None,
        is_waited_for=drawn.get("waitForCompletion") != "false",
        is_declared=is_declared,
    )


def _name_of(drawn: Element, declared: Declared) -> tuple[str | None, bool]:
    for attribute in _REFERENCES:
        reference = drawn.get(attribute)
        if reference:
            return declared.name(reference)
    activity = drawn.get("activityRef")
    if activity:
        return _without_prefix(activity), True
    return drawn.get("name") if local_name(drawn) == "linkEventDefinition" else None, True
