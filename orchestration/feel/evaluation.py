"""One evaluation: where names are looked up, what it may cost, and why a value is null."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orchestration.feel.values import FeelValue

REASONS_MAX = 20
# A step takes about as long as looking at so many items or characters.
STEP_COST = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What one evaluation may use before it is stopped and yields null.

    `steps` bounds loop turns and calls, `work` what they do (items and characters looked at), and
    the two together the time; `size` the items of a list and the characters of a text; `depth` how
    deeply functions call each other. Counting, and not a clock, makes the same expression end the
    same way every time.
    """

    steps: int = 100_000
    work: int = 2_000_000
    size: int = 100_000
    depth: int = 100


class LimitExceeded(Exception):
    """The evaluation used more than it may; caught where the evaluation began."""

    code = "feel_limit_exceeded"
    is_retryable = False

    def __init__(self, limit: str, maximum: int) -> None:
        super().__init__(limit, maximum)
        self.limit, self.maximum = limit, maximum


@dataclass(slots=True)
class Evaluation:
    """What a single evaluation has used so far; `at` is the instant `now()` tells.

    `trace` takes what a host of FEEL wants to remember of the way, such as the rules that applied.
    """

    limits: Limits
    at: datetime | None = None
    reasons: list[str] = field(default_factory=list)
    steps: int = 0
    work: int = 0
    depth: int = 0
    trace: list[object] = field(default_factory=list)

    @property
    def cost(self) -> int:
        """What was used so far in one figure, which grows as the time it takes does."""
        return self.steps * STEP_COST + self.work

    def null(self, reason: str) -> None:
        """Note why a value is null; the caller returns None."""
        if len(self.reasons) < REASONS_MAX:
            self.reasons.append(reason)

    def step(self, count: int = 1) -> None:
        """Count work done.

        Raises:
            LimitExceeded: it was too much.
        """
        self.steps += count
        if self.steps > self.limits.steps:
            raise LimitExceeded("steps", self.limits.steps)

    def charge(self, amount: int) -> None:
        """Count items or characters looked at.

        Raises:
            LimitExceeded: they were too many.
        """
        self.work += amount
        if self.work > self.limits.work:
            raise LimitExceeded("work", self.limits.work)

    def check_size(self, size: int) -> None:
        """Refuse a list or text that grew too large.

        Raises:
            LimitExceeded: it did.
        """
        if size > self.limits.size:
            raise LimitExceeded("size", self.limits.size)

    def enter(self) -> None:
        """Count one level of function calls.

        Raises:
            LimitExceeded: one too many.
        """
        self.step()
        self.depth += 1
        if self.depth > self.limits.depth:
            raise LimitExceeded("depth", self.limits.depth)

    def leave(self) -> None:
        """Come back from a function."""
        self.depth -= 1


class Frame:
    """Names and values of one scope, the scope around it, and the evaluation they belong to."""

    __slots__ = ("evaluation", "outer", "values")

    def __init__(
        self,
        values: Mapping[str, FeelValue],
        evaluation: Evaluation,
        outer: "Frame | None" = None,
    ) -> None:
        self.values = values
        self.evaluation = evaluation
        self.outer = outer

    def inner(self, values: Mapping[str, FeelValue]) -> "Frame":
        """Open a scope inside this one."""
        return Frame(values, self.evaluation, self)

    def find(self, name: str) -> tuple[FeelValue, bool]:
        """Give the value of a name and whether there is one, innermost scope first."""
        frame: Frame | None = self
        while frame is not None:
            if name in frame.values:
                return frame.values[name], True
            frame = frame.outer
        return None, False

    def partial(self) -> Sequence[FeelValue]:
        """Give what the loop around made so far, without making a list of it."""
        if "partial" not in self.values and self.outer is not None:
            return self.outer.partial()
        value = self.values.get("partial")
        return value if isinstance(value, tuple) else () if value is None else (value,)
