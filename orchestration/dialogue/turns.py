"""One turn of a conversation: understood, answered, and kept, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID, uuid5

from orchestration import journeys
from orchestration.dialogue.cards import Card, NewCard, open_card
from orchestration.dialogue.drafts import NOTHING, Draft
from orchestration.dialogue.filling import Option, Speaker
from orchestration.dialogue.replies import Reply, Voice
from orchestration.wording import filled
from sentinel.vocabulary import Principal


@dataclass(slots=True)
class Turn:
    """The bench of one turn: who speaks, what is in the making, what was said and shown."""

    conversation_id: UUID
    principal: Principal
    customer_id: UUID
    number: int
    at: datetime
    voice: Voice
    draft: Draft = NOTHING
    cards: list[Card] = field(default_factory=list)
    suggestions: tuple[str, ...] = ()
    case_id: UUID | None = None
    position: str = ""

    @property
    def speaker(self) -> Speaker:
        """Return who speaks, with the message as the source of what they say."""
        return Speaker(self.customer_id, f"message:{self.conversation_id}:{self.number}", self.at)

    def new_id(self, *parts: object) -> UUID:
        """Return an id that belongs to this turn."""
        return uuid5(self.conversation_id, "|".join(map(str, (self.number, *parts))))

    def say(self, name: str, values: Mapping[str, object] | None = None) -> None:
        """Say one of the bank's sentences."""
        self.voice.say(filled(journeys.words(name), values or {}))

    def show(self, kind: str, details: Mapping[str, object], *, is_open: bool = False) -> None:
        """Show a card that this turn itself makes."""
        card = open_card(
            NewCard(
                id=self.new_id("card", kind, len(self.cards)),
                conversation_id=self.conversation_id,
                principal_id=self.principal.id,
                turn=self.number,
                kind=kind,
                details=details,
                at=self.at,
                state="open" if is_open else "done",
                case_id=self.case_id,
            )
        )
        self.cards.append(card)

    def choose(self, slot: str, question: str, options: Sequence[Option]) -> None:
        """Ask by a card with a few answers."""
        listed = [{"value": o.value, "label": o.label, "detail": o.detail} for o in options]
        details = {
            "question": question,
            "options": listed,
            "slot": slot,
            "intent": self.draft.intent,
        }
        self.draft = replace(self.draft, awaiting=slot)
        self.show("choice", details, is_open=True)

    def reply(self) -> Reply:
        """Return the answer of the turn."""
        return Reply(
            text=self.voice.text,
            cards=tuple(self.cards),
            case_id=self.case_id,
            suggestions=self.suggestions,
            position=self.position,
        )
