"""Which elements of BPMN have an execution case, and the drawings the cases are made of."""

from collections.abc import Callable

from orchestration.bpmn.event_checks import ALLOWED
from orchestration.bpmn.model import EventType, Kind
from tests.unit.orchestration.core.stage import Player, end, flow, node, process, start

Case = Callable[[], None]
CASES: dict[str, list[str]] = {}
MARKERS = (
    "multi-instance parallel",
    "multi-instance sequential",
    "standard loop",
    "for compensation",
    "boundary not interrupting",
    "event sub-process not interrupting",
    "default flow",
    "conditional flow",
    "uncontrolled flow",
    "multiple events",
    "parallel multiple events",
    "receive task that begins a process",
    "event gateway that begins a process",
    "parallel event gateway that begins a process",
)


def case(*elements: str) -> Callable[[Case], Case]:
    """Register a test as the case of some elements."""

    def register(test: Case) -> Case:
        for element in elements:
            CASES.setdefault(element, []).append(test.__name__)
        return test

    return register


def wanted() -> set[str]:
    """List every element that must have a case."""
    found = {kind.value for kind in Kind if kind is not Kind.UNSUPPORTED} | set(MARKERS)
    for kind, types in ALLOWED.items():
        place = "event sub-process" if kind is Kind.START else kind.value
        found |= {f"{place} {event.value}" for event in types}
    starts = {EventType.MESSAGE, EventType.TIMER, EventType.SIGNAL, EventType.CONDITIONAL}
    return found | {f"startEvent {event.value}" for event in starts}


DECLARED = (
    '<message id="m" name="paid"/><signal id="s" name="bell"/>'
    '<error id="e" errorCode="no"/><escalation id="u" escalationCode="late"/>'
)


def play(*parts: str, **variables: object) -> Player:
    """Start an instance of a drawing made of these parts."""
    player = Player(process(*parts, declared=DECLARED))
    player.start(**variables)
    return player


def one(element: str, **variables: object) -> Player:
    """Start an instance of `start > work > after > end`, `after` being a user task."""
    parts = (start(), element, node("userTask", "after"), end())
    return play(*parts, flow("start > work > after > end"), **variables)


def when(text: str) -> str:
    return f"<conditionalEventDefinition><condition>{text}</condition></conditionalEventDefinition>"


def link(name: str) -> str:
    return f'<linkEventDefinition name="{name}"/>'


def sub(*inner: str, tag: str = "subProcess", identity: str = "work", **named: str) -> str:
    return node(tag, identity, "".join(inner), **named)


def event_sub(trigger: str, *inner: str, interrupting: bool = True) -> str:
    """Draw an event sub-process: its start `begun`, a user task `handle`, its end."""
    flag = "true" if interrupting else "false"
    begun = node("startEvent", "begun", trigger, isInterrupting=flag)
    body = inner or (node("userTask", "handle"), flow("begun > handle > handled"))
    return sub(begun, *body, end("handled"), identity="extra", triggeredByEvent="true")


def undone(name: str) -> str:
    """Draw a user task with the user task that undoes it."""
    return (
        node("userTask", name)
        + node("boundaryEvent", f"c-{name}", "<compensateEventDefinition/>", attachedToRef=name)
        + node("userTask", f"undo-{name}", isForCompensation="true")
        + f'<association id="a-{name}" sourceRef="c-{name}" targetRef="undo-{name}"/>'
    )
