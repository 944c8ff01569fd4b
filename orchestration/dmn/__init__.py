"""DMN: decisions by rule, with the rules that applied."""

from orchestration.dmn.definitions import Definitions, parse, publishable
from orchestration.dmn.errors import Finding, ModelRefused
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
    "parse",
    "publishable",
]
