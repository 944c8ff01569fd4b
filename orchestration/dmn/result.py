"""What making a decision gives back: the outcome and everything needed to explain it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from orchestration.feel.values import FeelValue


@dataclass(frozen=True, slots=True)
class MatchedRule:
    """One rule of a decision table that applied; `index` counts from 1, as the table is drawn."""

    table: str
    rule: str
    index: int
    annotations: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class DecisionResult:
    """The outcome of a decision.

    `outputs` is its value (a context for a table with several outputs), `matched_rules` the rules
    of every table on the way that applied, `inputs` the input data that were read, `reasons` why
    values on the way were null, `cost` what it took to compute.
    """

    decision: str
    outputs: FeelValue
    matched_rules: tuple[MatchedRule, ...] = ()
    inputs: Mapping[str, FeelValue] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    cost: int = 0


class DecisionModel(Protocol):
    """Anything that can make decisions by name; `orchestration.dmn.Definitions` is one."""

    def evaluate(
        self,
        *,
        decision: str,
        inputs: Mapping[str, FeelValue],
        at: datetime | None = None,
    ) -> DecisionResult:
        """Make a decision, named by name or id.

        Raises:
            DecisionUnknown: the model has no such decision.
        """
        ...


class DecisionUnknown(LookupError):
    """The model has no decision of this name or id."""

    code = "decision_unknown"
    is_retryable = False

    def __init__(self, decision: str) -> None:
        super().__init__(decision)
        self.decision = decision
