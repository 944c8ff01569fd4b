"""BPMN 2.0 drawings: read anything well-formed, say what keeps it from running."""

from orchestration.bpmn.errors import DrawingRefused, Finding, Severity
from orchestration.bpmn.lint import check
from orchestration.bpmn.model import Drawing, Process
from orchestration.bpmn.reading import parse

__all__ = ["Drawing", "DrawingRefused", "Finding", "Process", "Severity", "check", "parse"]
