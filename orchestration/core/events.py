"""What can happen to an instance: the only inputs of `advance`.

Every event is plain immutable data. A `token` names one activation: the command that asked for the
work carried the same token, and whoever answers hands it back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from orchestration.feel.values import FeelValue

Variables = Mapping[str, FeelValue]


class FailureKind(StrEnum):
    """Whether work failed as the business knows it, or because something broke."""

    BUSINESS = "business"
    TECHNICAL = "technical"


class Resolution(StrEnum):
    """What a named person decided about an incident."""

    RETRY = "retry"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Started:
    """The instance begins, at its none start event unless another start event is named."""

    variables: Variables = field(default_factory=dict)
    start_node: str | None = None
    started_by: str | None = None


@dataclass(frozen=True, slots=True)
class TaskCompleted:
    """A service, send, receive or business task was done; `output` is what it returned."""

    token: str
    output: Variables = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """The work was not done.

    A business failure carries the error code a boundary event may catch. A technical failure means
    the retries of the command are used up: it becomes an incident, never a path of the drawing.
    """

    token: str
    kind: FailureKind
    code: str
    message: str = ""
    output: Variables = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UserTaskCompleted:
    """A person finished the human task; `completed_by` is who, `output` the form's fields."""

    token: str
    output: Variables = field(default_factory=dict)
    completed_by: str | None = None


@dataclass(frozen=True, slots=True)
class EscalationRaised:
    """Work in progress reports an escalation (a human task near its SLA, say) and goes on."""

    token: str
    code: str
    output: Variables = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TimerFired:
    """An armed timer is due."""

    timer: str


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message came in for this instance.

    `subscription`, when the sender knows it, names the waiting subscription exactly; otherwise the
    oldest open one with this name and correlation takes the message.
    """

    name: str
    correlation: str | None = None
    payload: Variables = field(default_factory=dict)
    subscription: str | None = None


@dataclass(frozen=True, slots=True)
class SignalReceived:
    """A signal was broadcast; every open subscription of this name takes it."""

    name: str
    payload: Variables = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChildCompleted:
    """The called process ended normally; `output` holds its variables."""

    token: str
    output: Variables = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChildFailed:
    """The called process ended with an error end event."""

    token: str
    code: str
    output: Variables = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class IncidentResolved:
    """A person resolved an incident: do the work again, or go on as if it were done.

    With COMPLETE, `output` stands in for what the work would have returned.
    """

    token: str
    resolution: Resolution
    output: Variables = field(default_factory=dict)
    resolved_by: str | None = None


@dataclass(frozen=True, slots=True)
class VariablesCorrected:
    """A person corrected variables of the whole instance."""

    variables: Variables
    corrected_by: str | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The instance is to end now, whatever it was doing."""

    reason: str
    cancelled_by: str | None = None


Event = (
    Started
    | TaskCompleted
    | TaskFailed
    | UserTaskCompleted
    | EscalationRaised
    | TimerFired
    | MessageReceived
    | SignalReceived
    | ChildCompleted
    | ChildFailed
    | IncidentResolved
    | VariablesCorrected
    | Cancelled
)
