"""What type an expression will have, as far as that shows before it runs."""

from collections.abc import Mapping

from orchestration.feel import tree
from orchestration.feel.type_nodes import FeelType, Simple
from orchestration.feel.values import type_name_of

_NUMBER, _STRING, _BOOLEAN = Simple("number"), Simple("string"), Simple("boolean")
_ASKING = (tree.Logic, tree.Between, tree.In, tree.InstanceOf, tree.Quantified, tree.Binary)
_ARITHMETIC = frozenset({"+", "-", "*", "/", "**"})


def type_before_running(node: tree.Node, names: Mapping[str, FeelType | None]) -> FeelType | None:
    """Give the type of an expression over names of known types; None where it does not show."""
    match node:
        case tree.Literal(value):
            return Simple(type_name_of(value))
        case tree.Name(name):
            return names.get(name)
        case tree.Binary(operator, left, right) if operator in _ARITHMETIC:
            both = _shared(left, right, names)
            return both if both in {_NUMBER, _STRING} else None
        case tree.If(_, consequence, alternative):
            return _shared(consequence, alternative, names)
        case _:
            return _BOOLEAN if isinstance(node, _ASKING) else None


def _shared(
    left: tree.Node, right: tree.Node, names: Mapping[str, FeelType | None]
) -> FeelType | None:
    one = type_before_running(left, names)
    return one if one == type_before_running(right, names) else None
