"""Answers to cards: confirm, cancel, a code, a choice. Each is taken once, whoever repeats it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

import intelligence.public
import sentinel.public
from orchestration import cases, journeys
from orchestration.core.events import Cancelled, UserTaskCompleted
from orchestration.dialogue import cards, drafts, proving
from orchestration.dialogue.cards import CardRow
from orchestration.dialogue.drafts import NOTHING, Draft
from orchestration.dialogue.filling import (
    REMITTANCE_LENGTH_MAX,
    fill,
    printable,
    with_payee,
)
from orchestration.dialogue.proving import CardAnswerRefused
from orchestration.dialogue.replies import Reply, Voice
from orchestration.dialogue.requests import as_it_waits, go_on, hear
from orchestration.dialogue.turns import Turn
from orchestration.durable import calls, engine
from orchestration.durable.run import Listener
from orchestration.journeys import Slot
from orchestration.plain import feel_mapping
from orchestration.planning import running
from orchestration.worklist import persons
from sentinel.vocabulary import Principal, Provenance, Source

CONFIRM, CANCEL, CHOOSE = "confirm", "cancel", "choose"
REQUEST = "request"
REPLY_LENGTH_MAX = 500


def answer_card(
    *,
    conversation_id: UUID,
    principal: Principal,
    customer_id: UUID,
    card_id: UUID,
    answer: Mapping[str, object],
    at: datetime,
) -> Reply:
    """Take the answer to a card; repeating it gives the same reply and changes nothing.

    Raises:
        CardUnknown: there is no such card in this person's conversation.
        CardAnswerRefused: the card does not take this answer.
    """
    if answer.get("answer") in {proving.CODE, proving.PASSKEY}:
        refusal = proving.prove(conversation_id, principal, card_id, answer, at)
        if refusal is not None:
            return refusal
    with transaction.atomic():
        draft, number = drafts.lock_draft(conversation_id, principal.id)
        turn = Turn(conversation_id, principal, customer_id, number, at, Voice(), draft)
        row = cards.lock_card(
            card_id=card_id, conversation_id=conversation_id, principal_id=principal.id, at=at
        )
        _settle(turn, row, answer)
        running.follow(turn)
        drafts.keep_draft(conversation_id, turn.draft)
    return turn.reply()


def _settle(turn: Turn, row: CardRow, answer: Mapping[str, object]) -> None:
    if row.reply is not None:
        turn.voice.say(row.reply)
        turn.cards = [row.card]
        turn.case_id = row.card.case_id
        return
    if _is_late_code(row, turn.at):
        _ask_again(turn, row)
        return
    if row.card.state != "open":
        turn.say("card_expired" if row.card.state == "expired" else "card_closed")
        turn.cards = [row.card]
        return
    if row.card.kind == "plan":
        _settle_plan(turn, row, answer)
        return
    _take(turn, row, answer)
    reply = turn.voice.text
    state = "answered" if answer.get("answer") != CANCEL else "cancelled"
    cards.settle_card(row.card.id, state=state, reply=reply, details=None)
    turn.cards.insert(0, replace(row.card, state=state))


def _take(turn: Turn, row: CardRow, answer: Mapping[str, object]) -> None:
    """Do what the answer to an open card asks for."""
    match answer.get("answer"), row.card.kind:
        case (("code" | "passkey"), "step_up"):
            _wake(turn, row)
        case "cancel", "step_up":
            _stop(turn, row)
        case "reply", "request":
            _reply(turn, row, answer)
        case ("confirm" | "cancel") as word, kind if kind not in {"choice", "step_up", REQUEST}:
            _complete(turn, row, str(word))
        case "choose", "choice":
            _choose(turn, row, str(answer.get("value")))
        case _:
            raise CardAnswerRefused(str(row.card.id), "This card does not take that answer.")


def _settle_plan(turn: Turn, row: CardRow, answer: Mapping[str, object]) -> None:
    """Take the answer to a plan; taking a step out leaves its card open, and settles nothing."""
    match answer.get("answer"):
        case "confirm":
            state = "answered"
            running.confirm(turn, row.card.id)
        case "cancel":
            state = "cancelled"
            running.call_off(turn, row.card.id)
        case "remove":
            if not running.remove(turn, row.card.id, str(answer.get("value"))):
                raise CardAnswerRefused(str(row.card.id), "That step cannot be taken out.")
            state = "open"
        case _:
            raise CardAnswerRefused(str(row.card.id), "This card does not take that answer.")
    details = running.shown(row.card.id)
    state = running.card_state(row.card.id, state)
    # What may be answered again was not answered yet.
    reply = None if state == "open" else turn.voice.text
    cards.settle_card(row.card.id, state=state, reply=reply, details=details)
    turn.cards.insert(0, replace(row.card, state=state, details=details))


def _is_late_code(row: CardRow, at: datetime) -> bool:
    """Tell whether a code was asked for so long ago that it must be asked for anew."""
    if row.card.kind != "step_up" or row.reference is None:
        return False
    if row.card.state == "expired":
        return row.reply is None
    challenge = sentinel.public.challenge(challenge_id=row.reference)
    return row.card.state == "open" and challenge.expires_at <= at and not challenge.is_satisfied


def _ask_again(turn: Turn, row: CardRow) -> None:
    """Put the payment to Sentinel anew, which asks for a new code if it is still to be made."""
    turn.say("code_late")
    cards.settle_card(row.card.id, state="expired", reply=None, details=None)
    _wake(turn, row)


def _complete(turn: Turn, row: CardRow, word: str) -> None:
    """Give the flow the customer's answer, with the card as they saw it."""
    assert row.instance_id is not None
    assert row.token is not None
    output = {
        "answer": word,
        "card": dict(row.card.details),
        "reference": str(row.card.id),
        "at": turn.at.isoformat(),
    }
    if word == CONFIRM:
        _note_warnings(turn, row)
    event = UserTaskCompleted(row.token, feel_mapping(output), completed_by=turn.principal.id)
    _deliver(turn, row.instance_id, uuid5(row.card.id, "answer"), event)
    _let_go(turn, row)


