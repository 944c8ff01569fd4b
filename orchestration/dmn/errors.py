"""Why a model cannot be read, and what in it cannot be run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from typing_extensions import override


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a model: a stable code, the element and line, and words for its author."""

    code: str
    element: str
    line: int
    words: str


class Severity(StrEnum):
    """What a finding means for publishing: refused, told, or only noted."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class TableFinding:
    """One fault of a decision table.

    `table` is the name of the decision, `element` the id of the table, `rules` the numbers of the
    rules concerned as drawn, from 1, and `example` a case that shows the fault, by input.
    """

    code: str
    severity: Severity
    table: str
    element: str
    line: int
    rules: tuple[int, ...]
    words: str
    example: Mapping[str, str] = field(default_factory=dict)


class ModelRefused(ValueError):
    """The file is no DMN model that may be used; `findings` lists every reason known."""

    # The class has a code of its own; each refusal narrows it to what is wrong.
    code = "model_refused"
    is_retryable = False

    def __init__(
        self,
        code: str,
        element: str,
        line: int,
        words: str,
        findings: tuple[Finding, ...] = (),
    ) -> None:
        super().__init__(code, element, line, words, findings)
        self.code, self.element, self.line, self.words = code, element, line, words
        self.findings = findings or (Finding(code, element, line, words),)

    @override
    def __str__(self) -> str:
        return f"{self.words} ({self.code}: {self.element}, line {self.line})"
