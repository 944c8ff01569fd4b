"""The workbench of one commit: an instance locked, moved from event to event, then written."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

from orchestration import cases, feed
from orchestration.core.advance import advance
from orchestration.core.commands import Command
from orchestration.core.events import Event
from orchestration.core.history import Entry
from orchestration.core.state import InstanceState
from orchestration.dialogue.cards import Card, NewCard, open_card, tell_changed
from orchestration.durable.definitions import PublishedFlow
from orchestration.durable.store import HistoryRow, InstanceRow
from orchestration.plain import plain_mapping
from orchestration.step_results import StepContext
from orchestration.wording import filled
from sentinel.vocabulary import Principal


@dataclass(slots=True)
class Listener:
    """Somebody who waits for the answer of a conversation and hears what is said at once."""

    conversation_id: UUID
    turn: int
    sentences: list[str] = field(default_factory=list)
    cards: list[Card] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """One instance on the bench; nothing is written before the end but what steps do."""

    row: InstanceRow
    flow: PublishedFlow
    principal: Principal
    at: datetime
    listener: Listener | None
    state: InstanceState
    lines: list[HistoryRow] = field(default_factory=list)
    queue: deque[Event] = field(default_factory=deque)
    end_node: str | None = None

    def take(self, event: Event) -> tuple[tuple[Command, ...], tuple[Entry, ...]]:
        """Move the instance by one event and return what is to be done and what happened."""
        step = advance(
            self.flow.definition, self.state, event, at=self.at, decisions=self.flow.decisions
        )
        ignored = step.ignored.reason if step.ignored else None
        seq = self.row.rev + len(self.lines)
        self.lines.append(HistoryRow(seq, event, step.history, ignored, self.at))
        self.state = step.state
        return step.commands, step.history

    @property
    def values(self) -> Mapping[str, object]:
        """Return the variables as plain values, for sentences and cards."""
        return plain_mapping(self.state.variables)

    def context(self, node: str, visit: int) -> StepContext:
        """Return where one visit of a node stands."""
        return StepContext(
            instance_id=self.row.id,
            node=node,
            visit=visit,
            case_id=self.row.case_id,
            customer_id=self.row.customer_id,
            principal=self.principal,
            purpose=self.flow.content.purpose,
            at=self.at,
            reasons_first=tuple(self.flow.content.reasons_first),
        )

    def new_id(self, *parts: object) -> UUID:
        """Return an id that is the same whenever this instance makes it for the same thing."""
        return uuid5(self.row.id, "|".join(str(part) for part in parts))

    def filled(self, sentence: str) -> str:
        """Return a sentence of the journey, filled from the variables."""
        return filled(sentence, self.values)

    def titled(self, sentence: str) -> str:
        """Return a sentence about the request, such as "Approve: {title}"."""
        title = filled(self.flow.content.title, self.values)
        return filled(sentence, {"title": title})

    def say(self, sentence: str, extra: Mapping[str, object] | None = None) -> None:
        """Say something to the customer: at once if they wait, or through the feed."""
        if not sentence:
            return
        text = filled(sentence, {**self.values, **(extra or {})})
        conversation = self.row.conversation_id
        if conversation is None:
            return
        if self.listener is not None and self.listener.conversation_id == conversation:
            self.listener.sentences.append(text)
            return
        customer = self.row.customer_id
        feed.publish(
            event_type="conversation.reply",
            subject=str(conversation),
            payload={
                "text": text,
                "case_id": str(self.row.case_id),
                "customer_id": str(customer) if customer else None,
            },
            at=self.at,
        )

    def show(self, card: NewCard) -> None:
        """Show a card: with the answer to whoever waits, or through the feed."""
        shown = open_card(card)
        if self.listener is not None and self.listener.conversation_id == card.conversation_id:
            self.listener.cards.append(shown)
            return
        self.cards_changed()

    def cards_changed(self) -> None:
        """Tell the feed that cards of the conversation look different now."""
        if self.row.conversation_id is not None:
            tell_changed(self.row.conversation_id, self.row.customer_id, self.row.case_id, self.at)

    def note(self, kind: str, words: str, *, actor: str = "system", reference: str = "") -> None:
        """Write a line into the history of the case."""
        line = cases.Note(self.at, actor, kind, words, reference)
        cases.add_note(self.row.case_id, line)
