"""What the durable shell must do after a step: data, in the order it was decided.

The core never does any of this itself. Every command names ids made from the instance's own
counter, so that the same events give the same commands, and `(node, visit)` within an instance is
the idempotency key of outside work: a retry or a replay carries the same pair.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestration.feel.values import FeelValue

Variables = Mapping[str, FeelValue]


class CallKind(StrEnum):
    """Which door a service task knocks on, in the drawing's own words."""

    ACTION = "action"
    READ = "read"
    MODEL = "model"
    AGENT = "agent"


class OutcomeKind(StrEnum):
    """How an instance ended."""

    COMPLETED = "completed"
    TERMINATED = "terminated"
    ERROR = "error"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often the shell may try before it reports a technical failure.

    `attempts` counts the first try; `backoff` is an ISO 8601 duration, doubled after each failure.
    """

    attempts: int = 3
    backoff: str = "PT1S"


@dataclass(frozen=True, slots=True)
class CallService:
    """Call `kind:name` with these inputs, then answer with TaskCompleted or TaskFailed."""

    token: str
    node: str
    visit: int
    kind: CallKind
    name: str
    inputs: Variables
    retry: RetryPolicy


@dataclass(frozen=True, slots=True)
class CancelService:
    """The answer of this call is no longer wanted; an effect already begun runs to its end."""

    token: str
    node: str
    visit: int


@dataclass(frozen=True, slots=True)
class CreateHumanTask:
    """Put work on the work list; UserTaskCompleted answers it.

    `due` and `warn` are ISO 8601 durations on the business calendar, counted from the creation;
    `exclude` names persons who may not do it (four eyes). `roles` falls back to the lane's name.
    """

    token: str
    node: str
    visit: int
    title: str
    form: str | None
    roles: tuple[str, ...]
    skills: tuple[str, ...]
    exclude: tuple[str, ...]
    due: str | None
    warn: str | None
    inputs: Variables


@dataclass(frozen=True, slots=True)
class CancelHumanTask:
    """Take the task off the work list; nobody need do it any more."""

    token: str
    node: str
    visit: int


@dataclass(frozen=True, slots=True)
class ArmTimer:
    """Send TimerFired(timer) at `due_at`."""

    timer: str
    node: str
    due_at: datetime


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """The timer must not fire any more."""

    timer: str


@dataclass(frozen=True, slots=True)
class SubscribeMessage:
    """Deliver messages of this name and correlation; None as correlation takes any."""

    subscription: str
    node: str
    name: str
    correlation: str | None


@dataclass(frozen=True, slots=True)
class SubscribeSignal:
    """Deliver broadcasts of this name."""

    subscription: str
    node: str
    name: str


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Nothing waits on this subscription any more."""

    subscription: str


@dataclass(frozen=True, slots=True)
class SendMessage:
    """Put a message to other instances on the bus; nobody answers."""

    node: str
    visit: int
    name: str
    correlation: str | None
    payload: Variables


@dataclass(frozen=True, slots=True)
class BroadcastSignal:
    """Tell every instance that waits on this signal."""

    node: str
    visit: int
    name: str
    payload: Variables


@dataclass(frozen=True, slots=True)
class RaiseEscalation:
    """An escalation nobody in this instance caught; a called instance passes it to its caller."""

    node: str
    visit: int
    code: str
    payload: Variables


@dataclass(frozen=True, slots=True)
class StartChild:
    """Start the process `process`; ChildCompleted or ChildFailed answers it."""

    token: str
    node: str
    visit: int
    process: str
    variables: Variables


@dataclass(frozen=True, slots=True)
class CancelChild:
    """Cancel the child instance this token started."""

    token: str
    node: str
    visit: int


@dataclass(frozen=True, slots=True)
class Complete:
    """The instance is over. `code` is the error code, the terminating node, or the reason."""

    outcome: OutcomeKind
    code: str | None
    variables: Variables


@dataclass(frozen=True, slots=True)
class RaiseIncident:
    """A named person must look: the token waits until IncidentResolved."""

    token: str
    node: str
    visit: int
    code: str
    words: str


Command = (
    CallService
    | CancelService
    | CreateHumanTask
    | CancelHumanTask
    | ArmTimer
    | CancelTimer
    | SubscribeMessage
    | SubscribeSignal
    | Unsubscribe
    | SendMessage
    | BroadcastSignal
    | RaiseEscalation
    | StartChild
    | CancelChild
    | Complete
    | RaiseIncident
)