def _reply(turn: Turn, row: CardRow, answer: Mapping[str, object]) -> None:
    """Give the flow what the customer wrote, and which of the answers offered they chose."""
    assert row.instance_id is not None
    assert row.token is not None
    text, value = str(answer.get("text", "")).strip(), str(answer.get("value", ""))
    offered = row.card.details.get("options")
    labels = {str(each["value"]): str(each["label"]) for each in offered or ()}  # type: ignore[attr-defined]  # made by the drawing
    if not text or len(text) > REPLY_LENGTH_MAX:
        raise CardAnswerRefused(str(row.card.id), "Please write a few words, at most 500 letters.")
    if labels and value not in labels:
        raise CardAnswerRefused(str(row.card.id), "That is not one of the answers.")
    output = {
        "text": text,
        "value": value,
        "words": f"{labels[value]}: {text}" if labels else text,
        "reference": str(row.card.id),
        "at": turn.at.isoformat(),
    }
    if row.card.case_id is not None:
        said = f"The customer answered: {output['words']}"
        note = cases.Note(turn.at, turn.principal.id, "answered", said, str(row.card.id))
        cases.add_note(row.card.case_id, note)
    event = UserTaskCompleted(row.token, feel_mapping(output), completed_by=turn.principal.id)
    _deliver(turn, row.instance_id, uuid5(row.card.id, "answer"), event)
    if turn.draft.instance_id == str(row.instance_id):
        purpose = printable(text)[:REMITTANCE_LENGTH_MAX]
        given = Source(Provenance.CUSTOMER_TYPED, f"card:{row.card.id}")
        draft = turn.draft.with_value("purpose", purpose, given)
        turn.draft = as_it_waits(draft, row.instance_id, turn.cards)
    if not turn.voice.text:
        turn.say("request_answered")


def _note_warnings(turn: Turn, row: CardRow) -> None:
    """Write into the case what the customer was warned of and confirmed all the same."""
    warnings = row.card.details.get("warnings")
    if not isinstance(warnings, list) or not warnings or row.card.case_id is None:
        return
    words = f"Confirmed by the customer, who was told: {' '.join(map(str, warnings))}"
    note = cases.Note(turn.at, turn.principal.id, "warned", words, str(row.card.id))
    cases.add_note(row.card.case_id, note)


