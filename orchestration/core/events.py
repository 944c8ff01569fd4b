"""What can happen to an instance: the only inputs of `advance`.

Every event is plain immutable data. A `token` names one activation: the command that asked for the
work carried the same token, and whoever answers hands it back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orchestration.feel.values import FeelValue

Variables = Mapping[str, FeelValue]


class FailureKind(StrEnum):
    """Whether work failed as the business knows it, because something broke, or for being late."""

    BUSINESS = "business"
    TECHNICAL = "technical"
    DEADLINE = "deadline"


class Resolution(StrEnum):
    """What a named person decided about an incident."""

    RETRY = "retry"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Started:
    """The instance begins, at its none start event unless another start event is named.

    `deadline` is the caller's: nothing in it may take longer. With `requires_inputs` its
    activities wait until every input they need exists.
    """

    variables: Variables = field(default_factory=dict)
    start_node: str | None = None
    started_by: str | None = None
    deadline: datetime | None = None
    requires_inputs: bool = False


@dataclass(frozen=True, slots=True)
class TaskCompleted:
    """A service, send, receive or business task was done; `output` is what it returned."""

    token: str
    output: Variables = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TaskFailed:
    """The work was not done.

    A business failure carries the error code a boundary event may catch. A technical failure means
    the retries of the command are used up: it is the `fallback` error of its node where something
    catches that, else an incident. A deadline that no further attempt can meet is thrown as
    `deadline_exceeded`; where nothing catches that, it is an incident.
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
    """The called process ended normally; `output` holds its variables.

    With `can_be_undone` it has done what it can undo, should its caller have to.
    """

    token: str
    output: Variables = field(default_factory=dict)
    can_be_undone: bool = False


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
class TokenMoved:
    """A person moved a token to another node of its scope; the work it waited for is called off."""

    token: str
    node: str
    moved_by: str | None = None


@dataclass(frozen=True, slots=True)
class ActivityChosen:
    """Somebody chose an activity an ad-hoc sub-process offers; `variables` are seen by it alone."""

    token: str
    activity: str
    variables: Variables = field(default_factory=dict)
    chosen_by: str | None = None


@dataclass(frozen=True, slots=True)
class ActivitiesEnded:
    """Somebody says that an ad-hoc sub-process has done enough."""

    token: str
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class Migrated:
    """The instance goes on in another version; `old` and `new` are digests of published flows.

    Not an event of the drawing: `migrate` does it, and `advance` ignores it.
    """

    old: str
    new: str
    mapping: tuple[tuple[str, str], ...]
    moved_by: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The instance is to end now, whatever it was doing."""

    reason: str
    cancelled_by: str | None = None


@dataclass(frozen=True, slots=True)
class CancelledAndUndone:
    """The instance is to stop now, to undo what it has done, the last first, and then to end.

    A called process whose caller undoes it (`cancelled_by` is None) does so even if it has ended.
    """

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
    | TokenMoved
    | ActivityChosen
    | ActivitiesEnded
    | Migrated
    | Cancelled
    | CancelledAndUndone
)
