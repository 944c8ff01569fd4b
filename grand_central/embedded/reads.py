"""What the embedded core can be asked."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from sentinel.public import run_statement
from sentinel.vocabulary import Money


@dataclass(frozen=True, slots=True)
class Balance:
    """What an account holds, and what can be spent: less what is held, with the overdraft."""

    account_id: UUID
    booked: Money
    available: Money


@dataclass(frozen=True, slots=True)
class AccountAtBank:
    """An account of this bank, as its number tells it."""

    account_id: UUID
    party_id: UUID | None
    holder_name: str
    iban: str
    currency: str
    kind: str
    status: str


_STATEMENTS = """
    SELECT account, id, sum(amount) OVER (PARTITION BY account ORDER BY position)
    FROM (
        SELECT debit_account AS account, id, position, -amount AS amount FROM ledger_transfer
        WHERE debit_account = ANY(%(accounts)s) AND kind IN (0, 2)
        UNION ALL
        SELECT credit_account, id, position, amount FROM ledger_transfer
        WHERE credit_account = ANY(%(accounts)s) AND kind IN (0, 2)
    ) moved ORDER BY account, position
"""
_ACCOUNT = "SELECT id, party_id, holder_name, iban, currency, kind, status FROM ledger_account"


def balance_of(*, account_id: UUID) -> Balance | None:
    """Return what an account holds now, or None if this bank has no such account."""
    row = _row(
        "SELECT currency, credits_posted - debits_posted,"
        " credits_posted + overdraft_limit - debits_posted - debits_pending"
        " FROM ledger_account WHERE id = %s",
        account_id,
    )
    if row is None:
        return None
    currency, booked, available = row
    return Balance(account_id, Money(booked, currency), Money(available, currency))


def account_by_iban(*, iban: str) -> AccountAtBank | None:
    """Return the account with this number, or None if this bank has none."""
    row = _row(f"{_ACCOUNT} WHERE entity = frontline_entity() AND iban = %s", iban)
    return AccountAtBank(*row) if row else None


def is_own_iban(*, iban: str) -> bool:
    """Return whether an account number carries this bank's code."""
    return _row("SELECT 1 FROM core_bank WHERE %s LIKE own_ibans", iban) is not None


def business_date() -> date | None:
    """Return the day the bank is booking on, or None before its books are open."""
    row = _row("SELECT date FROM core_business_date")
    return row[0] if row else None


def roll_business_date(*, to: date) -> date | None:
    """Go on to a later day, never beyond the database's own; return the day in force."""
    row = _row("SELECT core_roll_business_date(%s)", to)
    return row[0] if row else None


def open_today() -> date | None:
    """Go on to the database's own day; return the day in force."""
    row = _row("SELECT core_roll_business_date((clock_timestamp() AT TIME ZONE 'UTC')::date)")
    return row[0] if row else None


def account_holds(*, account_id: UUID) -> tuple[UUID, ...]:
    """Return the decisions under which an account is blocked now, first one first."""
    rows = run_statement(sql="SELECT core_account_holds(%s)", parameters=(account_id,))
    return tuple(row[0] for row in rows)


def transfers_by_ids(*, ids: list[UUID]) -> set[UUID]:
    """Return which of the ids the ledger holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM ledger_transfer WHERE id = ANY(%s)", [ids])
        return {row[0] for row in cursor}


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One booking on an account, and what the account held after it, in minor units."""

    account_id: UUID
    transfer_id: UUID
    balance: int


def statements_of(*, account_ids: list[UUID]) -> list[StatementLine]:
    """Return the bookings of these accounts in the order they were posted, account by account."""
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENTS, {"accounts": account_ids})
        return [StatementLine(account, each, int(held)) for account, each, held in cursor]


def _row(sql: str, *arguments: str | UUID | date) -> tuple[Any, ...] | None:
    rows = run_statement(sql=sql, parameters=arguments)
    row: tuple[Any, ...] | None = rows[0] if rows else None
    return row
