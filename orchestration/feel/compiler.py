"""From syntax tree to closures: each node becomes one Python function of a frame."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from orchestration.feel import tree
from orchestration.feel.arithmetic import POWER_WORK, calculate, negate
from orchestration.feel.comparison import compare, contains, equal, holds
from orchestration.feel.evaluation import Frame
from orchestration.feel.functions import BUILTINS
from orchestration.feel.properties import property_of
from orchestration.feel.types import is_complete, is_instance
from orchestration.feel.values import FeelValue, Function, Range, type_name_of
from orchestration.feel.weight import weigh

Code: TypeAlias = Callable[[Frame], FeelValue]


def compile_node(node: tree.Node) -> Code:
    """Turn a node, and all below it, into a function of a frame."""
    return _COMPILERS[type(node)](node)


def register(kind: type, compiler: Callable[..., Code]) -> None:
    """Say how a kind of node is compiled; the collection module adds its own."""
    _COMPILERS[kind] = compiler


def _literal(node: tree.Literal) -> Code:
    value = node.value
    return lambda frame: value


def _name(node: tree.Name) -> Code:
    name = node.name
    builtin = BUILTINS.get(name)

    def find(frame: Frame) -> FeelValue:
        value, is_known = frame.find(name)
        if is_known:
            return value
        if builtin is None:
            frame.evaluation.null(f"{name!r} has no value here")
        return builtin

    return find


def _path(node: tree.Path) -> Code:
    source, name = compile_node(node.source), node.name
    return lambda frame: property_of(source(frame), name, frame.evaluation)


def _binary(node: tree.Binary) -> Code:
    if node.operator in {"+", "-", "*", "/", "**"}:
        return _arithmetic(node)
    left, right, operator = compile_node(node.left), compile_node(node.right), node.operator

    def answer(frame: Frame) -> FeelValue:
        one, other = left(frame), right(frame)
        if isinstance(one, tuple | dict):
            weigh(one, frame.evaluation)
            weigh(other, frame.evaluation)
        result = holds(operator, one, other)
        if result is None:
            frame.evaluation.null(
                f"{type_name_of(one)} {operator} {type_name_of(other)} has no answer"
            )
        return result

    return answer


def _arithmetic(node: tree.Binary) -> Code:
    left, right, operator = compile_node(node.left), compile_node(node.right), node.operator

    def apply(frame: Frame) -> FeelValue:
        one, other = left(frame), right(frame)
        result = calculate(operator, one, other)
        if result is None:
            frame.evaluation.null(
                f"{type_name_of(one)} {operator} {type_name_of(other)} has no result"
            )
        elif type(result) is str:
            weigh(result, frame.evaluation)
            frame.evaluation.check_size(len(result))
        elif operator == "**":
            frame.evaluation.charge(POWER_WORK)
        return result

    return apply


def _negation(node: tree.Negation) -> Code:
    operand = compile_node(node.operand)

    def apply(frame: Frame) -> FeelValue:
        value = operand(frame)
        result = negate(value)
        if result is None:
            frame.evaluation.null(f"minus {type_name_of(value)} has no result")
        return result

    return apply


def _logic(node: tree.Logic) -> Code:
    left, right = compile_node(node.left), compile_node(node.right)
    decisive = node.operator == "or"

    def answer(frame: Frame) -> FeelValue:
        one = left(frame)
        if one is decisive:
            return decisive
        other = right(frame)
        if other is decisive:
            return decisive
        if isinstance(one, bool) and isinstance(other, bool):
            return not decisive
        if not isinstance(one, bool | None) or not isinstance(other, bool | None):
            words = f"{type_name_of(one)} {node.operator} {type_name_of(other)} has no answer"
            frame.evaluation.null(words)
        return None

    return answer


def _between(node: tree.Between) -> Code:
    value, low, high = (compile_node(part) for part in (node.value, node.low, node.high))

    def answer(frame: Frame) -> FeelValue:
        middle = value(frame)
        above = holds(">=", middle, low(frame))
        below = holds("<=", middle, high(frame))
        if above is None or below is None:
            frame.evaluation.null("between has no answer for values of these types")
            return None
        return above and below

    return answer


def _in(node: tree.In) -> Code:
    value = compile_node(node.value)
    tests = tuple(compile_test(test) for test in node.tests)

    def answer(frame: Frame) -> FeelValue:
        given = value(frame)
        weigh(given, frame.evaluation)
        inner = frame.inner({"?": given})
        answers = [test(inner) for test in tests]
        if True in answers:
            return True
        if None in answers:
            frame.evaluation.null(f"{type_name_of(given)} in what is tested has no answer")
            return None
        return False

    return answer


def compile_test(node: tree.Node) -> Callable[[Frame], bool | None]:
    """Turn a positive unary test into a function of a frame that knows `?`."""
    if isinstance(node, tree.Test):
        operand, operator = compile_node(node.operand), node.operator
        return lambda frame: holds(operator, frame.find("?")[0], operand(frame))
    if isinstance(node, tree.RangeLiteral):
        return _range_test(node)
    code, asks = compile_node(node), mentions_input(node)

    def answer(frame: Frame) -> bool | None:
        given, tested = frame.find("?")[0], code(frame)
        weigh(tested, frame.evaluation)
        if isinstance(tested, bool) and (asks or not isinstance(given, bool)):
            return tested
        return None if asks and tested is None else is_match(given, tested)

    return answer


def _range_test(node: tree.RangeLiteral) -> Callable[[Frame], bool | None]:
    """Compare with both ends; an end that is null leaves open only what the other end does not."""
    start, end = compile_node(node.start), compile_node(node.end)
    whole = _range(node)
    from_start = ">=" if node.start_included else ">"
    to_end = "<=" if node.end_included else "<"

    def answer(frame: Frame) -> bool | None:
        given = frame.find("?")[0]
        if isinstance(given, Range):
            return equal(given, whole(frame)) is True
        above, below = holds(from_start, given, start(frame)), holds(to_end, given, end(frame))
        if above is False or below is False:
            return False
        return None if above is None or below is None else True

    return answer


def mentions_input(node: object) -> bool:
    """Tell whether `?` stands anywhere in a part of the tree."""
    if isinstance(node, tree.Name):
        return node.name == "?"
    if isinstance(node, tuple):
        return any(mentions_input(part) for part in node)
    slots = getattr(type(node), "__slots__", ())
    is_tree = type(node).__module__ == tree.__name__
    return is_tree and any(mentions_input(getattr(node, slot)) for slot in slots)


def is_match(given: FeelValue, tested: FeelValue) -> bool | None:
    """Answer whether an input equals a tested value, lies in it, or is one of it."""
    if isinstance(tested, Range) and not isinstance(given, Range):
        return contains(tested, given)
    if isinstance(tested, tuple):
        same = equal(given, tested) if isinstance(given, tuple) else False
        return same is True or any(_is_item(given, each) for each in tested)
    return equal(given, tested)


def _is_item(given: FeelValue, each: FeelValue) -> bool:
    if isinstance(each, Range) and not isinstance(given, Range):
        return contains(each, given) is True
    return equal(given, each) is True


def _instance_of(node: tree.InstanceOf) -> Code:
    value, wanted = compile_node(node.value), node.type
    if not is_complete(wanted):
        return lambda frame: frame.evaluation.null("instance of needs a type that is declared")

    def answer(frame: Frame) -> FeelValue:
        tested = value(frame)
        weigh(tested, frame.evaluation)
        return is_instance(tested, wanted)

    return answer


def _if(node: tree.If) -> Code:
    condition = compile_node(node.condition)
    consequence, alternative = compile_node(node.consequence), compile_node(node.alternative)

    def choose(frame: Frame) -> FeelValue:
        return consequence(frame) if condition(frame) is True else alternative(frame)

    return choose


def _range(node: tree.RangeLiteral) -> Code:
    start, end = compile_node(node.start), compile_node(node.end)
    start_included, end_included = node.start_included, node.end_included

    def make(frame: Frame) -> FeelValue:
        low, high = start(frame), end(frame)
        order = compare(low, high)
        if order is None or order > 0:
            frame.evaluation.null("the bounds of a range must be two ordered values")
            return None
        return Range(low, high, start_included, end_included)

    return make


def _test_as_range(node: tree.Test) -> Code:
    operand, operator = compile_node(node.operand), node.operator

    def make(frame: Frame) -> FeelValue:
        bound = operand(frame)
        if operator.startswith(">"):
            return Range(bound, None, operator == ">=", end_included=False)
        if operator.startswith("<"):
            return Range(None, bound, start_included=False, end_included=operator == "<=")
        if operator == "=":
            return Range(bound, bound, start_included=True, end_included=True)
        frame.evaluation.null("!= makes no range")
        return None

    return make


def _call(node: tree.Call) -> Code:
    function = compile_node(node.function)
    positional = tuple(compile_node(argument) for argument in node.positional)
    named = tuple((name, compile_node(argument)) for name, argument in node.named)

    def invoke(frame: Frame) -> FeelValue:
        target = function(frame)
        if not isinstance(target, Function):
            frame.evaluation.null(f"{type_name_of(target)} is no function")
            return None
        arguments = tuple(argument(frame) for argument in positional)
        by_name: Mapping[str, FeelValue] = {name: code(frame) for name, code in named}
        evaluation = frame.evaluation
        evaluation.enter()
        try:
            return target.call(evaluation, arguments, by_name)
        finally:
            evaluation.leave()

    return invoke


def _boxed(node: tree.Boxed) -> Code:
    return node.code


_COMPILERS: dict[type, Callable[..., Code]] = {
    tree.Literal: _literal,
    tree.Name: _name,
    tree.Path: _path,
    tree.Binary: _binary,
    tree.Negation: _negation,
    tree.Logic: _logic,
    tree.Between: _between,
    tree.In: _in,
    tree.InstanceOf: _instance_of,
    tree.If: _if,
    tree.RangeLiteral: _range,
    tree.Test: _test_as_range,
    tree.Call: _call,
    tree.Boxed: _boxed,
}
