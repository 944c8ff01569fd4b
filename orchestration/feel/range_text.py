"""The built-in `range(from)`, which reads a range literal from text.

It stands apart from the other built-ins because it needs the parser, which needs their names.
"""

import re

from orchestration.feel import tree
from orchestration.feel.comparison import compare
from orchestration.feel.compiler import compile_node
from orchestration.feel.evaluation import Evaluation, Frame
from orchestration.feel.functions.registry import builtin
from orchestration.feel.parser import parse_expression
from orchestration.feel.source import FeelSyntaxError
from orchestration.feel.values import FeelValue, Range

_RANGE = re.compile(r"\s*([\[(\]])(.*?)\.\.(.*)([\])\[])\s*", re.DOTALL)
_LENGTH_MAX = 500
_READING_WORK = 500
_MAKERS = frozenset({"date", "time", "date and time", "duration", "years and months duration"})


@builtin("range(from: string)", takes_evaluation=True)
def _range(evaluation: Evaluation, text: str) -> FeelValue:
    evaluation.charge(_READING_WORK)
    found = _RANGE.fullmatch(text) if len(text) <= _LENGTH_MAX else None
    if found is None:
        return None
    opening, low, high, closing = found.groups()
    start, end = _bound(low, evaluation), _bound(high, evaluation)
    is_readable = (start is not None or not low.strip()) and (end is not None or not high.strip())
    start_included, end_included = opening == "[", closing == "]"
    # An open end is written with a parenthesis, and one end at least is not open.
    is_open_included = (start is None and start_included) or (end is None and end_included)
    if not is_readable or is_open_included or (start is None and end is None):
        return None
    if start is not None and end is not None and compare(start, end) not in {-1, 0}:
        return None
    return Range(start, end, start_included, end_included)


def _bound(text: str, evaluation: Evaluation) -> FeelValue:
    if not text.strip():
        return None
    try:
        node = parse_expression(text)
    except FeelSyntaxError:
        return None
    return compile_node(node)(Frame({}, evaluation)) if _is_constant(node) else None


def _is_constant(node: tree.Node) -> bool:
    match node:
        case tree.Literal():
            return True
        case tree.Negation(tree.Literal()):
            return True
        case tree.Call(tree.Name(name), positional, named) if name in _MAKERS and not named:
            return all(_is_constant(argument) for argument in positional)
        case _:
            return False
