"""Draft an answer from prepared sentences and given facts; nothing else can come into it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

FORMAT: Final = "letter-templates/1"
_PLACE: Final = re.compile(r"\{([a-z_]+)\}")
# A place within a given fact is data: it is put in once and never read again.


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted answer, the facts in it, and those it lacked; without all of them it is empty."""

    text: str
    used: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LetterWriter:
    """Prepared answers by language and by what the letter asks."""

    templates: Mapping[str, Mapping[str, str]]

    @classmethod
    def from_artefact(cls, card: Mapping[str, object]) -> Self:
        """Return the writer of a checked artefact.

        Raises:
            ValueError: the artefact is of another format, or a sentence holds an amount of its own.
        """
        if card.get("format") != FORMAT:
            msg = f"not a {FORMAT} artefact: {card.get('format')!r}"
            raise ValueError(msg)
        given = card["templates"]
        if not isinstance(given, dict):
            msg = "templates stand by language"
            raise ValueError(msg)
        templates = {str(language): _sentences(each) for language, each in given.items()}
        return cls(templates)

    def draft(self, *, label: str, language: str, facts: Mapping[str, str]) -> Draft:
        """Return an answer in the language of the letter; empty when none is prepared."""
        template = self.templates.get(language, {}).get(label)
        if template is None:
            return Draft("", (), ("template",))
        wanted = tuple(dict.fromkeys(_PLACE.findall(template)))
        missing = tuple(name for name in wanted if not facts.get(name))
        if missing:
            return Draft("", (), missing)
        return Draft(_PLACE.sub(lambda place: facts[place[1]], template), wanted, ())


def _sentences(given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        msg = "templates of a language stand by what the letter asks"
        raise ValueError(msg)
    for label, text in given.items():
        if not isinstance(text, str) or any(character.isdigit() for character in text):
            msg = f"the template {label!r} is no text, or states a number nobody gave"
            raise ValueError(msg)
    return {str(label): text for label, text in given.items()}
