"""Closures for what makes or walks collections: lists, contexts, filters, loops, functions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from typing_extensions import override

from orchestration.feel import tree
from orchestration.feel.compiler import Code, compile_node, register
from orchestration.feel.evaluation import Evaluation, Frame
from orchestration.feel.external import method_of
from orchestration.feel.inference import type_before_running
from orchestration.feel.temporal import Date
from orchestration.feel.types import ANY, FeelType, coerce
from orchestration.feel.values import FeelValue, Function, Parameter, Range, type_name_of
from orchestration.feel.weight import weigh


def _list(node: tree.ListLiteral) -> Code:
    items = tuple(compile_node(item) for item in node.items)
    return lambda frame: tuple(item(frame) for item in items)


def _context(node: tree.ContextLiteral) -> Code:
    entries = tuple((name, compile_node(value)) for name, value in node.entries)
    is_distinct = len({name for name, _ in entries}) == len(entries)

    def make(frame: Frame) -> FeelValue:
        if not is_distinct:
            frame.evaluation.null("a context has two entries of one name")
            return None
        values: dict[str, FeelValue] = {}
        inner = frame.inner(values)
        for name, value in entries:
            values[name] = value(inner)
        return values

    return make


def _filter(node: tree.Filter) -> Code:
    source, condition = compile_node(node.source), compile_node(node.condition)
    if _is_constant_index(node.condition):
        if node.source == tree.Name("partial"):
            return lambda frame: item_at(frame.partial(), condition(frame), frame.evaluation)
        return lambda frame: item_at(_as_list(source(frame)), condition(frame), frame.evaluation)

    def select(frame: Frame) -> FeelValue:
        items = _as_list(source(frame))
        kept: list[FeelValue] = []
        for item in items:
            frame.evaluation.step()
            answer = condition(_item_frame(frame, item))
            if isinstance(answer, Decimal):
                return item_at(items, answer, frame.evaluation)
            if answer is True:
                kept.append(item)
            elif answer is not None and answer is not False:
                frame.evaluation.null("a filter is neither true or false nor a number")
                return None
        return tuple(kept)

    return select


def _is_constant_index(node: tree.Node) -> bool:
    inner = node.operand if isinstance(node, tree.Negation) else node
    return isinstance(inner, tree.Literal) and isinstance(inner.value, Decimal)


def _as_list(value: FeelValue) -> tuple[FeelValue, ...]:
    if isinstance(value, tuple):
        return value
    return () if value is None else (value,)


def _item_frame(frame: Frame, item: FeelValue) -> Frame:
    values: dict[str, FeelValue] = {"item": item}
    if isinstance(item, Mapping):
        values.update(item)
    return frame.inner(values)


def item_at(items: Sequence[FeelValue], index: FeelValue, evaluation: Evaluation) -> FeelValue:
    """Give the item at an index from 1, or from -1 backwards; null where there is none."""
    if isinstance(index, Decimal) and index == int(index):
        position = int(index)
        if 1 <= abs(position) <= len(items):
            return items[position - 1 if position > 0 else position]
    evaluation.null("the list has no item at this index")
    return None


def _for(node: tree.For) -> Code:
    body = compile_node(node.body)
    iterations = tuple(_iteration(each) for each in node.iterations)

    def run(frame: Frame) -> FeelValue:
        results: list[FeelValue] = []
        for inner in _combinations(frame, iterations):
            if inner is None:
                return None
            frame.evaluation.step()
            frame.evaluation.check_size(len(results))
            # `partial` is what the loop made so far; a tuple of it is made only when it is read.
            results.append(body(_PartialFrame(inner, results)))
        return tuple(results)

    return run


class _PartialFrame(Frame):
    """A frame in which `partial` is the list of results so far."""

    __slots__ = ("_results",)

    def __init__(self, frame: Frame, results: list[FeelValue]) -> None:
        super().__init__(frame.values, frame.evaluation, frame.outer)
        self._results = results

    @override
    def find(self, name: str) -> tuple[FeelValue, bool]:
        if name == "partial":
            self.evaluation.charge(len(self._results))
            return tuple(self._results), True
        return super().find(name)

    @override
    def partial(self) -> Sequence[FeelValue]:
        return self._results


def _quantified(node: tree.Quantified) -> Code:
    body, decisive = compile_node(node.body), not node.is_universal
    iterations = tuple(_iteration(each) for each in node.iterations)

    def answer(frame: Frame) -> FeelValue:
        has_unknown = False
        for inner in _combinations(frame, iterations):
            if inner is None:
                return None
            frame.evaluation.step()
            value = body(inner)
            if value is decisive:
                return decisive
            has_unknown = has_unknown or not isinstance(value, bool)
        return None if has_unknown else not decisive

    return answer


_Items = Callable[[Frame], "Iterator[FeelValue] | None"]


def _iteration(node: tree.Iteration) -> tuple[str, _Items]:
    source = compile_node(node.source)
    end = compile_node(node.end) if node.end is not None else None

    def items(frame: Frame) -> Iterator[FeelValue] | None:
        first = source(frame)
        if end is not None:
            return _count(first, end(frame), frame.evaluation)
        if isinstance(first, Range):
            return _count_range(first, frame.evaluation)
        if first is None:
            frame.evaluation.null("null cannot be iterated over")
            return None
        return iter(_as_list(first))

    return node.name, items


def _combinations(
    frame: Frame, iterations: tuple[tuple[str, _Items], ...]
) -> Iterator[Frame | None]:
    (name, items), rest = iterations[0], iterations[1:]
    found = items(frame)
    if found is None:
        yield None
        return
    for item in found:
        inner = frame.inner({name: item})
        if rest:
            yield from _combinations(inner, rest)
        else:
            yield inner


def _count(start: FeelValue, end: FeelValue, evaluation: Evaluation) -> Iterator[FeelValue] | None:
    if isinstance(start, Date) and isinstance(end, Date):
        return (Date.from_ordinal(day) for day in _integers(start.ordinal, end.ordinal))
    if isinstance(start, Decimal) and isinstance(end, Decimal) and start == int(start):
        return (Decimal(number) for number in _integers(int(start), int(end)))
    evaluation.null(f"cannot count from {type_name_of(start)} to {type_name_of(end)}")
    return None


def _integers(start: int, end: int) -> range:
    return range(start, end + 1) if start <= end else range(start, end - 1, -1)


def _count_range(interval: Range, evaluation: Evaluation) -> Iterator[FeelValue] | None:
    found = _count(interval.start, interval.end, evaluation)
    if found is None:
        return None
    return (
        item
        for item in found
        if (interval.start_included or item != interval.start)
        and (interval.end_included or item != interval.end)
    )


def _lambda(node: tree.Lambda) -> Code:
    body = compile_node(node.body)
    types = dict(node.parameters)
    result = type_before_running(node.body, types)

    def make(frame: Frame) -> FeelValue:
        if node.is_external:
            return external_function("function", types, body, frame)
        made = make_function("function", types, body, frame, result)
        return replace(made, origin=(node, frame))

    return make


def make_function(
    name: str,
    types: Mapping[str, FeelType | None],
    body: Code,
    frame: Frame,
    result: FeelType | None = None,
) -> Function:
    """Make a function value whose body sees its arguments and, around them, `frame`."""

    def call(
        evaluation: Evaluation,
        positional: tuple[FeelValue, ...],
        named: Mapping[str, FeelValue],
    ) -> FeelValue:
        is_complete = bool(named) or len(positional) == len(types)
        if not is_complete or not named.keys() <= types.keys():
            evaluation.null(f"{name} takes the arguments {', '.join(types) or 'none'}")
            return None
        # What is not supplied by name is null.
        given = dict.fromkeys(types) | dict(zip(types, positional, strict=False)) | dict(named)
        for parameter, wanted in types.items():
            if wanted is not None:
                weigh(given[parameter], evaluation)
                value, fits = coerce(given[parameter], wanted)
                if not fits:
                    evaluation.null(f"{name}: {parameter} is of another type")
                    return None
                given[parameter] = value
        return body(Frame(given, evaluation, frame))

    parameters = tuple(Parameter(each, kind) for each, kind in types.items())
    return Function(name, parameters, call, result)


def external_function(
    name: str,
    types: Mapping[str, FeelType | None],
    mapping: Code,
    frame: Frame,
    result: FeelType = ANY,
) -> FeelValue:
    """Make a function value of what a mapping names; null, with the reason, where none is known."""
    method = method_of(mapping(frame))
    if isinstance(method, str):
        frame.evaluation.null(f"{name}: {method}")
        return None

    def body(inner: Frame) -> FeelValue:
        value, fits = coerce(method(tuple(inner.values[each] for each in types)), result)
        if value is None:
            reason = "has no result" if fits else "gives a value of another type"
            inner.evaluation.null(f"{name}: the external function {reason}")
        elif isinstance(value, str):
            inner.evaluation.check_size(len(value))
        return value

    return make_function(name, types, body, frame)


register(tree.ListLiteral, _list)
register(tree.ContextLiteral, _context)
register(tree.Filter, _filter)
register(tree.For, _for)
register(tree.Quantified, _quantified)
register(tree.Lambda, _lambda)
