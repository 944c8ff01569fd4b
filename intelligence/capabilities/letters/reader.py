"""Read what a letter names: the slots of a message, but written by nobody who signed in.

Whoever signs a letter proves nothing by it. So every value carries the provenance `document`: rules
about account numbers from documents hold for it, and it never counts as typed by the customer.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from typing import Final, Self, TypeVar

from intelligence.capabilities.slots.extract import extract
from intelligence.capabilities.slots.refusals import refusal
from intelligence.capabilities.slots.values import Refusal, Slots, Span
from sentinel.vocabulary import Provenance

FORMAT: Final = "letter-slots/1"
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a letter names, and what in it is not taken."""

    slots: Slots
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class LetterReader:
    """Reads the named slots of letters up to a length; a longer one is not read at all."""

    characters_max: int
    names: frozenset[str]

    @classmethod
    def from_artefact(cls, card: Mapping[str, object]) -> Self:
        """Return the reader of a checked artefact.

        Raises:
            ValueError: the artefact is of another format, or names slots there are not.
        """
        if card.get("format") != FORMAT:
            msg = f"not a {FORMAT} artefact: {card.get('format')!r}"
            raise ValueError(msg)
        names, longest = card["slots"], card["characters_max"]
        if not isinstance(longest, int) or not isinstance(names, list):
            msg = "characters_max is a number and slots a list of names"
            raise ValueError(msg)
        unknown = set(names) - {each.name for each in fields(Slots)}
        if unknown:
            msg = f"slots there are not: {sorted(unknown)}"
            raise ValueError(msg)
        return cls(longest, frozenset(names))

    def read(self, text: str, *, today: date) -> Reading:
        """Return what a letter names, each value with its place in the letter."""
        if len(text) > self.characters_max:
            return Reading(Slots(), (refusal("message_too_long"),))
        found = extract(text=text, today=today, payees=())
        named = {
            each.name: _of_document(getattr(found.slots, each.name))
            for each in fields(Slots)
            if each.name in self.names
        }
        return Reading(Slots(**named), _of_document(found.refusals))


def _of_document(value: Value) -> Value:
    """Return a value with every place in it marked as read from a document."""
    if isinstance(value, Span):
        return replace(value, source=Provenance.DOCUMENT)
    if isinstance(value, tuple):
        return tuple(map(_of_document, value))  # type: ignore[return-value]
    if is_dataclass(value) and not isinstance(value, type):
        parts = {each.name: _of_document(getattr(value, each.name)) for each in fields(value)}
        return replace(value, **parts)
    return value
