"""The built-in functions of FEEL, by name."""

from orchestration.feel.functions import (
    contexts,
    conversions,
    dates,
    lists,
    numbers,
    ranges,
    statistics,
    texts,
)
from orchestration.feel.functions.registry import BUILTINS

__all__ = [
    "BUILTINS",
    "contexts",
    "conversions",
    "dates",
    "lists",
    "numbers",
    "ranges",
    "statistics",
    "texts",
]
