"""The types a model declares, as FEEL types."""

from collections.abc import Callable, Mapping

from orchestration.dmn.model import ItemDefinition, Model
from orchestration.feel import FeelSyntaxError, FeelValue, compile_unary_tests
from orchestration.feel.names import normalise
from orchestration.feel.types import (
    ANY,
    Constrained,
    ContextOf,
    FeelType,
    FunctionOf,
    ListOf,
    Unknown,
    simple_type,
)


class Types:
    """The declared types of one model, those of its imports under their local names."""

    def __init__(self, model: Model, imported: Mapping[str, "Types"]) -> None:
        self._items = {item.name: item for item in model.items}
        self._imported = imported
        self._found: dict[str, FeelType] = {}
        self.names: frozenset[str] = frozenset(_component_names(model.items)).union(
            *(types.names for types in imported.values())
        )
        for name in self._items:
            self.resolve(name)

    @property
    def by_name(self) -> Mapping[str, FeelType]:
        """Every declared type by the name expressions use."""
        merged = dict(self._found)
        for local, types in self._imported.items():
            prefix = f"{local}." if local else ""
            merged.update({f"{prefix}{name}": each for name, each in types.by_name.items()})
        return merged

    def resolve(self, reference: str | None) -> FeelType:
        """Give the type a reference stands for; what nothing declares accepts no value."""
        if not reference:
            return ANY
        name = normalise(reference)
        if name in self._found:
            return self._found[name]
        if name in self._items:
            # Set first, so that a type that contains itself ends instead of turning in circles.
            self._found[name] = ANY
            self._found[name] = self._declared(self._items[name])
            return self._found[name]
        return self._foreign(name)

    def _foreign(self, name: str) -> FeelType:
        simple = simple_type(name.rpartition(":")[2])
        if not isinstance(simple, Unknown):
            return simple
        nameless = self._imported.get("")
        if nameless is not None and name in nameless.by_name:
            return nameless.by_name[name]
        for separator in (".", ":"):
            local, _, rest = name.partition(separator)
            if rest and local in self._imported:
                return self._imported[local].resolve(rest)
        # Older models write the XML prefix of their own namespace before the name.
        own = name.rpartition(":")[2]
        return self.resolve(own) if own in self._items else Unknown(name)

    def listed(self, reference: str | None) -> str | None:
        """Give the values a declared type allows, as written and in that order; None for none."""
        name = normalise(reference or "")
        item = self._items.get(name) or self._items.get(name.rpartition(":")[2])
        if item is not None:
            is_alias = item.allowed is None and not item.is_collection
            return (
                self.listed(item.type_ref) if is_alias and item.type_ref != name else item.allowed
            )
        local, _, rest = name.partition(".")
        return self._imported[local].listed(rest) if rest and local in self._imported else None

    def _declared(self, item: ItemDefinition) -> FeelType:
        declared = self._base(item)
        if item.allowed is not None:
            declared = Constrained(declared, _allows(item.allowed, self.names))
        if item.is_collection:
            declared = ListOf(declared)
        if item.constraint is not None:
            declared = Constrained(declared, _allows(item.constraint, self.names))
        return declared

    def _base(self, item: ItemDefinition) -> FeelType:
        if item.components:
            return ContextOf(tuple((each.name, self._declared(each)) for each in item.components))
        if item.function is not None:
            parameters, result = item.function
            kinds = tuple(self.resolve(each.type_ref) for each in parameters)
            return FunctionOf(kinds, self.resolve(result))
        return self.resolve(item.type_ref)


def values_allowed(model: Model, reference: str | None) -> str | None:
    """Give the tests a declared type puts on its values, as written; None for none."""
    item = next((each for each in model.items if each.name == normalise(reference or "")), None)
    return None if item is None or item.is_collection else item.allowed or item.constraint


def _allows(text: str, names: frozenset[str]) -> Callable[[FeelValue], bool]:
    try:
        tests = compile_unary_tests(text, names=names)
    except FeelSyntaxError:
        return lambda value: False  # A constraint nobody can read allows nothing.
    return lambda value: tests.evaluate({}, value=value).value is True


def _component_names(items: tuple[ItemDefinition, ...]) -> set[str]:
    names = {item.name for item in items}
    for item in items:
        names |= _component_names(item.components)
    return names
