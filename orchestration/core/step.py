"""What one call of `advance` gives back."""

from dataclasses import dataclass

from orchestration.core.commands import Command
from orchestration.core.history import Entry
from orchestration.core.state import InstanceState


@dataclass(frozen=True, slots=True)
class Ignored:
    """The event came too late or twice, so nothing happened; `reason` is a stable code."""

    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """The state after the event, what the shell must do, and why it came to this.

    When `ignored` is set the state is the one handed in and both tuples are empty.
    """

    state: InstanceState
    commands: tuple[Command, ...] = ()
    history: tuple[Entry, ...] = ()
    ignored: Ignored | None = None
