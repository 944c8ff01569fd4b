"""DMN: decisions by rule, with the rules that applied."""

from orchestration.dmn.analysis import analyse
from orchestration.dmn.definitions import Definitions, parse, publishable
from orchestration.dmn.errors import Finding, ModelRefused, Severity, TableFinding
from orchestration.dmn.files import parse_files
from orchestration.dmn.result import (
    DecisionModel,
    DecisionResult,
    DecisionUnknown,
    MatchedRule,
)

__all__ = [
    "DecisionModel",
    "DecisionResult",
    "DecisionUnknown",
    "Definitions",
    "Finding",
    "MatchedRule",
    "ModelRefused",
    "Severity",
    "TableFinding",
    "analyse",
    "parse",
    "parse_files",
    "publishable",
]
