"""The workbench of one commit: an instance locked, moved from event to event, then written."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid5

from orchestration import cases, feed
from orchestration.core.advance import advance
from orchestration.core.commands import CallService, Command
from orchestration.core.events import Event
from orchestration.core.history import Entry
from orchestration.core.state import InstanceState, Wait
from orchestration.core.step import Step
from orchestration.dialogue.cards import Card, NewCard, open_card, tell_changed
from orchestration.durable.definitions import PublishedFlow
from orchestration.durable.progress import Progress
from orchestration.durable.starting import need_case
from orchestration.durable.store import HistoryRow, InstanceRow
from orchestration.durable.undoing import COMPENSATION_PURPOSE, compensating, is_undoing
from orchestration.plain import plain_mapping
from orchestration.spoken import keep_words
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


def context_of(
    row: InstanceRow,
    flow: PublishedFlow,
    principal: Principal,
    node: str,
    visit: int,
    at: datetime,
) -> StepContext:
    """Return where one visit of a node stands; what undoes another acts for the bank itself."""
    undoes = is_undoing(flow.definition, node)
    return StepContext(
        instance_id=row.id,
        node=node,
        visit=visit,
        case_id=row.case_id,
        customer_id=row.customer_id,
        principal=compensating() if undoes else principal,
        purpose=COMPENSATION_PURPOSE if undoes else flow.content.purpose,
        at=at,
        reasons_first=tuple(flow.content.reasons_first),
        is_compensation=undoes,
    )


@dataclass(slots=True)
class Run:
    """One instance on the bench; nothing is written before the end but what steps do.

    `fence` is the claim of a worker, None for one who holds the row's lock. With `is_stepwise`
    every call is a commit of its own, and waits in `asked` until the one before is written; `made`
    counts what was written so far. `has_left_traces` says that something must be cleared away at
    the end, `is_bare` that nothing had to be when the run began.

    A run that `may_part` leaves calls of several branches to whoever claims them: `apart` counts
    those nobody was told of yet, and `has_parted` says that others may be under way.
    """

    row: InstanceRow
    flow: PublishedFlow
    principal: Principal
    at: datetime
    listener: Listener | None
    state: InstanceState
    rev: int = 0
    fence: int | None = None
    is_stepwise: bool = False
    lines: list[HistoryRow] = field(default_factory=list)
    queue: deque[Event] = field(default_factory=deque)
    asked: deque[CallService] = field(default_factory=deque)
    taken: list[int] = field(default_factory=list)
    rung: dict[UUID, None] = field(default_factory=dict)
    end_node: str | None = None
    is_cut_short: bool = False
    timers_fired: int = 0
    made: int = 0
    has_left_traces: bool = False
    is_bare: bool = False
    may_part: bool = False
    apart: int = 0
    has_parted: bool = False

    def take(self, event: Event) -> tuple[tuple[Command, ...], tuple[Entry, ...]]:
        """Move the instance by one event and return what is to be done and what happened."""
        step = advance(
            self.flow.definition, self.state, event, at=self.at, decisions=self.flow.decisions
        )
        self.note_step(event, step)
        return step.commands, step.history

    def note_step(self, event: Event, step: Step) -> None:
        """Write down what an event led to, as the next line of history."""
        ignored = step.ignored.reason if step.ignored else None
        seq = self.rev + len(self.lines)
        self.lines.append(HistoryRow(seq, event, step.history, ignored, self.at))
        self.state = step.state

    def progress(self) -> Progress:
        """Return what is to be written of this run."""
        moves = self.row.moves + len(self.lines) if self.is_cut_short else 0
        return Progress(
            instance_id=self.row.id,
            rev=self.rev,
            state=self.state,
            lines=self.lines,
            taken=self.taken,
            end_node=self.end_node,
            due_at=self.due_at,
            fence=self.fence,
            moves=moves,
            is_in_hand=bool(self.asked),
        )

    @property
    def due_at(self) -> datetime | None:
        """Return when the state next has something to do, None when something must come in."""
        if self.state.is_ended:
            return None
        if self.is_cut_short or self._may_lack_calls():
            return self.at
        return min((timer.due_at for timer in self.state.timers), default=None)

    def _may_lack_calls(self) -> bool:
        """Tell whether calls may be asked for that only a worker would find in the history."""
        is_foreign = self.flow.content.commit == "step" and self.fence is None
        return is_foreign and any(each.wait is Wait.SERVICE for each in self.state.tokens)

    @property
    def has_own_case(self) -> bool:
        """Tell whether the case was opened for this instance, and ends with it."""
        return self.row.case_id == uuid5(self.row.id, "case")

    @property
    def values(self) -> Mapping[str, object]:
        """Return the variables as plain values, for sentences and cards."""
        return plain_mapping(self.state.variables)

    def context(self, node: str, visit: int) -> StepContext:
        """Return where one visit of a node stands."""
        return context_of(self.row, self.flow, self.principal, node, visit, self.at)

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

    def need_case(self) -> None:
        """See that there is a case before anybody is asked to look at this instance."""
        need_case(self.row, self.flow, self.values, self.at)

    @property
    def customer_principal(self) -> str:
        """Return as whom the customer is asked: whoever began it, or whom it is about."""
        is_theirs = self.principal.kind == "customer" or self.row.customer_id is None
        return self.principal.id if is_theirs else f"customer:{self.row.customer_id}"

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
        spoken_id = keep_words(words=text, conversation_id=conversation, customer_id=customer)
        if spoken_id is None:
            return
        feed.publish(
            event_type="conversation.reply",
            subject=str(conversation),
            payload={
                "spoken_id": str(spoken_id),
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
