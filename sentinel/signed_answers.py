"""Answers to a challenge that are given with a passkey instead of a code."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from sentinel.passkeys import (
    PasskeyAnswer,
    PasskeyRefused,
    PasskeyUnknown,
    request_options,
    require_signature,
    signing_challenge,
)
from sentinel.step_up import (
    PASSKEY,
    ChallengeRow,
    StepUpAnswer,
    StepUpRefused,
    challenge_row,
    keep_wrong,
    refusal_of,
    satisfy,
)
from sentinel.vocabulary import Principal

STEP_UP = "step-up"
CONFIRM = "confirm"


def step_up_options(
    *, challenge_id: UUID, principal: Principal, origin: str
) -> Mapping[str, object]:
    """Return what the browser needs to have a person's passkey confirm a challenge.

    Raises:
        ChallengeUnknown: there is no such challenge.
        PasskeyUnknown: the person has no passkey for this site.
        PasskeyRefused: the origin can have no passkeys.
    """
    row = challenge_row(challenge_id, is_locking=False)
    return request_options(principal.id, _confirmed(row), origin)


def answer_step_up_with_passkey(
    *, challenge_id: UUID, principal: Principal, answer: PasskeyAnswer, at: datetime
) -> StepUpAnswer:
    """Check a passkey's signature against a challenge. It must not be called inside a transaction.

    Raises:
        RuntimeError: the caller has opened a transaction, which could take the count back.
        ChallengeUnknown: there is no such challenge for this person.
        ChallengeExpired: it has expired or was answered.
        TooManyAttempts: too many wrong answers were given to it.
        WrongFactor: the signature is not theirs or not over this; `attempts_left` says how often
            one may still try.
    """
    with transaction.atomic(durable=True):
        refusal = _answer(challenge_id, principal, answer, at)
    if refusal is not None:
        raise refusal
    return StepUpAnswer(challenge_id, PASSKEY, at)


def _answer(
    challenge_id: UUID, principal: Principal, answer: PasskeyAnswer, at: datetime
) -> StepUpRefused | None:
    row = challenge_row(challenge_id, is_locking=True)
    closed = refusal_of(row, principal, at)
    if closed is not None:
        return closed
    try:
        require_signature(row.principal_id, _confirmed(row), answer.response, answer.origin, at)
    except (PasskeyRefused, PasskeyUnknown):
        return keep_wrong(row, PASSKEY, at)
    satisfy(row, PASSKEY, at)
    return None


def _confirmed(row: ChallengeRow) -> bytes:
    return signing_challenge(STEP_UP, row.id, CONFIRM, row.params_hash)
