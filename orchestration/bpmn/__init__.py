"""BPMN 2.0 drawings: read anything well-formed, say what keeps it from running."""

from orchestration.bpmn.comparing import ChangeKind, Difference, DrawingChange, compare
from orchestration.bpmn.errors import DrawingRefused, Finding, Severity
from orchestration.bpmn.lint import check
from orchestration.bpmn.model import Drawing, Process
from orchestration.bpmn.reading import parse
from orchestration.bpmn.writing import (
    Conditioned,
    Defaulted,
    Documented,
    Edit,
    Extended,
    Named,
    edited,
    write,
)

__all__ = [
    "ChangeKind",
    "Conditioned",
    "Defaulted",
    "Difference",
    "Documented",
    "Drawing",
    "DrawingChange",
    "DrawingRefused",
    "Edit",
    "Extended",
    "Finding",
    "Named",
    "Process",
    "Severity",
    "check",
    "compare",
    "edited",
    "parse",
    "write",
]
