"""What the core writes as bytes, as the text that our tables keep."""

from typing import TypeVar

from orchestration.core.codec import decode, encode

_T = TypeVar("_T")


def to_text(value: object) -> str:
    """Return the canonical text of a state, an event, a command or history."""
    return encode(value).decode()


def from_text(text: str, wanted: type[_T]) -> _T:
    """Return the value of a text that `to_text` wrote.

    Raises:
        orchestration.core.codec.EncodingRefused: it is something else.
    """
    return decode(text.encode(), wanted)
