"""FEEL, the expression language of DMN: compiled once, run within limits, never Python."""

from orchestration.feel.evaluation import Limits
from orchestration.feel.expression import (
    Expression,
    Result,
    UnaryTests,
    compile_expression,
    compile_unary_tests,
)
from orchestration.feel.source import FeelSyntaxError
from orchestration.feel.values import FeelValue, ValueNotFeel, to_feel, to_plain

__all__ = [
    "Expression",
    "FeelSyntaxError",
    "FeelValue",
    "Limits",
    "Result",
    "UnaryTests",
    "ValueNotFeel",
    "compile_expression",
    "compile_unary_tests",
    "to_feel",
    "to_plain",
]
