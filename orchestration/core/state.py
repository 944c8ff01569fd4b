"""Everything an instance is between two events: small, immutable, and without history.

The state holds what is live, never what is done, so that a step of a long process costs what a
step of a short one does.
"""

from collections.abc import Mapping
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
    """What a token is waiting for."""

    SERVICE = "service"
    HUMAN = "human"
    CHILD = "child"
    EVENT = "event"
    SCOPE = "scope"
    JOIN = "join"
    INCIDENT = "incident"
    LEAVING = "leaving"


class Trigger(StrEnum):
    """What opens a subscription."""

    MESSAGE = "message"
    SIGNAL = "signal"


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
    """A completed activity that a compensation handler can undo, with what it saw when done."""

    node: str
    visit: int
    handler: str
    variables: Variables


@dataclass(frozen=True, slots=True)
class Loop:
    """Progress of a multi-instance activity: `items` and `results` by index."""

    items: tuple[FeelValue, ...]
    started: int
    done: int
    results: tuple[FeelValue, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """The process itself, a running sub-process, or a multi-instance activity.

    `owner` is the token that waits for it (None for the process and for one item of a loop),
    `variables` are local to it. With `is_compensation`, `undo` lists what is still to be undone.
    """

    id: str
    node: str | None
    parent: str | None
    owner: str | None
    variables: Variables = field(default_factory=dict)
    undo: tuple[Undo, ...] = ()
    loop: Loop | None = None
    is_compensation: bool = False


@dataclass(frozen=True, slots=True)
class Timer:
    """An armed timer: `node` is the event it triggers, `owner` the token it belongs to.

    `repeats` counts the firings still to come after this one (None: without end), `every` the
    ISO 8601 period between them.
    """

    id: str
    node: str
    owner: str
    due_at: datetime
    repeats: int | None = 0
    every: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """An open ear for a message or a signal, belonging to the token `owner`."""

    id: str
    node: str
    owner: str
    trigger: Trigger
    name: str
    correlation: str | None = None


@dataclass(frozen=True, slots=True)
class InstanceState:
    """The whole state of one instance; equal states behave alike for ever."""

    process: str
    status: Status = Status.CREATED
    counter: int = 0
    tokens: tuple[Token, ...] = ()
    scopes: tuple[Scope, ...] = ()
    timers: tuple[Timer, ...] = ()
    subscriptions: tuple[Subscription, ...] = ()
    code: str | None = None

    @property
    def is_ended(self) -> bool:
        """Tell whether nothing can happen to the instance any more."""
        return self.status not in {Status.CREATED, Status.RUNNING}

    @property
    def variables(self) -> Variables:
        """The variables of the process itself."""
        return self.scopes[0].variables if self.scopes else {}


def new_state(*, process: str) -> InstanceState:
    """Give the state of an instance to which nothing has happened yet."""
    return InstanceState(process=process)
