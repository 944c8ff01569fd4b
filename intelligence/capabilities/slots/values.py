"""The values read from a message or document, each with the exact place it was read from."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sentinel.vocabulary import Provenance


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value stands: characters `start` to `end` (exclusive) of a text, and who wrote it."""

    start: int
    end: int
    text: str
    source: Provenance = Provenance.CUSTOMER_TYPED


@dataclass(frozen=True, slots=True)
class AmountSlot:
    """A positive amount in minor units; without a currency it is read with two decimals."""

    minor_units: int
    currency: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class DateSlot:
    """A calendar day."""

    value: date
    span: Span


@dataclass(frozen=True, slots=True)
class PeriodSlot:
    """A stretch of days, both ends included."""

    first: date
    last: date
    span: Span


@dataclass(frozen=True, slots=True)
class IbanSlot:
    """An IBAN without spaces; one whose check digits are wrong is kept and says so."""

    value: str
    is_valid: bool
    span: Span


@dataclass(frozen=True, slots=True)
class TextSlot:
    """A stretch of the customer's own words, such as what a payment is for."""

    value: str
    span: Span


@dataclass(frozen=True, slots=True)
class KnownPayee:
    """A payee of the customer, as handed in by the caller."""

    payee_id: UUID
    name: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PayeeCandidate:
    """A payee that may be meant; `likeness` runs from 0 to 1, and 1 is the name as written."""

    payee_id: UUID
    name: str
    likeness: float


@dataclass(frozen=True, slots=True)
class PayeeSlot:
    """Whom a message names: no candidate means nobody known, several mean the customer is asked."""

    candidates: tuple[PayeeCandidate, ...]
    span: Span

    @property
    def payee(self) -> PayeeCandidate | None:
        """Return the payee if exactly one can be meant."""
        return self.candidates[0] if len(self.candidates) == 1 else None


@dataclass(frozen=True, slots=True)
class CardSlot:
    """Which card: its last four digits, its kind (`debit` or `credit`), or all of them."""

    last_four: str | None
    kind: str | None
    is_all: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something in a text is not taken; `code` is stable and `customer` is for the customer."""

    code: str
    customer: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Slots:
    """Everything a message names; `ibans` holds all of them, `iban` the one when there is one."""

    amount: AmountSlot | None = None
    date: DateSlot | None = None
    iban: IbanSlot | None = None
    payee: PayeeSlot | None = None
    purpose: TextSlot | None = None
    card: CardSlot | None = None
    category: TextSlot | None = None
    merchant: TextSlot | None = None
    period: PeriodSlot | None = None
    account_kind: TextSlot | None = None
    target_account_kind: TextSlot | None = None
    ibans: tuple[IbanSlot, ...] = field(default=())

    def names(self) -> tuple[str, ...]:
        """Return the names of the slots that are filled."""
        found = (name for name in self.__slots__ if name != "ibans")
        return tuple(name for name in found if getattr(self, name) is not None)
