"""Everything an instance is between two events: small, immutable, and without history.

The state holds what is live, never what is done, so that a step of a long process costs what a
step of a short one does.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orchestration.feel.values import FeelValue

Variables = Mapping[str, FeelValue]
ROOT_SCOPE = "s0"


class Status(StrEnum):
    """Where an instance stands in its life."""

    CREATED = "created"
    RUNNING = "running"
    COMPLETED = "completed"
    TERMINATED = "terminated"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Wait(StrEnum):
    """What a token is waiting for; HELD is for the incident of another that went too far."""

    SERVICE = "service"
    HUMAN = "human"
    CHILD = "child"
    EVENT = "event"
    SCOPE = "scope"
    JOIN = "join"
    RESET = "reset"
    INCIDENT = "incident"
    LEAVING = "leaving"
    HELD = "held"


class Trigger(StrEnum):
    """What opens a subscription; a condition is heard by the core itself."""

    MESSAGE = "message"
    SIGNAL = "signal"
    CONDITION = "condition"


@dataclass(frozen=True, slots=True)
class Token:
    """One place where the process stands.

    `visit` numbers the activation within the instance, `flow` is the sequence flow it came by,
    `item` the index in a multi-instance activity. For an incident `work` says what is to be done
    again: None for entering the node, LEAVING for going on from it, else the work itself.
    """

    id: str
    node: str
    scope: str
    visit: int
    wait: Wait
    flow: str | None = None
    item: int | None = None
    work: Wait | None = None


@dataclass(frozen=True, slots=True)
class Undo:
    """A completed activity that can be undone, with what it saw when done.

    `handler` is the activity that undoes it, or the compensation event sub-process inside it;
    without one, what is in `inner` is undone instead, the last first. `child` is the token that
    called a process which undoes for itself what it did.
    """

    node: str
    visit: int
    handler: str | None
    variables: Variables
    inner: tuple["Undo", ...] = ()
    child: str | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    """Progress of a repeated activity: `items` and `results` by index, where it has a list."""

    items: tuple[FeelValue, ...]
    started: int
    done: int
    results: tuple[FeelValue, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """The process itself, a running sub-process, or a repeated activity.

    `owner` is the token that waits for it; None for the process, for one item of a loop, for one
    chosen activity, and for an undoing nobody waits for. `variables` are local to it. With
    `is_compensation`, `undo` lists what is still to be undone. `is_interrupted` says that an event
    sub-process has taken over, `is_closing` that no further activity may be chosen. Of the process
    itself `deadline` is until when it may take, `given_deadline` what its caller gave it, and
    `cancelled` why it ends as cancelled once everything is undone.
    """

    id: str
    node: str | None
    parent: str | None
    owner: str | None
    variables: Variables = field(default_factory=dict)
    undo: tuple[Undo, ...] = ()
    loop: Loop | None = None
    is_compensation: bool = False
    is_interrupted: bool = False
    is_closing: bool = False
    deadline: datetime | None = None
    given_deadline: datetime | None = None
    cancelled: str | None = None

    @property
    def is_inside(self) -> bool:
        """Tell whether the nodes of a container run in it: the process, or a sub-process."""
        is_frame = self.owner is None and self.parent is not None
        return self.loop is None and not self.is_compensation and not is_frame


@dataclass(frozen=True, slots=True)
class Timer:
    """An armed timer: `node` is the event it triggers, `owner` the token or scope it belongs to.

    `event` is the place of its definition among those of the node. One that stands at an activity,
    not at an event, is the activity's deadline.

    `repeats` counts the firings still to come after this one (None: without end), `every` the
    ISO 8601 period between them.
    """

    id: str
    node: str
    owner: str
    due_at: datetime
    repeats: int | None = 0
    every: str | None = None
    event: int = 0


@dataclass(frozen=True, slots=True)
class Subscription:
    """An open ear for a message, a signal or a condition, of the token or scope `owner`.

    `is_true` is what a condition last was: it is heard when it becomes true. `heard` holds what
    came in while the same node still waits for others.
    """

    id: str
    node: str
    owner: str
    trigger: Trigger
    name: str
    correlation: str | None = None
    event: int = 0
    is_true: bool = False
    heard: Variables | None = None


@dataclass(frozen=True, slots=True)
class InstanceState:
    """The whole state of one instance; equal states behave alike for ever.

    With `requires_inputs` no activity begins before every variable its inputs name was set; it came
    in later, so instances that began without it go on as they began.
    """

    process: str
    status: Status = Status.CREATED
    counter: int = 0
    tokens: tuple[Token, ...] = ()
    scopes: tuple[Scope, ...] = ()
    timers: tuple[Timer, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    code: str | None = None
    requires_inputs: bool = False

    @property
    def is_ended(self) -> bool:
        """Tell whether nothing can happen to the instance any more."""
        return self.status not in {Status.CREATED, Status.RUNNING}

    @property
    def variables(self) -> Variables:
        """The variables of the process itself."""
        return self.scopes[0].variables if self.scopes else {}


def with_value(variables: Variables, name: str, value: FeelValue) -> Variables:
    """Give variables with one of them set; those that fetch large values do so only when asked."""
    own: Callable[[str, FeelValue], Variables] | None = getattr(variables, "with_value", None)
    return {**variables, name: value} if own is None else own(name, value)


def new_state(*, process: str) -> InstanceState:
    """Give the state of an instance to which nothing has happened yet."""
    return InstanceState(process=process)
