"""What channels call: a message, an answer, a form, a card to block, and what there is to show."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

from orchestration.dialogue import answering, cards, drafts, payments
from orchestration.dialogue.conversation import customer_of
from orchestration.dialogue.drafts import Draft
from orchestration.dialogue.filling import Speaker
from orchestration.dialogue.replies import Reply, Voice
from orchestration.dialogue.requests import go_on
from orchestration.dialogue.turns import Turn
from orchestration.planning import making
from sentinel.vocabulary import Principal, Provenance, Source


def answer_card(
    *,
    conversation_id: UUID,
    principal: Principal,
    card_id: UUID,
    answer: Mapping[str, object],
    at: datetime,
) -> Reply:
    """Take the answer to a card; repeating it gives the same reply and changes nothing.

    Raises:
        OnlyForCustomers: the principal is no customer.
        CardUnknown: there is no such card in this person's conversation.
        CardAnswerRefused: the card does not take this answer.
    """
    return answering.answer_card(
        conversation_id=conversation_id,
        principal=principal,
        customer_id=customer_of(principal),
        card_id=card_id,
        answer=answer,
        at=at,
    )


def cards_of(
    *, conversation_id: UUID, principal: Principal, at: datetime
) -> tuple[cards.Card, ...]:
    """Return every card of a conversation as it stands, oldest first."""
    listed = cards.cards_of(conversation_id=conversation_id, principal_id=principal.id, at=at)
    return tuple(row.card for row in listed)


def start_payment(
    *,
    principal: Principal,
    conversation_id: UUID | None,
    parameters: Mapping[str, object],
    sources: Mapping[str, Source],
    at: datetime,
) -> Reply:
    """Begin a payment from a form: the same flow as in the chat, asked for all at once.

    `parameters` are creditor_name, creditor_iban, amount and, if given, remittance, execution_date
    and debtor_account_id.

    Raises:
        OnlyForCustomers: the principal is no customer.
    """
    draft = Draft(intent="pay")
    for name, value in parameters.items():
        draft = draft.with_value(name, value, sources[name])
    return _begin(principal, conversation_id, draft, "pay", at)


def start_card_block(
    *, principal: Principal, conversation_id: UUID | None, card_id: UUID, at: datetime
) -> Reply:
    """Block one of the customer's cards, chosen on a screen.

    Raises:
        OnlyForCustomers: the principal is no customer.
    """
    conversation = conversation_id or _own_conversation(principal)
    source = Speaker(customer_of(principal), f"screen:{conversation}", at).selected
    draft = Draft(intent="card_block").with_value("card_id", str(card_id), source)
    return _begin(principal, conversation, draft, "card_block", at)


def propose_plan(
    *,
    principal: Principal,
    conversation_id: UUID | None,
    plan: Mapping[str, object],
    at: datetime,
) -> Reply:
    """Check a plan given as JSON and show it to its customer, who confirms it in the chat.

    Raises:
        OnlyForCustomers: the principal is no customer.
        PlanRefused: it does not hold together, or a step would be refused; `faults` say where.
    """
    conversation = conversation_id or _own_conversation(principal)
    with transaction.atomic():
        draft, number = drafts.lock_draft(conversation, principal.id)
        turn = Turn(conversation, principal, customer_of(principal), number, at, Voice(), draft)
        # A program of the customer's wrote it: every step is shown and confirmed once more.
        origin = Source(Provenance.CUSTOMER_TYPED, f"plan:{turn.new_id('plan')}")
        making.propose(turn, making.tasks_of_json(plan, origin))
        cards.tell_changed(conversation, turn.customer_id, None, at)
    return turn.reply()


def payments_of(
    *, principal: Principal, limit: int = 50, at: datetime
) -> tuple[payments.PaymentView, ...]:
    """Return the payments a customer asked for, newest first.

    Raises:
        OnlyForCustomers: the principal is no customer.
    """
    return payments.payments_of(customer_id=customer_of(principal), limit=limit, at=at)


def _begin(
    principal: Principal, conversation_id: UUID | None, draft: Draft, intent: str, at: datetime
) -> Reply:
    conversation = conversation_id or _own_conversation(principal)
    with transaction.atomic():
        _earlier, number = drafts.lock_draft(conversation, principal.id)
        turn = Turn(conversation, principal, customer_of(principal), number, at, Voice(), draft)
        go_on(turn, intent)
        drafts.keep_draft(conversation, turn.draft)
    return turn.reply()


def _own_conversation(principal: Principal) -> UUID:
    """Return the conversation of a customer's forms, when they come without one."""
    return uuid5(customer_of(principal), "forms")
