"""Why the instance stands where it stands: one entry for every transition, as data.

Entries hold what was read and decided at the moment, so that a person can be told later without
running anything again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestration.feel.values import FeelValue

Variables = Mapping[str, FeelValue]


@dataclass(frozen=True, slots=True)
class InstanceStarted:
    """The instance began at this start event."""

    node: str
    variables: Variables
    started_by: str | None


@dataclass(frozen=True, slots=True)
class NodeEntered:
    """A token came to a node."""

    node: str
    token: str
    visit: int
    scope: str


@dataclass(frozen=True, slots=True)
class NodeLeft:
    """A node was done, or was interrupted by the boundary event or scope named in `because`."""

    node: str
    token: str
    visit: int
    because: str


@dataclass(frozen=True, slots=True)
class FlowTaken:
    """A token went along a flow; `reads` are the values its condition looked at."""

    flow: str
    source: str
    target: str
    token: str
    condition: str | None
    reads: Variables
    is_default: bool


@dataclass(frozen=True, slots=True)
class FlowNotTaken:
    """A condition was looked at and did not hold; `reasons` say why it had no value, if so."""

    flow: str
    source: str
    condition: str
    reads: Variables
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleMatched:
    """One rule of a decision table that applied."""

    table: str
    rule: str
    index: int
    annotations: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DecisionEvaluated:
    """A decision was made by rule."""

    node: str
    visit: int
    decision: str
    inputs: Variables
    outputs: FeelValue
    rules: tuple[RuleMatched, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExpressionEvaluated:
    """A script or a mapping computed a value."""

    node: str
    purpose: str
    text: str
    reads: Variables
    value: FeelValue
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VariableSet:
    """A variable of a scope got a value."""

    name: str
    value: FeelValue
    scope: str
    node: str | None


@dataclass(frozen=True, slots=True)
class WorkAsked:
    """Work went out: a service call, a human task, or a called process, named by `work`."""

    node: str
    token: str
    visit: int
    work: str
    inputs: Variables


@dataclass(frozen=True, slots=True)
class WorkAnswered:
    """An answer came in; `by` is the person, when a person answered."""

    node: str
    token: str
    visit: int
    answer: str
    by: str | None


@dataclass(frozen=True, slots=True)
class EventWaited:
    """The instance began to wait for a timer, a message, a signal or a condition."""

    node: str
    token: str
    waits_for: str
    name: str | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class EventCaught:
    """What an event waits for came, or was caught there."""

    node: str
    trigger: str
    name: str | None
    is_interrupting: bool


@dataclass(frozen=True, slots=True)
class EventThrown:
    """A message, signal, escalation, error, compensation, link or cancellation was thrown here."""

    node: str
    trigger: str
    name: str | None


@dataclass(frozen=True, slots=True)
class IncidentRaised:
    """The token cannot go on without a person."""

    node: str
    token: str
    code: str
    words: str


@dataclass(frozen=True, slots=True)
class IncidentSettled:
    """A person resolved the incident."""

    node: str
    token: str
    resolution: str
    by: str | None


@dataclass(frozen=True, slots=True)
class TokenMovedByHand:
    """A person took a token from its node and put it at another."""

    node: str
    token: str
    target: str
    by: str | None


@dataclass(frozen=True, slots=True)
class ActivityTaken:
    """An activity of an ad-hoc sub-process was chosen."""

    node: str
    token: str
    activity: str
    variables: Variables
    by: str | None


@dataclass(frozen=True, slots=True)
class ChoosingEnded:
    """No activity of an ad-hoc sub-process may be chosen any more; its condition has no `by`."""

    node: str
    token: str
    by: str | None


@dataclass(frozen=True, slots=True)
class InstanceMigrated:
    """The instance went over to another version of its drawing; `moved` are the nodes renamed."""

    from_digest: str
    to_digest: str
    moved: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class InstanceEnded:
    """The instance is over."""

    outcome: str
    code: str | None


Entry = (
    InstanceStarted
    | NodeEntered
    | NodeLeft
    | FlowTaken
    | FlowNotTaken
    | DecisionEvaluated
    | ExpressionEvaluated
    | VariableSet
    | WorkAsked
    | WorkAnswered
    | EventWaited
    | EventCaught
    | EventThrown
    | IncidentRaised
    | IncidentSettled
    | TokenMovedByHand
    | ActivityTaken
    | ChoosingEnded
    | InstanceMigrated
    | InstanceEnded
)
