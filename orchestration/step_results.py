"""What a step of a flow is given, and what it may answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from sentinel.vocabulary import Principal


class StepUnavailable(RuntimeError):
    """The step cannot be done now, but may be done later."""

    code = "step_unavailable"
    is_retryable = True

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class StepContext:
    """Where a step stands: one visit of one node of one instance, and for whom it works.

    `key` is the same for every attempt, so that an effect is recognised when it is asked again.
    Nothing may take beyond `give_up_at`.
    `reasons_first` names the rules a customer is told of before any other. A step with
    `is_compensation` undoes another, under the bank's own mandate.
    """

    instance_id: UUID
    node: str
    visit: int
    case_id: UUID
    customer_id: UUID | None
    principal: Principal
    purpose: str
    at: datetime
    reasons_first: tuple[str, ...] = ()
    is_compensation: bool = False
    give_up_at: datetime | None = None

    @property
    def key(self) -> str:
        """Return the idempotency key of the step."""
        return f"{self.instance_id}:{self.node}:{self.visit}"

    @property
    def seconds_left(self) -> float | None:
        """Return how long the step may still take; None when nothing limits it."""
        return None if self.give_up_at is None else (self.give_up_at - self.at).total_seconds()


@dataclass(frozen=True, slots=True)
class Answered:
    """The step was done; `output` is what it found or did."""

    output: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Refused:
    """The step may or can not be done: a business outcome the drawing knows by its code."""

    code: str
    words: str
    output: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Parked:
    """The step waits for a person; `reference` is the approval request or the challenge."""

    waits_for: Literal["approval", "step_up"]
    reference: UUID
    decision_id: UUID
    words: str


@dataclass(frozen=True, slots=True)
class Outside:
    """The step is for a system outside: it is wanted from now on, and done after this commit."""


@dataclass(frozen=True, slots=True)
class NotDone:
    """The step was certainly not done, and may be tried again."""

    code: str


StepResult = Answered | Refused | Parked | Outside | NotDone
