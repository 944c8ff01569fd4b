"""What a turn gives back, and the way it is put together."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from orchestration.dialogue.cards import Card


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer of a turn; `position` is what a screen must have reached to show its effect."""

    text: str
    cards: tuple[Card, ...] = ()
    case_id: UUID | None = None
    suggestions: tuple[str, ...] = ()
    position: str = ""


@dataclass(slots=True)
class Voice:
    """Collects the sentences of a turn and passes their words on as they are said."""

    on_token: Callable[[str], None] | None = None
    sentences: list[str] = field(default_factory=list)

    def say(self, sentence: str) -> None:
        """Say a sentence now."""
        if not sentence:
            return
        if self.on_token is not None:
            lead = " " if self.sentences else ""
            for index, word in enumerate(sentence.split(" ")):
                self.on_token(f"{lead if index == 0 else ' '}{word}")
        self.sentences.append(sentence)

    @property
    def text(self) -> str:
        """Return everything said in this turn."""
        return " ".join(self.sentences)
