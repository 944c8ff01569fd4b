"""Step-up: a code that confirms exactly this amount to exactly this payee, a few times at most.

An answer commits on its own before anything is said about it, so that a wrong code is counted
even if the caller's work is then undone.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from sentinel.catalogue import UnknownAction, action_kind
from sentinel.factors import factor_of, keep_failure, keep_success
from sentinel.judging import ATTEMPTS_MAX
from sentinel.log.records import append
from sentinel.refusals import SentinelError
from sentinel.sealed_values import parameters_of
from sentinel.vocabulary import Money, Principal

TOTP, PASSKEY = "totp", "passkey"
_CHALLENGE = """
SELECT decision_id, case_id, action_kind, encode(params_hash, 'hex'), principal_id, attempts,
  expires_at, satisfied_at FROM sentinel_challenge WHERE id = %s
"""
_CHALLENGE_LOCKED = _CHALLENGE + " FOR UPDATE"


class StepUpRefused(SentinelError):
    """The second factor was not accepted."""

    code = "step_up_refused"

    def __init__(self, challenge_id: str, attempts_left: int = 0) -> None:
        super().__init__(challenge_id, attempts_left)
        self.challenge_id, self.attempts_left = challenge_id, attempts_left


class WrongFactor(StepUpRefused):
    """The code is not the one shown now."""

    code = "wrong_factor"
    is_retryable = True


class FactorReused(StepUpRefused):
    """The code, or a later one, was used before. Wait for the next."""

    code = "factor_reused"
    is_retryable = True


class ChallengeExpired(StepUpRefused):
    """The challenge has expired. Start the confirmation again."""

    code = "challenge_expired"


class TooManyAttempts(StepUpRefused):
    """Too many wrong codes were given."""

    code = "too_many_attempts"


class ChallengeUnknown(StepUpRefused):
    """There is no such challenge for this person."""

    code = "challenge_unknown"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a person confirms with their code. Amount and payee come from the decision itself."""

    id: UUID
    decision_id: UUID
    principal_id: str
    action_kind: str
    amount: Money | None
    payee: tuple[str, ...]
    params_hash: str
    expires_at: datetime
    attempts_left: int
    is_satisfied: bool
    satisfied_at: datetime | None


@dataclass(frozen=True, slots=True)
class StepUpAnswer:
    """A second factor that was accepted for one challenge."""

    challenge_id: UUID
    method: str
    answered_at: datetime


@dataclass(frozen=True, slots=True)
class ChallengeRow:
    """A challenge as it stands, locked for the transaction that asked for it so."""

    id: UUID
    decision_id: UUID
    case_id: UUID
    action_kind: str
    params_hash: str
    principal_id: str
    attempts: int
    expires_at: datetime
    satisfied_at: datetime | None


def challenge(*, challenge_id: UUID) -> Challenge:
    """Return a challenge with the amount and payee it confirms.

    Raises:
        ChallengeUnknown: there is none of this id.
    """
    row = challenge_row(challenge_id, is_locking=False)
    amount, payee = _linked(row)
    return Challenge(
        id=challenge_id,
        decision_id=row.decision_id,
        principal_id=row.principal_id,
        action_kind=row.action_kind,
        amount=amount,
        payee=payee,
        params_hash=row.params_hash,
        expires_at=row.expires_at,
        attempts_left=max(0, ATTEMPTS_MAX - row.attempts),
        is_satisfied=row.satisfied_at is not None,
        satisfied_at=row.satisfied_at,
    )


def answer_step_up(
    *, challenge_id: UUID, principal: Principal, code: str, at: datetime
) -> StepUpAnswer:
    """Check a code against a challenge. It must not be called inside a transaction.

    Raises:
        RuntimeError: the caller has opened a transaction, which could take the count back.
        ChallengeUnknown: there is no such challenge for this person.
        ChallengeExpired: it has expired or was answered.
        TooManyAttempts: too many wrong codes were given, to it or to others.
        FactorReused: the code was used before.
        WrongFactor: the code is wrong; `attempts_left` says how often one may still try.
        FactorUnknown: the person has no second factor.
    """
    with transaction.atomic(durable=True):
        refusal = _answer(challenge_id, principal, code, at)
    if refusal is not None:
        raise refusal
    return StepUpAnswer(challenge_id, TOTP, at)


