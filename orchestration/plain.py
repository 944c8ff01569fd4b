"""Between FEEL values, which flows speak, and plain JSON values, which actions and cards speak."""

from collections.abc import Mapping
from decimal import Decimal

from orchestration.feel.formatting import text_of
from orchestration.feel.values import FeelValue, to_feel


def plain(value: FeelValue) -> object:
    """Return the JSON value: whole numbers as integers, other numbers and times as text."""
    kind = type(value)
    # Most values are text; whether something is a mapping is the dearest question of all.
    if kind is str or kind is bool or value is None:
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else format(value, "f")
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if kind is dict or isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}  # type: ignore[union-attr]
    return value if isinstance(value, str) else text_of(value)


def plain_mapping(values: Mapping[str, FeelValue]) -> dict[str, object]:
    """Return the JSON object of a FEEL context."""
    return {name: plain(value) for name, value in values.items()}


def feel_mapping(values: Mapping[str, object]) -> dict[str, FeelValue]:
    """Return the FEEL context of a JSON object."""
    return {name: to_feel(value) for name, value in values.items()}
