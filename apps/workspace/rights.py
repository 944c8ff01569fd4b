"""The ways to put a run right by hand, as they are asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Right:
    """One way to put a run right: how it is asked, what will happen, what the button says."""

    move: Literal["pass_over", "change"]
    question: str
    words: str
    values_label: str
    values_hint: str


RIGHTS: Mapping[str, Right] = {
    "pass_over": Right(
        "pass_over",
        "Pass over the stopped step?",
        "The run goes on as if the step had answered what you give here. Nothing is done in its"
        " place. A second person of operations has to agree first.",
        "What stands in for its answer",
        "A JSON object, {} for nothing",
    ),
    "change": Right(
        "change",
        "Change this run by hand?",
        "Variables get the values you give, and the run can be moved to another step. What was done"
        " stays done. A second person of operations has to agree first.",
        "Variables to correct",
        'A JSON object with their new values, such as {"amount": 5}; {} for none',
    ),
}
