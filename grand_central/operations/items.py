"""Items of batches, and the one line of text by which each is bound."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from json.encoder import encode_basestring as _text
from uuid import UUID

_OPTIONAL = ("booking", "value", "remittance", "name", "iban", "end_to_end", "category")


@dataclass(frozen=True, slots=True)
class PostingItem:
    """One transfer of a batch; its id is its idempotency key. Amount in minor units.

    Without a booking date it is booked on the bank's business date.
    """

    id: UUID
    debit: UUID
    credit: UUID
    amount: int
    currency: str
    booking: date | None = None
    value: date | None = None
    remittance: str = ""
    name: str = ""
    iban: str = ""
    end_to_end: str = ""
    category: str = ""

    def line(self) -> str:
        """Return the item as the core reads it: JSON that says only what is not empty."""
        needed = (
            f'{{"id":"{self.id}","debit":"{self.debit}","credit":"{self.credit}",'
            f'"amount":{self.amount},"currency":{_text(self.currency)}'
        )
        told = (self.booking, self.value, self.remittance, self.name, self.iban)
        if not any((*told, self.end_to_end, self.category)):
            return needed + "}"
        more = (
            f',"{name}":{_text(str(value))}' for name in _OPTIONAL if (value := getattr(self, name))
        )
        return needed + "".join(more) + "}"


@dataclass(frozen=True, slots=True)
class PartyItem:
    """A person or an organisation to become known to the core."""

    id: UUID
    kind: str
    name: str
    given_name: str
    family_name: str
    birth_date: date | None
    email: str
    phone: str
    street: str
    postal_code: str
    city: str
    country: str
    segment: str

    def line(self) -> str:
        """Return the item as the core reads it."""
        return _line(_fields(self))


@dataclass(frozen=True, slots=True)
class AccountItem:
    """An account to open: a customer's, or (without a party) one of the bank's own.

    `overdraft_limit` is how far below zero it may go, in minor units.
    """

    id: UUID
    iban: str
    code: int
    currency: str
    kind: str
    name: str
    holder_name: str
    party_id: UUID | None
    flags: int
    opened_on: date
    overdraft_limit: int = 0

    def line(self) -> str:
        """Return the item as the core reads it."""
        return _line(_fields(self))


@dataclass(frozen=True, slots=True)
class CardItem:
    """A card to issue on an account of its holder."""

    id: UUID
    party_id: UUID
    account_id: UUID
    last_four: str
    scheme: str
    product: str
    expires_on: date

    def line(self) -> str:
        """Return the item as the core reads it."""
        return _line(_fields(self))


@dataclass(frozen=True, slots=True)
class PayeeItem:
    """Somebody a customer has been paying; `phone` is where the bank can call them back."""

    id: UUID
    party_id: UUID
    name: str
    iban: str
    added_on: date
    is_trusted: bool
    phone: str = ""

    def line(self) -> str:
        """Return the item as the core reads it."""
        return _line(_fields(self))


BatchItem = PostingItem | PartyItem | AccountItem | CardItem | PayeeItem


def items_root(*, lines: Sequence[str]) -> str:
    """Return the RFC 6962 Merkle root over the lines, as hex; the database computes the same."""
    level = [hashlib.sha256(b"\0" + line.encode()).digest() for line in lines]
    if not level:
        return hashlib.sha256(b"").hexdigest()
    while len(level) > 1:
        # Carrying a last odd node up gives the tree of RFC 6962.
        level = [
            hashlib.sha256(b"\1" + level[at] + level[at + 1]).digest()
            if at + 1 < len(level)
            else level[at]
            for at in range(0, len(level), 2)
        ]
    return level[0].hex()


def _fields(item: PartyItem | AccountItem | CardItem | PayeeItem) -> dict[str, object]:
    return {name: _plain(getattr(item, name)) for name in item.__slots__}


def _plain(value: object) -> object:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, date) else value


def _line(values: dict[str, object]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"))
