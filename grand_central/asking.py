"""What the layers above may ask the systems of record, without any effect."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from grand_central.connectors.catalogue import CORE, MAILBOX, MANIFESTS, SCHEME
from grand_central.connectors.contract import Manifest
from grand_central.connectors.embedded import (
    AccountAtBank,
    Balance,
    BalanceProof,
    StatementLine,
)
from grand_central.connectors.messages import Message
from grand_central.connectors.scheme import RegisteredName, SchemeUnavailable
from grand_central.iban import InvalidIban, canonical_iban
from grand_central.names import UNAVAILABLE, NameCheck, compare_names
from grand_central.receipts import Execution
from sentinel.public import legal_entities, legal_entity

HOLDS_PER_ROUND = 500


def balance_of(*, account_id: UUID) -> Balance | None:
    """Return what an account holds now, or None if this bank has no such account."""
    return CORE.balance_of(account_id)


def account_by_iban(*, iban: str) -> AccountAtBank | None:
    """Return the account with this number, or None if this bank has none."""
    return CORE.account_by_iban(iban)


def account_holds(*, account_id: UUID) -> tuple[UUID, ...]:
    """Return the decisions under which an account is blocked now, first one first.

    No other can block it before the transaction of the caller ends.
    """
    return CORE.account_holds(account_id)


def is_own_iban(*, iban: str) -> bool:
    """Return whether an account number carries this bank's code, whether or not it exists."""
    return CORE.is_own_iban(iban)


def transfers_held(*, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Return which of these transfers the ledger holds."""
    return frozenset(CORE.transfers_held(list(ids)))


def statements_of(*, account_ids: Sequence[UUID]) -> tuple[StatementLine, ...]:
    """Return the bookings of these accounts in the order posted, with the balance after each."""
    return tuple(CORE.statements_of(list(account_ids)))


def outcome_of(*, idempotency_key: str) -> Execution | None:
    """Return what the core says became of an action, or None if it never did it."""
    return CORE.resolve(idempotency_key)


def business_date() -> date | None:
    """Return the day the bank is booking on, or None before its books are open."""
    return CORE.business_date()


def prove_balances() -> BalanceProof:
    """Recompute every account of this legal entity from its transfers and compare."""
    return CORE.prove_balances()


def validate_iban(*, iban: str) -> bool:
    """Return whether an account number can exist: country, length, characters, check digits."""
    try:
        canonical_iban(text=iban)
    except InvalidIban:
        return False
    return True


def check_payee_name(*, iban: str, name: str) -> NameCheck:
    """Return whether the name is the one the account carries, here or at another bank."""
    account = CORE.account_by_iban(iban)
    if account is not None:
        # A person's name and initials; an account of the bank itself carries an organisation's.
        return compare_names(
            given=name, registered=account.holder_name, is_organisation=account.party_id is None
        )
    if CORE.is_own_iban(iban):
        return NameCheck("mismatch")
    try:
        registered = SCHEME.registered(iban)
    except SchemeUnavailable:
        return UNAVAILABLE
    if registered is None:
        return UNAVAILABLE
    return compare_names(
        given=name, registered=registered.name, is_organisation=registered.is_organisation
    )


def connectors() -> tuple[Manifest, ...]:
    """Return every system the bank reaches and what it may do there."""
    return MANIFESTS


def mailbox(*, recipient: str, limit: int = 50) -> tuple[Message, ...]:
    """Return what the mailbox simulator holds for a recipient, newest first."""
    return MAILBOX.mailbox(recipient, limit)


def teach_scheme(*, names: Sequence[RegisteredName]) -> None:
    """Teach the scheme simulator whose names accounts at other banks carry."""
    SCHEME.register(names)


def set_scheme_available(*, is_available: bool) -> None:
    """Make the scheme simulator answer, or not."""
    SCHEME.set_available(is_available)


def resolve_hold_timeouts_once() -> int:
    """Release the holds whose time is over, in every legal entity; return how many."""
    released = 0
    for registered in legal_entities():
        with legal_entity(entity=registered.entity):
            released += CORE.expire_holds(HOLDS_PER_ROUND)
    return released


def open_business_day_once() -> int:
    """Go on to the database's own day in every legal entity; return how many went on."""
    opened = 0
    for registered in legal_entities():
        with legal_entity(entity=registered.entity):
            before = CORE.business_date()
            opened += before is not None and CORE.open_today() != before
    return opened


def roll_business_date(*, to: date) -> date | None:
    """Go on to a later business day, never beyond the database's own; return the one in force."""
    return CORE.roll_business_date(to)
