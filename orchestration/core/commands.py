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

    `attempts` counts the first try; `backoff` is an ISO 8601 duration, doubled after each failure
    up to `limit` and spread by at most `jitter` hundredths of itself, so that what broke together
    does not come back together.
    """

    attempts: int = 3
    backoff: str = "PT1S"
    jitter: int = 10
    limit: str = "PT1H"


@dataclass(frozen=True, slots=True)
class CallService:
    """Call `kind:name` with these inputs, then answer with TaskCompleted or TaskFailed.

    No attempt begins at or after the `deadline`, and none may take longer than what is left.
    """

    token: str
    node: str
    visit: int
    kind: CallKind
    name: str
    inputs: Variables
    retry: RetryPolicy
    deadline: datetime | None = None


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
    Work of `priority` 1 is done before that of 0, and 2 before both.
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
    priority: int = 0


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
    """Start the process `process`; ChildCompleted or ChildFailed answers it.

    `binding` says which version: `latest` at this call, at the `start` of the caller, or a number.
    What it does has until `deadline`, too.
    """

    token: str
    node: str
    visit: int
    process: str
    variables: Variables
    binding: str = "latest"
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class CancelChild:
    """Cancel the child instance this token started.

    With `is_undone` it first undoes what it did, even if it has ended; ChildCompleted or
    ChildFailed says when that is over.
    """

    token: str
    node: str
    visit: int
    is_undone: bool = False


@dataclass(frozen=True, slots=True)
class OfferActivities:
    """Let a person or an agent choose among activities: ActivityChosen, then ActivitiesEnded.

    With `is_sequential` one is done before the next may be chosen. `inputs` are those of the
    sub-process; the drawing says what each activity is.
    """

    token: str
    node: str
    visit: int
    activities: tuple[str, ...]
    is_sequential: bool
    inputs: Variables


@dataclass(frozen=True, slots=True)
class WithdrawActivities:
    """Nothing may be chosen there any more."""

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
    | OfferActivities
    | WithdrawActivities
    | Complete
    | RaiseIncident
)
