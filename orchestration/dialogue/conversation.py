"""A message in, a reply out: what the customer means decides; what they write is only data."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

import intelligence.public
from intelligence.public import Advice, Intent
from orchestration import journeys
from orchestration.dialogue import answering, answers, cards, drafts, invoices, several
from orchestration.dialogue.drafts import NOTHING, Draft
from orchestration.dialogue.replies import Reply, Voice
from orchestration.dialogue.requests import go_on
from orchestration.dialogue.turns import Turn
from orchestration.dialogue.waiting import open_plan, waiting_card
from orchestration.documents import Attachment
from orchestration.planning import making, running
from sentinel.vocabulary import Principal

SUGGESTIONS = ("Show my balance", "Send money", "Talk to a person")
# Words that name none of these say what a payment is for, and correct nothing of it.
_CORRECTABLE = frozenset({"amount", "payee", "iban", "date", "account_kind"})
_KEPT_ON_CORRECTION = ("fee", "end_to_end_id", "execution_date")


class OnlyForCustomers(PermissionError):
    """The conversation with the bank is for customers; employees have the workspace."""

    code = "only_for_customers"
    is_retryable = False

    def __init__(self, principal_id: str) -> None:
        super().__init__(principal_id)
        self.principal_id = principal_id


def handle_message(
    *,
    conversation_id: UUID,
    principal: Principal,
    text: str,
    attachments: Sequence[Attachment] = (),
    at: datetime,
    on_token: Callable[[str], None] | None = None,
) -> Reply:
    """Answer what a customer says; `on_token` gets the words of the reply as they are said.

    Raises:
        OnlyForCustomers: the principal is no customer.
        NotYourConversation: somebody else began this conversation.
    """
    customer_id = customer_of(principal)
    voice = Voice(on_token)
    with transaction.atomic():
        draft, number = drafts.lock_draft(conversation_id, principal.id)
        turn = Turn(conversation_id, principal, customer_id, number, at, voice, draft)
        _take(turn, text, attachments)
        running.follow(turn)
        drafts.keep_draft(conversation_id, turn.draft)
    return turn.reply()


def customer_of(principal: Principal) -> UUID:
    """Return the customer a principal is.

    Raises:
        OnlyForCustomers: it is none.
    """
    kind, _, party = principal.id.partition(":")
    if principal.kind != "customer" or kind != "customer":
        raise OnlyForCustomers(principal.id)
    return UUID(party)


def _take(turn: Turn, text: str, attachments: Sequence[Attachment]) -> None:
    waiting = waiting_card(turn)
    if waiting is None and turn.draft.instance_id is not None:
        turn.draft = NOTHING
    if not attachments and _take_several(turn, text, waiting):
        return
    meaning = _understood(turn, text, has_document=bool(attachments))
    if meaning is None:
        _not_understood(turn, "")
        return
    if attachments and meaning.intent in {Intent.PAY_DOCUMENT, Intent.PAY, Intent.OTHER}:
        invoices.pay_document(turn, attachments[0], meaning.slots)
        return
    _act(turn, meaning, waiting)


def _take_several(turn: Turn, text: str, waiting: cards.CardRow | None) -> bool:
    """Take a message of several parts: what is open first, then the rest; False when it is one."""
    said = several.said(turn, text)
    if said is None:
        return False
    _answer_open(turn, said, waiting)
    opened, is_open = turn.draft, several.is_open(turn)
    now, later = several.at_once(said.requests, is_open=is_open)
    for clause in now:
        meaning = _understood(turn, clause.text, is_plain=True)
        if meaning is not None:
            _act(turn, meaning, None)
        if is_open:
            # A question that is asked besides is answered on its own card.
            turn.draft = opened
    if later:
        making.propose_clauses(turn, later, "plan_kept" if is_open else "plan_proposed")
        if is_open:
            turn.draft = opened
    if said.is_unclear:
        turn.say("part_not_taken")
    return True


def _answer_open(turn: Turn, said: several.Said, waiting: cards.CardRow | None) -> None:
    match said.answer:
        case "cancel":
            _cancel(turn, waiting)
        case "correct":
            meaning = _understood(turn, said.words)
            if meaning is not None:
                _correct(turn, meaning, waiting)


def _understood(
    turn: Turn, text: str, *, has_document: bool = False, is_plain: bool = False
) -> intelligence.public.Understanding | None:
    """Return what words mean, by themselves or to what is open; None when nobody can tell."""
    dialogue = (
        intelligence.public.DialogueContext()
        if is_plain
        else several.context_of(turn, has_document=has_document)
    )
    try:
        return several.understood(turn, text, dialogue, several.payees_of(turn), record=True)
    except intelligence.public.NoModelAnswered:
        return None


def _act(
    turn: Turn, meaning: intelligence.public.Understanding, waiting: cards.CardRow | None
) -> None:
    match meaning.intent:
        case Intent.CONFIRM:
            _confirm(turn, waiting)
        case Intent.CANCEL:
            _cancel(turn, waiting)
        case Intent.CORRECT if waiting is None or not _is_reply(meaning, waiting):
            _correct(turn, meaning, waiting)
        case Intent.TALK_TO_PERSON:
            answers.hand_over(turn, _summary(turn))
        case Intent.PAY_DOCUMENT:
            turn.say("document_missing")
        case Intent.OTHER:
            _not_understood(turn, meaning.topic, meaning.refusals)
        case _ if waiting is not None and _is_reply(meaning, waiting):
            assert meaning.slots.purpose is not None
            answering.reply_by_words(turn, waiting, meaning.slots.purpose.value)
        case _:
            _request(turn, meaning)


def _is_reply(meaning: intelligence.public.Understanding, waiting: cards.CardRow) -> bool:
    """Tell whether a message answers the question of a flow, such as what a payment is for."""
    is_answer = (
        _CORRECTABLE.isdisjoint(meaning.slots.names())
        if meaning.intent is Intent.CORRECT
        else meaning.decided_by.startswith("rule:answers")
    )
    return waiting.card.kind == answering.REQUEST and is_answer and bool(meaning.slots.purpose)


def _request(turn: Turn, meaning: intelligence.public.Understanding) -> None:
    """Go on with a request, or begin one; nothing is begun on a guess."""
    _journey, request = journeys.requests()[meaning.intent.value]
    is_same = turn.draft.intent == meaning.intent.value
    if meaning.advice is Advice.NOT_UNDERSTOOD and not is_same:
        _not_understood(turn, meaning.topic, meaning.refusals)
        return
    if not is_same:
        turn.voice.say(request.opening)
    if request.read is not None:
        answers.answer_read(turn, request.read, meaning.slots)
        return
    for refused in meaning.refusals:
        turn.voice.say(refused.customer)
    if not is_same or turn.draft.instance_id is not None:
        turn.draft = NOTHING
    if meaning.refusals and _is_refused_for_good(meaning):
        turn.draft = _only_noted(turn, meaning)
        return
    go_on(turn, meaning.intent.value, meaning.slots)


def _is_refused_for_good(meaning: intelligence.public.Understanding) -> bool:
    """Tell whether a value was named that cannot be taken, so that the words are the answer."""
    return any(refused.code != "several_payees" for refused in meaning.refusals)


def _only_noted(turn: Turn, meaning: intelligence.public.Understanding) -> Draft:
    """Keep what could be read, and wait for the value that could not."""
    _journey, request = journeys.requests()[meaning.intent.value]
    filling = answering.filled_quietly(turn, request.slots, meaning.slots)
    slot = next(
        (name for name in request.slots if meaning.refusals[0].code.startswith(name)), "amount"
    )
    return replace(filling, intent=meaning.intent.value, awaiting=slot)


def _confirm(turn: Turn, waiting: cards.CardRow | None) -> None:
    waiting = waiting or open_plan(turn)
    if waiting is None:
        turn.say("nothing_to_confirm")
        turn.suggestions = SUGGESTIONS
        return
    answering.confirm_by_words(turn, waiting)


def _cancel(turn: Turn, waiting: cards.CardRow | None) -> None:
    if waiting is not None:
        answering.cancel_by_words(turn, waiting)
        return
    plan = open_plan(turn) if turn.draft.intent is None else None
    if plan is not None:
        answering.cancel_by_words(turn, plan)
        return
    if running.stop(turn):
        return
    turn.say("cancelled" if turn.draft.intent else "nothing_to_cancel")
    turn.draft = NOTHING


def _correct(
    turn: Turn, meaning: intelligence.public.Understanding, waiting: cards.CardRow | None
) -> None:
    """Take "no, 300": the payment shown is called off and put together anew."""
    if turn.draft.intent is None:
        turn.say("nothing_to_correct")
        turn.suggestions = SUGGESTIONS
        return
    for refused in meaning.refusals:
        turn.voice.say(refused.customer)
    if meaning.refusals:
        return
    if waiting is not None:
        answering.replace_by_words(turn, waiting)
    turn.draft = replace(turn.draft.without(*_KEPT_ON_CORRECTION), instance_id=None, awaiting=None)
    assert turn.draft.intent is not None
    go_on(turn, turn.draft.intent, meaning.slots)


def _not_understood(
    turn: Turn, topic: str, refusals: Sequence[intelligence.public.Refusal] = ()
) -> None:
    """Say so, and offer a person; a message that cannot be read says why."""
    turn.suggestions = SUGGESTIONS
    if refusals:
        for refused in refusals:
            turn.voice.say(refused.customer)
        return
    turn.say("not_possible_yet" if topic and "other" not in topic else "not_understood")


def _summary(turn: Turn) -> str:
    """Return what was spoken of, for the colleague; without the customer's own words."""
    if turn.draft.intent is None:
        return "The customer asked for a person."
    named = ", ".join(sorted(turn.draft.values)) or "nothing yet"
    return f"The customer was busy with {turn.draft.intent.replace('_', ' ')}; given: {named}."
