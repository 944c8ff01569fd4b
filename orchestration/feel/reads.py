"""Which variables an expression looks at, so that a decision can be explained by their values."""

from collections.abc import Iterator, Mapping

from orchestration.feel import tree
from orchestration.feel.values import FeelValue

_Bound = frozenset[str]


def reads_of(node: object) -> tuple[tuple[str, ...], ...]:
    """List the paths (`("order", "amount")`) an expression reads, sorted, without its own names."""
    return tuple(sorted(set(_walk(node, frozenset({"?", "item", "partial"})))))


def values_read(
    reads: tuple[tuple[str, ...], ...], context: Mapping[str, FeelValue]
) -> dict[str, FeelValue]:
    """Give the value behind each path, by its dotted name; a path that leads nowhere is null."""
    return {".".join(path): _follow(path, context) for path in reads if path[0] in context}


def _follow(path: tuple[str, ...], context: Mapping[str, FeelValue]) -> FeelValue:
    value: FeelValue = context
    for name in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


def _walk(node: object, bound: _Bound) -> Iterator[tuple[str, ...]]:
    path = _as_path(node)
    if path is not None:
        if path[0] not in bound:
            yield path
        return
    if isinstance(node, tuple):
        for part in node:
            yield from _walk(part, bound)
    elif type(node).__module__ == tree.__name__:
        yield from _walk_node(node, bound)


def _as_path(node: object) -> tuple[str, ...] | None:
    if isinstance(node, tree.Name):
        return (node.name,)
    if isinstance(node, tree.Path):
        source = _as_path(node.source)
        return None if source is None else (*source, node.name)
    return None


def _walk_node(node: object, bound: _Bound) -> Iterator[tuple[str, ...]]:
    match node:
        case tree.For(iterations, body) | tree.Quantified(_, iterations, body):
            for each in iterations:
                yield from _walk((each.source, each.end), bound)
                bound |= {each.name}
            yield from _walk(body, bound)
        case tree.Lambda(parameters, body):
            yield from _walk(body, bound | {name for name, _ in parameters})
        case tree.ContextLiteral(entries):
            for name, value in entries:
                yield from _walk(value, bound)
                bound |= {name}
        case tree.Call(tree.Name(), positional, named):
            yield from _walk((positional, tuple(value for _, value in named)), bound)
        case _:
            slots = type(node).__slots__  # type: ignore[attr-defined]  # every node has slots
            for slot in slots:
                yield from _walk(getattr(node, slot), bound)
