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
    COMPLEX = "complexGateway"
    SUB_PROCESS = "subProcess"
    TRANSACTION = "transaction"
    AD_HOC = "adHocSubProcess"
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
CONTAINERS = frozenset({Kind.SUB_PROCESS, Kind.TRANSACTION, Kind.AD_HOC})
ACTIVITIES = TASKS | CONTAINERS | {Kind.CALL}
GATEWAYS = frozenset(
    {Kind.EXCLUSIVE, Kind.PARALLEL, Kind.INCLUSIVE, Kind.EVENT_BASED, Kind.COMPLEX}
)


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
    CONDITIONAL = "conditional"
    LINK = "link"
    CANCEL = "cancel"
    OTHER = "other"


# What is waited for with an ear of its own, armed when a token comes and closed when it leaves.
EARS = frozenset({EventType.TIMER, EventType.MESSAGE, EventType.SIGNAL, EventType.CONDITIONAL})


class TimerType(StrEnum):
    """How a timer's text is to be read."""

    DURATION = "timeDuration"
    DATE = "timeDate"
    CYCLE = "timeCycle"


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """What an event is about.

    `name` is the message, signal or link name, the error or escalation code (None catches every
    one), or the activity to compensate; `correlation` an expression for the message key;
    `condition` the FEEL of a conditional event; `is_waited_for` is false for a compensation that
    lets its thrower go on at once; `is_declared` is false when the name stands for nothing that
    the drawing declares; `tag` is the drawn element.
    """

    type: EventType = EventType.NONE
    name: str | None = None
    correlation: str | None = None
    timer_type: TimerType | None = None
    timer: str | None = None
    tag: str = ""
    condition: str | None = None
    is_waited_for: bool = True
    is_declared: bool = True


@dataclass(frozen=True, slots=True)
class Assignment:
    """One input or output: `value` begins with `=` when it is an expression.

    An input that is optional is null where what it names was never set.
    """

    name: str
    value: str | None
    line: int
    is_optional: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """What the extension elements say about an activity.

    `language` is that of its script; `stays` says that its effect is never undone, on purpose;
    `apart` whether what it calls is made beside other branches, where the drawing says so.
    """

    call: str | None = None
    inputs: tuple[Assignment, ...] = ()
    outputs: tuple[Assignment, ...] = ()
    attempts: int | None = None
    backoff: str | None = None
    jitter: int | None = None
    limit: str | None = None
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
    binding: str | None = None
    schema: str | None = None
    priority: str | None = None
    deadline: str | None = None
    language: str | None = None
    stays: bool = False
    fallback: str | None = None
    apart: str | None = None


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
class StandardLoop:
    """A marker to run an activity again while a condition holds, at most `maximum` times.

    `maximum` is the text as drawn; with `is_tested_first` the condition is asked before each round.
    """

    is_tested_first: bool
    maximum: str | None
    condition: str | None


@dataclass(frozen=True, slots=True)
class AdHoc:
    """How the activities of an ad-hoc sub-process are chosen, and when they have done enough."""

    is_sequential: bool
    completion: str | None
    cancels_rest: bool


@dataclass(frozen=True, slots=True)
class Node:
    """An event, activity or gateway.

    `event` is the only or first of `events`; with `is_parallel` an event waits for all of them, and
    an event-based gateway that begins a process waits for every event behind it. `activation` is
    the FEEL that opens a complex gateway; `instantiates` marks what begins a process by itself.
    """

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
    events: tuple[EventDefinition, ...] = ()
    is_parallel: bool = False
    attached_to: str | None = None
    is_interrupting: bool = True
    default_flow: str | None = None
    is_for_compensation: bool = False
    is_event_sub_process: bool = False
    work: Work = field(default_factory=Work)
    loop: MultiInstance | None = None
    repeat: StandardLoop | None = None
    ad_hoc: AdHoc | None = None
    activation: str | None = None
    instantiates: bool = False

    @property
    def is_in_flow(self) -> bool:
        """Tell whether tokens come to the node along the flows of its container."""
        return not (self.is_event_sub_process or self.is_for_compensation)


@dataclass(frozen=True, slots=True)
class Flow:
    """A sequence flow; `condition` is FEEL text unless `language` says something else."""

    id: str
    name: str
    source: str
    target: str
    condition: str | None
    container: str
    line: int
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """One process of a drawing: its nodes and flows of every depth, by id, in drawing order.

    `handlers` gives for a compensation boundary event the activity that undoes, `repeated` the ids
    used more than once (the first keeps the id) with the line of the repetition, `variables` the
    names it declares (none: it declares nothing about them), `deadline` how long it may take.
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
    variables: tuple[str, ...] = ()
    deadline: str | None = None


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
