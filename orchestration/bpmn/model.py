"""A BPMN drawing as immutable values, as drawn: nothing here judges whether it can run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a node is; UNSUPPORTED is kept and drawn, but not run."""

    START = "startEvent"
    END = "endEvent"
    CATCH = "intermediateCatchEvent"
    THROW = "intermediateThrowEvent"
    BOUNDARY = "boundaryEvent"
    TASK = "task"
    MANUAL = "manualTask"
    USER = "userTask"
    SERVICE = "serviceTask"
    SCRIPT = "scriptTask"
    RULE = "businessRuleTask"
    SEND = "sendTask"
    RECEIVE = "receiveTask"
    EXCLUSIVE = "exclusiveGateway"
    PARALLEL = "parallelGateway"
    INCLUSIVE = "inclusiveGateway"
    EVENT_BASED = "eventBasedGateway"
    SUB_PROCESS = "subProcess"
    CALL = "callActivity"
    UNSUPPORTED = "unsupported"


TASKS = frozenset(
    {
        Kind.TASK,
        Kind.MANUAL,
        Kind.USER,
        Kind.SERVICE,
        Kind.SCRIPT,
        Kind.RULE,
        Kind.SEND,
        Kind.RECEIVE,
    }
)
ACTIVITIES = TASKS | {Kind.SUB_PROCESS, Kind.CALL}


class EventType(StrEnum):
    """What an event waits for or throws; OTHER is kept by its tag."""

    NONE = "none"
    TIMER = "timer"
    MESSAGE = "message"
    SIGNAL = "signal"
    ERROR = "error"
    ESCALATION = "escalation"
    TERMINATE = "terminate"
    COMPENSATION = "compensate"
    OTHER = "other"


class TimerType(StrEnum):
    """How a timer's text is to be read."""

    DURATION = "timeDuration"
    DATE = "timeDate"
    CYCLE = "timeCycle"


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """What an event is about.

    `name` is the message or signal name, the error or escalation code (None catches every one), or
    the activity to compensate; `correlation` an expression for the message key; `tag` the drawn
    element.
    """

    type: EventType = EventType.NONE
    name: str | None = None
    correlation: str | None = None
    timer_type: TimerType | None = None
    timer: str | None = None
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    """One input or output: `value` begins with `=` when it is an expression."""

    name: str
    value: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Work:
    """What the extension elements say about an activity."""

    call: str | None = None
    inputs: tuple[Assignment, ...] = ()
    outputs: tuple[Assignment, ...] = ()
    attempts: int | None = None
    backoff: str | None = None
    form: str | None = None
    roles: str | None = None
    skills: str | None = None
    exclude: str | None = None
    due: str | None = None
    warn: str | None = None
    decision: str | None = None
    result: str | None = None
    script: str | None = None
    called: str | None = None


@dataclass(frozen=True, slots=True)
class MultiInstance:
    """A marker to run an activity once for each item of a collection, or a number of times."""

    is_sequential: bool
    collection: str | None
    item: str
    cardinality: str | None
    completion: str | None
    into: str | None
    result: str | None


@dataclass(frozen=True, slots=True)
class Node:
    """An event, activity or gateway."""

    id: str
    name: str
    kind: Kind
    line: int
    container: str
    tag: str
    lane: str | None = None
    incoming: tuple[str, ...] = ()
    outgoing: tuple[str, ...] = ()
    event: EventDefinition = field(default_factory=EventDefinition)
    event_count: int = 0
    attached_to: str | None = None
    is_interrupting: bool = True
    default_flow: str | None = None
    is_for_compensation: bool = False
    is_event_sub_process: bool = False
    work: Work = field(default_factory=Work)
    loop: MultiInstance | None = None
    has_standard_loop: bool = False


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow; `condition` is FEEL text."""

    id: str
    name: str
    source: str
    target: str
    condition: str | None
    container: str
    line: int


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a drawing: its nodes and flows of every depth, by id, in drawing order.

    `handlers` gives for a compensation boundary event the activity that undoes, `repeated` the ids
    used more than once (the first keeps the id) with the line of the repetition.
    """

    id: str
    name: str
    is_executable: bool
    line: int
    nodes: Mapping[str, Node]
    flows: Mapping[str, Flow]
    lanes: tuple[str, ...] = ()
    handlers: Mapping[str, str] = field(default_factory=dict)
    repeated: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """A whole file; `xml` is what was read, with diagram and everything not understood."""

    id: str
    name: str
    processes: tuple[Process, ...]
    xml: bytes
    pools: tuple[str, ...] = ()
    kept: Mapping[str, int] = field(default_factory=dict)

    def process(self, process_id: str | None = None) -> Process | None:
        """Give a process by id, or the only (executable) one."""
        if process_id is not None:
            return next((each for each in self.processes if each.id == process_id), None)
        executable = [each for each in self.processes if each.is_executable]
        candidates = executable or list(self.processes)
        return candidates[0] if len(candidates) == 1 else None
