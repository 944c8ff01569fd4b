"""Accounts and cards as a customer sees them. Pure."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import nexus.public
from sentinel.vocabulary import Money

_KINDS = {"customer_current": "Current account", "customer_savings": "Savings account"}


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account: what is on it, and what of that is on hold."""

    id: UUID
    name: str
    iban: str
    balance: Money
    held: Money
    available: Money
    is_open: bool
    can_pay: bool


@dataclass(frozen=True, slots=True)
class CardLine:
    """One payment card."""

    id: UUID
    account_id: UUID
    name: str
    last_four: str
    scheme: str
    expires_on: date | None
    is_blocked: bool


def account_line(account: nexus.public.AccountView) -> AccountLine:
    """Return an account as its row."""
    is_open = account.status == "open"
    return AccountLine(
        id=account.account_id,
        name=account.name or _KINDS.get(account.kind, "Account"),
        iban=account.iban,
        balance=Money(account.booked_minor_units, account.currency),
        held=Money(account.held_minor_units, account.currency),
        available=Money(account.available_minor_units, account.currency),
        is_open=is_open,
        can_pay=is_open and account.kind == "customer_current",
    )


def card_line(card: nexus.public.CardView) -> CardLine:
    """Return a card as its row."""
    return CardLine(
        id=card.card_id,
        account_id=card.account_id,
        name=card.product.replace("_", " ").capitalize(),
        last_four=card.last_four,
        scheme=card.scheme,
        expires_on=card.expires_on,
        is_blocked=card.status != "active",
    )
