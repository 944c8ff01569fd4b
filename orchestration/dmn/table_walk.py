"""Finding the decision tables and the names of a model, wherever they are drawn."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass

from orchestration.dmn import model as drawn
from orchestration.feel.primary import RESERVED


def tables_of(model: drawn.Model) -> Iterator[tuple[str, drawn.TableBox]]:
    """Give every table with the name of the element it belongs to."""
    for element in model.elements.values():
        box: object = None
        if isinstance(element, drawn.Decision):
            box = element.box
        elif isinstance(element, drawn.Knowledge):
            box = element.function
        for part in _parts_of(box):
            if isinstance(part, drawn.TableBox):
                yield element.name, part


def _parts_of(part: object) -> Iterator[object]:
    if isinstance(part, tuple):
        for each in part:
            yield from _parts_of(each)
    elif is_dataclass(part):
        yield part
        for each in fields(part):
            yield from _parts_of(getattr(part, each.name))


def entry_names(model: drawn.Model) -> frozenset[str]:
    """List the names of several words that boxes of the model give to entries and columns.

    A path or a filter in another box may use them, and nothing but the drawing says they are one.
    Names that hold a word of FEEL or an operator are left out: there they might be a sum.
    """
    names = set()
    for part in _parts_of(tuple(model.elements.values())):
        if isinstance(part, drawn.ContextBox):
            names |= {variable.name for variable, _ in part.entries if variable is not None}
        elif isinstance(part, drawn.RelationBox):
            names |= set(part.columns)
    return frozenset(name for name in names if _is_plain(name.split()))


def _is_plain(words: list[str]) -> bool:
    return len(words) > 1 and all(word.isidentifier() and word not in RESERVED for word in words)


def names_of(model: drawn.Model) -> frozenset[str]:
    """List every name a cell of the model may use."""
    names = {element.variable.name for element in model.elements.values()}
    for element in model.elements.values():
        if isinstance(element, drawn.Knowledge) and element.function is not None:
            names |= {parameter.name for parameter in element.function.parameters}
    return frozenset(names | set(_item_names(model.items)))


def _item_names(items: tuple[drawn.ItemDefinition, ...]) -> Iterator[str]:
    for item in items:
        yield item.name
        yield from _item_names(item.components)
