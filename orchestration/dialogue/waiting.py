"""What waits for the customer in a conversation: the card of a flow, or a plan."""

from uuid import UUID

from orchestration.dialogue import cards
from orchestration.dialogue.cards import CardRow
from orchestration.dialogue.requests import AWAITED
from orchestration.dialogue.turns import Turn


def waiting_card(turn: Turn) -> CardRow | None:
    """Return the card on which what was asked for waits for the customer, if there is one."""
    if turn.draft.instance_id is None:
        return None
    waiting = cards.open_cards_of_instance(UUID(turn.draft.instance_id), turn.at)
    return next(
        (row for row in waiting if row.card.kind in AWAITED and row.card.state == "open"),
        None,
    )


def open_plan(turn: Turn) -> CardRow | None:
    """Return the plan that waits to be confirmed in this conversation, the latest if several do."""
    listed = cards.cards_of(
        conversation_id=turn.conversation_id, principal_id=turn.principal.id, at=turn.at
    )
    waiting = [row for row in listed if (row.card.kind, row.card.state) == ("plan", "open")]
    return waiting[-1] if waiting else None
