"""Posts through the database's owner-only functions; this role cannot write a transfer itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.utils import IntegrityError, OperationalError
from psycopg.errors import CheckViolation, SerializationFailure

from grand_central.operations.payments import Hold, PostHold, Transfer, VoidHold
from grand_central.receipts import REFUSALS, CoreRefused, Receipt, refused
from sentinel.public import Presented, run_statement
from sentinel.vocabulary import Money, Outcome, OutcomeKind

_DONE = frozenset({"posted", "held", "voided", "exists"})
_WORDS = {
    "posted": "The payment has been made.",
    "held": "The amount has been set aside.",
    "voided": "The amount has been released.",
    "exists": "This was done before; it was not done again.",
}
_AT_ONCE = """
SELECT * FROM ledger_transfer_at_once(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s,
    %s, %s, %s)
"""
_BATCH_AT_ONCE = """
SELECT * FROM ledger_batch_at_once(%s, %s, %s, %s, %s, %s, %s, %s, %s,
    string_to_array(%s, E'\\n'), %s)
"""
# What only the steps one by one can tell: who did it before, or how the permit ended.
_TOLD_STEP_BY_STEP = frozenset({"exists", "outcome_refused"})


class CoreBusy(CoreRefused):
    """Another writer committed the same items meanwhile; the same call may be tried again."""

    is_retryable = True


def transfer(*, token: UUID, parameters: Transfer, category: str = "") -> Receipt:
    """Pay, once per token.

    Raises:
        CoreRefused: with the ledger's status as its code.
    """
    amount = parameters.amount
    return _single(
        "SELECT * FROM ledger_transfer_post(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [
            token,
            parameters.debtor_account_id,
            parameters.creditor_iban,
            parameters.creditor_name,
            amount.minor_units,
            amount.currency,
            parameters.remittance,
            parameters.end_to_end_id,
            parameters.execution_date,
            category,
        ],
        amount.currency,
    )


def transfer_at_once(*, presented: Presented, record_id: UUID) -> Receipt | None:
    """Spend the token, pay and record the outcome in one statement, which undoes what it refuses.

    Returns None, and has changed nothing, if only the steps one by one can tell what is the case.

    Raises:
        sentinel.public.TokenRefused: the token was not spent.
        CoreRefused: with the ledger's status as its code.
    """
    assert isinstance(presented.parameters, Transfer)
    arguments = _arguments_at_once(presented, presented.parameters, record_id)
    redeemed, status, position, balance, recorded_at = _row(_AT_ONCE, arguments)
    presented.spent(redeemed)
    if status in _TOLD_STEP_BY_STEP:
        return None
    if status not in _DONE:
        raise refused(status)
    reference, words = f"transfer:{presented.decision_id}", _WORDS[status]
    outcome = Outcome(
        presented.decision_id, OutcomeKind.DONE, status, reference, position, words, recorded_at
    )
    left = Money(balance, presented.parameters.amount.currency)
    return Receipt(status, reference, position, words, left, outcome=outcome)


def post_batch_at_once(
    *, presented: Presented, batch_id: UUID, lines: Sequence[str], record_id: UUID
) -> Receipt | None:
    """Spend the token, post the items and record the outcome in one statement.

    Returns None, and has changed nothing, if only the steps one by one can tell what is the case.

    Raises:
        sentinel.public.TokenRefused: the token was not spent.
    """
    arguments = [*_spent_with(presented), batch_id, "\n".join(lines), record_id]
    redeemed, statuses, position, words, recorded_at = _row(_BATCH_AT_ONCE, arguments)
    presented.spent(redeemed)
    if recorded_at is None:
        return None
    reference = f"batch:{batch_id}"
    outcome = Outcome(
        presented.decision_id, OutcomeKind.DONE, "posted", reference, position, words, recorded_at
    )
    return Receipt("posted", reference, position, words, items=tuple(statuses), outcome=outcome)


def _spent_with(presented: Presented) -> list[object]:
    """Return what `sentinel_redeem` compares, in its order."""
    return [
        presented.decision_id,
        presented.action_kind,
        presented.audience,
        presented.params_hash,
        presented.effect_digest,
        presented.idempotency_key,
        presented.scopes,
        presented.epoch,
    ]


def _arguments_at_once(presented: Presented, pay: Transfer, record_id: UUID) -> list[object]:
    return [
        *_spent_with(presented),
        pay.debtor_account_id,
        pay.creditor_iban,
        pay.creditor_name,
        pay.amount.minor_units,
        pay.amount.currency,
        pay.remittance,
        pay.end_to_end_id,
        pay.execution_date,
        record_id,
        _WORDS["posted"],
    ]


def hold(*, token: UUID, parameters: Hold) -> Receipt:
    """Set an amount aside; the hold's id is the token's.

    Raises:
        CoreRefused: with the ledger's status as its code.
    """
    amount = parameters.amount
    return _single(
        "SELECT * FROM ledger_hold(%s, %s, %s, %s, %s, %s, %s, %s)",
        [
            token,
            parameters.debtor_account_id,
            parameters.creditor_iban,
            parameters.creditor_name,
            amount.minor_units,
            amount.currency,
            parameters.remittance,
            parameters.timeout_seconds,
        ],
        amount.currency,
    )


def post_hold(*, token: UUID, parameters: PostHold) -> Receipt:
    """Pay out a hold, wholly or in part.

    Raises:
        CoreRefused: with the ledger's status as its code.
    """
    amount = parameters.amount
    return _single(
        "SELECT * FROM ledger_hold_post(%s, %s, %s, %s)",
        [token, parameters.hold_id, amount.minor_units, amount.currency],
        amount.currency,
    )


def void_hold(*, token: UUID, parameters: VoidHold) -> Receipt:
    """Release a hold.

    Raises:
        CoreRefused: with the ledger's status as its code.
    """
    return _single("SELECT * FROM ledger_hold_void(%s, %s)", [token, parameters.hold_id], "")


def post_batch(*, token: UUID, batch_id: UUID, lines: Sequence[str]) -> Receipt:
    """Post many items, each with its own status in `Receipt.items`.

    The lines travel as one text, which costs a tenth of an array; no JSON line holds a newline.

    Raises:
        CoreRefused: the batch as a whole was refused.
        CoreBusy: another writer committed some of the items; try the same again.
    """
    statuses, posted, position = _row(
        "SELECT * FROM ledger_post_batch(%s, %s, string_to_array(%s, E'\\n'))",
        [token, batch_id, "\n".join(lines)],
    )
    if statuses == ["no_redemption"]:
        raise refused("no_redemption")
    return Receipt(
        status="posted",
        reference=f"batch:{batch_id}",
        position=position,
        words=f"{posted} of {len(statuses)} transfers have been posted.",
        items=tuple(statuses),
    )


def expire_holds(*, limit: int) -> int:
    """Release holds whose time is over; return how many."""
    return int(_row("SELECT ledger_expire_holds(%s)", [limit])[0])


@dataclass(frozen=True, slots=True)
class Difference:
    """An account whose counter is not what its transfers add up to."""

    account_id: UUID
    counter: str
    stored: int
    recomputed: int


@dataclass(frozen=True, slots=True)
class CurrencySum:
    """All debits and all credits of one currency; equal, or money came from nowhere."""

    currency: str
    accounts: int
    debits: int
    credits: int


@dataclass(frozen=True, slots=True)
class BalanceProof:
    """The stored counters against a recomputation from every transfer."""

    differences: tuple[Difference, ...]
    sums: tuple[CurrencySum, ...]

    @property
    def is_balanced(self) -> bool:
        """Whether nothing differs and every currency sums to zero."""
        return not self.differences and all(each.debits == each.credits for each in self.sums)


def prove_balances() -> BalanceProof:
    """Recompute every account of this legal entity from its transfers and compare."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT account_id, counter, stored, recomputed FROM ledger_differences()")
        differences = tuple(
            Difference(account, counter, int(stored), int(recomputed))
            for account, counter, stored, recomputed in cursor.fetchall()
        )
        cursor.execute("SELECT currency, accounts, debits, credits FROM ledger_sums()")
        sums = tuple(CurrencySum(row[0], row[1], int(row[2]), int(row[3])) for row in cursor)
    return BalanceProof(differences, sums)


def _single(sql: str, arguments: list[Any], currency: str) -> Receipt:
    status, transfer_id, position, balance = _row(sql, arguments)
    if status not in _DONE:
        raise refused(status)
    return Receipt(
        status=status,
        reference=f"transfer:{transfer_id}",
        position=position or "",
        words=_WORDS[status],
        balance=Money(balance, currency) if currency and balance is not None else None,
    )


def _row(sql: str, arguments: list[Any]) -> tuple[Any, ...]:
    try:
        (row,) = run_statement(sql=sql, parameters=arguments)
    except IntegrityError as error:
        # The constraints stand behind the judgement; a text of the wrong form ends here.
        if isinstance(error.__cause__, CheckViolation):
            raise refused("text_refused") from error
        raise
    except OperationalError as error:
        if isinstance(error.__cause__, SerializationFailure):
            raise CoreBusy("core_busy", REFUSALS["core_busy"]) from error
        raise
    return row
