"""The second factor on a card: a code or a passkey, handed to Sentinel, which keeps count."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

import sentinel.public
from orchestration import journeys
from orchestration.core.events import Cancelled
from orchestration.dialogue import cards
from orchestration.dialogue.cards import CardRow
from orchestration.dialogue.replies import Reply
from orchestration.durable import engine, store
from orchestration.durable.faults import crash_point
from sentinel.vocabulary import Principal

CODE, PASSKEY = "code", "passkey"
_WORDS = {
    "wrong_factor": "wrong_code",
    "factor_reused": "code_used",
    "too_many_attempts": "code_too_often",
    "challenge_expired": "card_expired",
}


class CardAnswerRefused(ValueError):
    """The card does not take this answer; nothing has happened."""

    code = "card_answer_refused"
    is_retryable = False

    def __init__(self, card_id: str, words: str) -> None:
        super().__init__(card_id, words)
        self.card_id, self.words = card_id, words


def passkey_request(
    *, conversation_id: UUID, principal: Principal, card_id: UUID, origin: str, at: datetime
) -> Mapping[str, object]:
    """Return what the browser needs to have a passkey confirm the payment on a card.

    Raises:
        CardUnknown: there is no such card in this person's conversation.
        CardAnswerRefused: the card asks for no second factor, or not any more.
        sentinel.public.PasskeyUnknown: the person has no passkey for this site.
        sentinel.public.PasskeyRefused: the site can have no passkeys.
    """
    row = _read_card(conversation_id, principal, card_id, at)
    if row.reference is None or row.card.kind != "step_up" or row.card.state != "open":
        raise CardAnswerRefused(str(card_id), "This card takes no passkey.")
    return sentinel.public.step_up_options(
        challenge_id=row.reference, principal=principal, origin=origin
    )


def prove(
    conversation_id: UUID,
    principal: Principal,
    card_id: UUID,
    answer: Mapping[str, object],
    at: datetime,
) -> Reply | None:
    """Hand a code or a passkey's signature to Sentinel; return what to say if it is refused."""
    row = _read_card(conversation_id, principal, card_id, at)
    if row.reference is None or row.card.kind != "step_up":
        raise CardAnswerRefused(str(card_id), "This card takes no code.")
    if row.card.state != "open" or _is_satisfied(row.reference):
        return None
    try:
        _hand_over(row.reference, principal, answer, at)
    except sentinel.public.StepUpRefused as refused:
        # A second click, or another tab, may have given the right code meanwhile.
        if refused.code == "challenge_expired" or _is_satisfied(row.reference):
            return None
        said = _WORDS.get(refused.code, "wrong_code")
        if answer.get("answer") == PASSKEY and said == "wrong_code":
            said = "wrong_passkey"
        return _refused(row, said, refused, at)
    crash_point("after_step_up")
    return None


def _hand_over(
    challenge_id: UUID, principal: Principal, answer: Mapping[str, object], at: datetime
) -> None:
    response = answer.get("response")
    if answer.get("answer") == PASSKEY and isinstance(response, Mapping):
        sentinel.public.answer_step_up_with_passkey(
            challenge_id=challenge_id,
            principal=principal,
            answer=sentinel.public.PasskeyAnswer(response, str(answer.get("origin", ""))),
            at=at,
        )
        return
    sentinel.public.answer_step_up(
        challenge_id=challenge_id,
        principal=principal,
        code=str(answer.get("code", "")).strip(),
        at=at,
    )


def _is_satisfied(challenge_id: UUID) -> bool:
    return sentinel.public.challenge(challenge_id=challenge_id).is_satisfied


def _read_card(conversation_id: UUID, principal: Principal, card_id: UUID, at: datetime) -> CardRow:
    with transaction.atomic():
        return cards.lock_card(
            card_id=card_id, conversation_id=conversation_id, principal_id=principal.id, at=at
        )


def _refused(
    row: CardRow, said: str, refused: sentinel.public.StepUpRefused, at: datetime
) -> Reply:
    left = refused.attempts_left
    details = {**row.card.details, "attempts_left": left}
    is_over = refused.code == "too_many_attempts" or left <= 0
    with transaction.atomic():
        if row.instance_id is not None:
            store.lock_instance(row.instance_id, is_waiting=True)
        cards.settle_card(row.card.id, state="expired" if is_over else "open", details=details)
        if is_over and row.instance_id is not None:
            _call_off(row, at)
    state = "expired" if is_over else "open"
    card = replace(row.card, details=details, state=state)
    return Reply(journeys.words(said), (card,), row.card.case_id)


def _call_off(row: CardRow, at: datetime) -> None:
    """End the flow of a card whose customer could not or would not go on."""
    assert row.instance_id is not None
    reason = "step_up_failed"
    engine.answer(
        instance_id=row.instance_id,
        message_id=uuid5(row.card.id, reason),
        event=Cancelled(reason, cancelled_by=row.principal_id),
        at=at,
    )
