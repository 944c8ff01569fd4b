"""A customer's session with the bank: their conversation, message by message, card by card."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID, uuid4

import orchestration.public
from interaction.banking import holdings
from interaction.channels.groups import News, customer_group
from interaction.channels.web import Upload, cleaned_message, require_sent_id
from interaction.conversation import (
    Engine,
    Exchange,
    NewTurn,
    conversation,
    current_conversation,
    customer_of,
    note_reply,
)
from interaction.conversation import answer_card as answer_card_of
from interaction.conversation import receive_message as receive_clean_message
from interaction.delivery import send_news
from interaction.models import CUSTOMER
from interaction.payment_form import Choices, read_order
from interaction.widgets.money import spoken
from interaction.widgets.thread import Slip, Thread, case_slips, thread
from sentinel.vocabulary import Money, Principal


class SlipUnknown(LookupError):
    """This customer's conversation has no such card."""

    code = "slip_unknown"
    is_retryable = False

    def __init__(self, card_id: UUID) -> None:
        super().__init__(str(card_id))


def receive_message(
    *,
    principal: Principal,
    text: str,
    uploads: Sequence[Upload],
    sent_id: str,
    at: datetime,
    on_token: Callable[[str], None] | None = None,
) -> Exchange:
    """Take what a customer says in their current conversation, and answer it.

    Raises:
        MessageRefused: it cannot be taken; nothing was stored or done.
    """
    message = cleaned_message(text=text, uploads=uploads, sent_id=sent_id)
    exchange = receive_clean_message(
        principal=principal,
        conversation_id=current_conversation(principal=principal, at=at),
        message=message,
        at=at,
        on_token=on_token,
    )
    return _told(principal, exchange)


def current_thread(
    *, principal: Principal, at: datetime, engine: Engine = orchestration.public
) -> Thread:
    """Return the customer's current conversation as it is drawn, cards as they stand now."""
    conversation_id = current_conversation(principal=principal, at=at)
    return thread(
        conversation_id=conversation_id,
        turns=conversation(principal=principal, conversation_id=conversation_id),
        cards=engine.cards(conversation_id=conversation_id, principal=principal, at=at),
    )


def answer_card(
    *, principal: Principal, card_id: UUID, answer: Mapping[str, object], at: datetime
) -> Exchange:
    """Hand on what the customer answered on a card of their current conversation.

    Raises:
        SlipUnknown: the card is not one of theirs.
        CardAnswerRefused: the card does not take this answer; nothing has happened.
    """
    try:
        exchange = answer_card_of(
            principal=principal,
            conversation_id=current_conversation(principal=principal, at=at),
            card_id=card_id,
            answer=answer,
            at=at,
        )
    except orchestration.public.CardUnknown as error:
        raise SlipUnknown(card_id) from error
    return _told(principal, exchange)


def payment_slips(
    *, principal: Principal, card_id: UUID, at: datetime, engine: Engine = orchestration.public
) -> tuple[Slip, ...]:
    """Return a card and the others of its case as they stand; nothing where it is not theirs."""
    conversation_id = current_conversation(principal=principal, at=at)
    cards = engine.cards(conversation_id=conversation_id, principal=principal, at=at)
    return case_slips(cards, card_id=card_id)


def order_payment(
    *, principal: Principal, typed: Mapping[str, str], sent_id: str, at: datetime
) -> Exchange:
    """Begin the payment flow from the payment form; the same form sent twice begins one.

    Raises:
        FormRefused: a field is wrong; nothing was begun.
        MessageRefused: the form has no usable id; nothing was begun.
    """
    require_sent_id(sent_id)
    held = holdings(principal=principal, at=at)
    choices = Choices(held.accounts, held.payees, at.date(), reference=f"form:{sent_id}")
    order = read_order(typed=typed, choices=choices)
    conversation_id = current_conversation(principal=principal, at=at)
    asked = NewTurn(CUSTOMER, _order_words(order.parameters), at, sent_id)
    exchange = note_reply(
        principal=principal,
        conversation_id=conversation_id,
        asked=asked,
        at=at,
        answer=lambda: orchestration.public.start_payment(
            principal=principal,
            conversation_id=conversation_id,
            parameters=order.parameters,
            sources=order.sources,
            at=at,
        ),
    )
    return _told(principal, exchange)


def _order_words(parameters: Mapping[str, object]) -> str:
    amount = parameters["amount"]
    assert isinstance(amount, Mapping), "read_order makes it so"
    money = Money(int(amount["minor_units"]), str(amount["currency"]))
    return f"Pay {spoken(money)} to {parameters['creditor_name']} (payment form)"


def propose_plan(*, principal: Principal, plan: Mapping[str, object], at: datetime) -> UUID:
    """Show a plan given as JSON in the customer's current conversation; return its card.

    Raises:
        PlanRefused: it does not hold together, or a step would be refused; nothing was begun.
        OnlyForCustomers: the principal is no customer.
    """
    reply = orchestration.public.propose_plan(
        principal=principal,
        conversation_id=current_conversation(principal=principal, at=at),
        plan=plan,
        at=at,
    )
    return reply.cards[-1].id


def block_card(*, principal: Principal, card_id: UUID, sent_id: str, at: datetime) -> Exchange:
    """Begin blocking one of the customer's cards; it is confirmed on a card before it happens.

    Raises:
        SlipUnknown: the customer has no such card.
        MessageRefused: the form has no usable id; nothing was begun.
    """
    require_sent_id(sent_id)
    if card_id not in {each.id for each in holdings(principal=principal, at=at).cards}:
        raise SlipUnknown(card_id)
    conversation_id = current_conversation(principal=principal, at=at)
    asked = NewTurn(CUSTOMER, "Block my card", at, sent_id)
    exchange = note_reply(
        principal=principal,
        conversation_id=conversation_id,
        asked=asked,
        at=at,
        answer=lambda: orchestration.public.start_card_block(
            principal=principal, conversation_id=conversation_id, card_id=card_id, at=at
        ),
    )
    return _told(principal, exchange)


def _told(principal: Principal, exchange: Exchange) -> Exchange:
    """Tell the customer's other pages that the conversation went on."""
    group = customer_group(customer_of(principal))
    send_news((News(group, "conversation", str(exchange.conversation_id)),))
    return exchange


def new_sent_id() -> str:
    """Return an id for a form, so that sending it twice is sending it once."""
    return str(uuid4())
