"""Why a drawing cannot be read or run, and where in it."""

from dataclasses import dataclass
from enum import StrEnum

from typing_extensions import override


class Severity(StrEnum):
    """Whether a finding forbids to run the drawing or only deserves a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault of a drawing: a stable code, the element and line, and words for its author."""

    code: str
    element: str
    line: int
    words: str
    severity: Severity = Severity.ERROR


class DrawingRefused(ValueError):
    """The drawing cannot be read or run; `findings` lists every reason, the first in front."""

    # The class has a code of its own; each refusal narrows it to what is wrong.
    code = "drawing_refused"
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


def refusal_of(findings: tuple[Finding, ...]) -> DrawingRefused:
    """Make one error of several findings, of which there is at least one."""
    first = findings[0]
    return DrawingRefused(first.code, first.element, first.line, first.words, findings)