def _answer(
    challenge_id: UUID, principal: Principal, code: str, at: datetime
) -> StepUpRefused | None:
    """Return what is wrong with an answer, if anything, having counted it."""
    row = challenge_row(challenge_id, is_locking=True)
    closed = refusal_of(row, principal, at)
    if closed is not None:
        return closed
    factor = factor_of(row.principal_id, is_locking=True)
    if factor.is_locked(at):
        return TooManyAttempts(str(challenge_id))
    counter = factor.matching_counter(code, at)
    if counter is None or counter <= factor.last_counter:
        keep_failure(row.principal_id, at)
        return keep_wrong(row, TOTP, at, is_reused=counter is not None)
    keep_success(row.principal_id, counter)
    satisfy(row, TOTP, at)
    return None


def refusal_of(row: ChallengeRow, principal: Principal, at: datetime) -> StepUpRefused | None:
    """Return why a challenge takes no answer from this person now, if it does not."""
    if row.principal_id != principal.id:
        return ChallengeUnknown(str(row.id))
    if row.satisfied_at is not None or row.expires_at <= at:
        return ChallengeExpired(str(row.id))
    return TooManyAttempts(str(row.id)) if row.attempts >= ATTEMPTS_MAX else None


def keep_wrong(
    row: ChallengeRow, method: str, at: datetime, *, is_reused: bool = False
) -> StepUpRefused:
    """Count a wrong answer to a challenge and return what to refuse it with."""
    left = ATTEMPTS_MAX - row.attempts - 1
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sentinel_challenge SET attempts = attempts + 1 WHERE id = %s", [row.id]
        )
    _record(row, method, at, "reused" if is_reused else "wrong")
    if is_reused:
        return FactorReused(str(row.id), left)
    return WrongFactor(str(row.id), left) if left else TooManyAttempts(str(row.id))


def satisfy(row: ChallengeRow, method: str, at: datetime) -> None:
    """Keep that a challenge was answered rightly, and by what."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sentinel_challenge SET satisfied_at = %s WHERE id = %s", [at, row.id]
        )
    _record(row, method, at, "accepted")


def _record(row: ChallengeRow, method: str, at: datetime, result: str) -> None:
    body = {
        "at": at.isoformat(),
        "challenge": str(row.id),
        "method": method,
        "params_hash": row.params_hash,
        "principal": row.principal_id,
        "result": result,
    }
    with connection.cursor() as cursor:
        append(cursor, kind="step_up", body=body, decision_id=row.decision_id, case_id=row.case_id)


def challenge_row(challenge_id: UUID, *, is_locking: bool) -> ChallengeRow:
    """Return a challenge as it stands, and lock it until the transaction ends if asked to.

    Raises:
        ChallengeUnknown: there is none of this id.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CHALLENGE_LOCKED if is_locking else _CHALLENGE,
            [challenge_id],
        )
        row = cursor.fetchone()
    if row is None:
        raise ChallengeUnknown(str(challenge_id))
    return ChallengeRow(challenge_id, *row)


def _linked(row: ChallengeRow) -> tuple[Money | None, tuple[str, ...]]:
    """Return the amount and payee a challenge confirms, from the sealed parameters."""
    parameters = parameters_of(row.decision_id) or {}
    try:
        entry = action_kind(row.action_kind)
    except UnknownAction:
        return None, ()
    payee = tuple(str(parameters.get(field, "")) for field in entry.payee_fields)
    value = parameters.get(entry.money_fields[0]) if entry.money_fields else None
    if not isinstance(value, dict):
        return None, payee
    return Money(value["minor_units"], value["currency"]), payee
