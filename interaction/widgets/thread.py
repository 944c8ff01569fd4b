"""A conversation as it is drawn: each card once, where it was last spoken of. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orchestration.public
from interaction.conversation import TURNS_SHOWN, Said

KINDS = frozenset(
    {
        "confirm_payment",
        "step_up",
        "receipt",
        "balance",
        "spending",
        "payment_status",
        "card_blocked",
        "choice",
        "refusal",
        "handoff",
        "request",
        "plan",
    }
)


@dataclass(frozen=True, slots=True)
class Slip:
    """A card as it stands now; `is_open` cards can be answered."""

    id: UUID
    kind: str
    state: str
    is_open: bool
    details: Mapping[str, object]
    expires_at: datetime | None
    case_id: UUID | None

    @property
    def template(self) -> str:
        """The template that draws it."""
        return f"interaction/cards/{self.kind}.html"


@dataclass(frozen=True, slots=True)
class Entry:
    """A turn with its cards; cards that no turn speaks of stand alone."""

    said: Said | None
    slips: tuple[Slip, ...]


@dataclass(frozen=True, slots=True)
class Thread:
    """A conversation: its turns in order, and what the customer might say next."""

    conversation_id: UUID
    entries: tuple[Entry, ...]
    suggestions: tuple[str, ...]


def slip(card: orchestration.public.Card) -> Slip:
    """Return a card as it is drawn."""
    return Slip(
        id=card.id,
        kind=card.kind,
        state=card.state,
        is_open=card.state == "open",
        details=card.details,
        expires_at=card.expires_at,
        case_id=card.case_id,
    )


def thread(
    *,
    conversation_id: UUID,
    turns: Sequence[Said],
    cards: Sequence[orchestration.public.Card],
) -> Thread:
    """Return the conversation as it is drawn; a kind of card nobody can draw is left out."""
    known = {card.id: slip(card) for card in cards if card.kind in KINDS}
    place = _places(turns, known)
    entries = [
        Entry(
            turn, tuple(known[each] for each in turn.card_ids if _is_here(each, turn, place, known))
        )
        for turn in turns
    ]
    # In a long conversation an answered card belongs to a turn that is no longer shown.
    is_whole = len(turns) < TURNS_SHOWN
    unspoken = tuple(
        each
        for card_id, each in known.items()
        if card_id not in place and (each.is_open or is_whole)
    )
    if unspoken:
        entries.append(Entry(None, unspoken))
    last = turns[-1] if turns else None
    return Thread(conversation_id, tuple(entries), last.suggestions if last else ())


def _places(turns: Sequence[Said], known: Mapping[UUID, Slip]) -> dict[UUID, UUID]:
    """Return the turn at which each card is drawn: an open one where it was spoken of last.

    A wrong code speaks of its card again, and the card moves down to it; once it is answered it
    stays where it came first, so that what was said since reads in order.
    """
    place: dict[UUID, UUID] = {}
    for turn in turns:
        for card_id in turn.card_ids:
            is_open = card_id in known and known[card_id].is_open
            if is_open or card_id not in place:
                place[card_id] = turn.id
    return place


def _is_here(
    card_id: UUID, turn: Said, place: Mapping[UUID, UUID], known: Mapping[UUID, Slip]
) -> bool:
    return card_id in known and place[card_id] == turn.id


def case_slips(cards: Sequence[orchestration.public.Card], *, card_id: UUID) -> tuple[Slip, ...]:
    """Return a card and the others of its case, in order; nothing where there is no such card."""
    wanted = next((each for each in cards if each.id == card_id), None)
    if wanted is None:
        return ()
    return tuple(
        slip(each)
        for each in cards
        if each.kind in KINDS
        and (each.id == card_id or (each.case_id is not None and each.case_id == wanted.case_id))
    )