def _deliver(
    turn: Turn, instance_id: UUID, message_id: UUID, event: UserTaskCompleted | Cancelled
) -> None:
    listener = Listener(turn.conversation_id, turn.number)
    persons.note(turn.principal)
    engine.answer(
        instance_id=instance_id,
        message_id=message_id,
        event=event,
        at=turn.at,
        listener=listener,
    )
    hear(turn, listener)


def _wake(turn: Turn, row: CardRow) -> None:
    """Let the step that waited for the code be tried again."""
    assert row.instance_id is not None
    assert row.reference is not None
    calls.wake_parked(row.instance_id, row.reference)
    listener = Listener(turn.conversation_id, turn.number)
    engine.move(row.instance_id, at=turn.at, is_waiting=True, listener=listener)
    hear(turn, listener)


def _stop(turn: Turn, row: CardRow) -> None:
    assert row.instance_id is not None
    event = Cancelled("cancelled_by_customer", cancelled_by=turn.principal.id)
    _deliver(turn, row.instance_id, uuid5(row.card.id, "stop"), event)
    turn.say("cancelled")
    _let_go(turn, row)


def _let_go(turn: Turn, row: CardRow) -> None:
    """Be done with what a card was about; another request in the making stays."""
    if turn.draft.instance_id in {None, str(row.instance_id)} and not _is_asking(turn.draft):
        turn.draft = NOTHING


def _is_asking(draft: Draft) -> bool:
    return draft.instance_id is None and draft.awaiting is not None


def _choose(turn: Turn, row: CardRow, value: str) -> None:
    options = row.card.details.get("options")
    assert isinstance(options, list)
    if value not in {str(option["value"]) for option in options}:
        raise CardAnswerRefused(str(row.card.id), "That is not one of the answers.")
    name = str(row.card.details["slot"])
    intent = str(row.card.details.get("intent") or turn.draft.intent or "")
    # What was asked about something else since then stays as it is.
    other = turn.draft if turn.draft.intent not in {None, intent} else NOTHING
    if not intent or value == "none":
        turn.say("cancelled" if value == "none" else "card_closed")
        turn.draft = other
        return
    _journey, request = journeys.requests()[intent]
    draft = turn.draft if other == NOTHING else Draft(intent=intent)
    turn.draft = replace(_chosen(turn, draft, name, request.slots[name], value), awaiting=None)
    go_on(turn, intent)
    if turn.draft == NOTHING:
        turn.draft = other


def _chosen(turn: Turn, draft: Draft, name: str, slot: Slot, value: str) -> Draft:
    if slot.type == "payee":
        return with_payee(draft, slot, UUID(value), turn.speaker)
    target = slot.fills.get(name) or next(iter(slot.fills.values()))
    return draft.with_value(target, value, turn.speaker.selected)


def filled_quietly(
    turn: Turn, slots: Mapping[str, Slot], named: intelligence.public.Slots
) -> Draft:
    """Return the draft with what could be read, without asking anything."""
    return fill(slots, named, turn.draft, turn.speaker).draft


def confirm_by_words(turn: Turn, row: CardRow) -> None:
    """Take "yes" as the answer to the card that waits; a question is asked once more."""
    if row.card.kind == REQUEST:
        turn.voice.say(str(row.card.details["question"]))
        return
    _settle(turn, row, {"answer": CONFIRM})


def cancel_by_words(turn: Turn, row: CardRow) -> None:
    """Take "stop" as the answer to the card that waits; a question ends with what it is about."""
    if row.card.kind == REQUEST:
        _stop(turn, row)
        cards.settle_card(row.card.id, state="cancelled", details=None)
        return
    _settle(turn, row, {"answer": CANCEL})


def reply_by_words(turn: Turn, row: CardRow, words: str) -> None:
    """Take what the customer writes as the answer to the question that waits."""
    _settle(turn, row, {"answer": "reply", "text": words})


def replace_by_words(turn: Turn, row: CardRow) -> None:
    """Call off what is shown, because the customer wants it differently."""
    assert row.instance_id is not None
    event = Cancelled("replaced_by_customer", cancelled_by=turn.principal.id)
    engine.answer(
        instance_id=row.instance_id,
        message_id=uuid5(row.card.id, "replaced"),
        event=event,
        at=turn.at,
    )
    cards.settle_card(row.card.id, state="cancelled", details=None)
