"""Compiled expressions and unary tests: what the door of the package hands out."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from orchestration.feel import collections_compiler, range_text, tree
from orchestration.feel.compiler import Code, compile_node, compile_test
from orchestration.feel.evaluation import Evaluation, Frame, LimitExceeded, Limits
from orchestration.feel.parser import parse_expression, parse_unary_tests
from orchestration.feel.reads import reads_of, values_read
from orchestration.feel.source import FeelSyntaxError
from orchestration.feel.types import FeelType
from orchestration.feel.values import Context, FeelValue
from orchestration.feel.weight import weigh

# Importing these registers half of the compilers and one built-in.
_REGISTERED = (collections_compiler.__name__, range_text.__name__)

_DEFAULT_LIMITS = Limits()
_NO_TYPES: Mapping[str, FeelType] = {}


@dataclass(frozen=True, slots=True)
class Result:
    """A value, why parts of the way to it were null, and what it cost to compute."""

    value: FeelValue
    reasons: tuple[str, ...] = ()
    cost: int = 0


@dataclass(frozen=True, slots=True)
class Expression:
    """One FEEL expression, ready to run; it may be shared between threads."""

    text: str
    reads: tuple[tuple[str, ...], ...]
    code: Code

    def evaluate(
        self,
        context: Mapping[str, FeelValue],
        *,
        limits: Limits = _DEFAULT_LIMITS,
        at: datetime | None = None,
    ) -> Result:
        """Give the value in a context; never raises, null comes with its reasons.

        `at` is the instant `now()` and `today()` tell; without it they are null.
        """
        return run(self.code, Evaluation(limits, at), context)

    def values_read(self, context: Mapping[str, FeelValue]) -> Context:
        """Give the values this expression looks at in a context, by dotted name."""
        return values_read(self.reads, context)


@dataclass(frozen=True, slots=True)
class UnaryTests:
    """The tests of one decision table cell, ready to run."""

    text: str
    reads: tuple[tuple[str, ...], ...]
    code: Code

    def evaluate(
        self,
        context: Mapping[str, FeelValue],
        *,
        value: FeelValue,
        limits: Limits = _DEFAULT_LIMITS,
        at: datetime | None = None,
    ) -> Result:
        """Answer whether an input value passes; null counts as not."""
        return run(self.code, Evaluation(limits, at), {**context, "?": value})


def run(code: Code, evaluation: Evaluation, context: Mapping[str, FeelValue]) -> Result:
    """Run compiled code to its value or its limit."""
    value = within_limits(evaluation, lambda: code(Frame(context, evaluation)))
    return Result(value, tuple(evaluation.reasons), evaluation.cost)


def within_limits(evaluation: Evaluation, compute: Callable[[], FeelValue]) -> FeelValue:
    """Give what a computation yields, or null with the reason when it goes beyond its limits."""
    try:
        value = compute()
        weigh(value, evaluation)
    except LimitExceeded as exceeded:
        evaluation.null(f"stopped: more than {exceeded.maximum} {exceeded.limit}")
        return None
    except RecursionError:
        evaluation.null("stopped: nested too deeply")
        return None
    return value


def compile_expression(text: str, *, names: Iterable[str] = ()) -> Expression:
    """Compile an expression; `names` are those in scope, needed where they hold spaces.

    Raises:
        FeelSyntaxError: the text is not FEEL.
    """
    node, code = expression_code(text, names, _NO_TYPES)
    return Expression(text, reads_of(node), code)


def compile_unary_tests(text: str, *, names: Iterable[str] = ()) -> UnaryTests:
    """Compile the tests of a decision table cell.

    Raises:
        FeelSyntaxError: the text is not a list of unary tests.
    """
    parsed, code = tests_code(text, names, _NO_TYPES)
    return UnaryTests(text, reads_of(parsed.tests), code)


def expression_code(
    text: str, names: Iterable[str], types: Mapping[str, FeelType]
) -> tuple[tree.Node, Code]:
    """Parse and compile an expression that may use a model's own types.

    Raises:
        FeelSyntaxError: the text is not FEEL.
    """
    try:
        node = parse_expression(text, names, types)
        return node, compile_node(node)
    except RecursionError as error:
        raise FeelSyntaxError("expression nests too deeply", 0, text) from error


def tests_code(
    text: str, names: Iterable[str], types: Mapping[str, FeelType]
) -> tuple[tree.UnaryTestList, Code]:
    """Parse and compile unary tests that may use a model's own types.

    Raises:
        FeelSyntaxError: the text is not a list of unary tests.
    """
    try:
        parsed = parse_unary_tests(text, names, types)
        return parsed, any_test_code(parsed)
    except RecursionError as error:
        raise FeelSyntaxError("expression nests too deeply", 0, text) from error


def any_test_code(parsed: tree.UnaryTestList) -> Code:
    """Turn the tests of a cell into a function of a frame that knows `?`."""
    tests = tuple(compile_test(test) for test in parsed.tests)
    is_negated = parsed.is_negated

    def answer(frame: Frame) -> FeelValue:
        if not tests:
            return True
        answers = [test(frame) for test in tests]
        if True in answers:
            return not is_negated
        return None if None in answers and is_negated else is_negated

    return answer
