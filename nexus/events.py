"""The events of the system of record, as Nexus reads them: typed, strict, located errors."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class EventNotUnderstood(ValueError):
    """An event of the feed does not have the shape its type promises."""

    code = "event_not_understood"
    is_retryable = False

    def __init__(self, event_type: str, event_id: str, located: str) -> None:
        super().__init__(event_type, event_id, located)
        self.event_type, self.event_id, self.located = event_type, event_id, located


@dataclass(frozen=True, slots=True)
class PostedTransfer:
    """Money a customer sent by an order of its own; the amount is positive, in minor units."""

    transfer_id: UUID
    account_id: UUID
    amount_minor_units: int
    currency: str


class Payload(BaseModel):
    """The base of every payload; unknown keys of a newer sender are ignored, wrong ones refused."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    type_name: ClassVar[str]


class PartyRegistered(Payload):
    """A person or organisation became known to the core."""

    type_name: ClassVar[str] = "party.registered"
    party_id: UUID
    kind: Literal["person", "organisation"]
    name: str
    given_name: str = ""
    family_name: str = ""
    birth_date: date | None = None
    email: str = ""
    phone: str = ""
    street: str = ""
    postal_code: str = ""
    city: str = ""
    country: str = ""
    segment: str = ""
    status: str = "active"


class AccountOpened(Payload):
    """An account exists from now on; it holds nothing yet."""

    type_name: ClassVar[str] = "account.opened"
    account_id: UUID
    party_id: UUID | None = None
    iban: str
    kind: str
    currency: Currency
    name: str = ""
    status: str = "open"
    opened_on: date


class AccountStatusChanged(Payload):
    """An account was blocked, closed or opened again."""

    type_name: ClassVar[str] = "account.status_changed"
    account_id: UUID
    status: str


class TransferPosted(Payload):
    """Money moved, was held, or a hold was settled or released."""

    type_name: ClassVar[str] = "transfer.posted"
    transfer_id: UUID
    kind: Literal["post", "pending", "post_pending", "void"] = "post"
    debit_account: UUID
    credit_account: UUID
    amount: int = Field(ge=0)
    pending_amount: int = 0
    currency: Currency
    booking_date: date
    debtor_name: str = ""
    debtor_iban: str = ""
    creditor_name: str = ""
    creditor_iban: str = ""
    remittance: str = ""
    category: str = ""
    end_to_end_id: str = ""
    decision_id: UUID | None = None


class CardChanged(Payload):
    """A card was issued or its status changed."""

    type_name: ClassVar[str] = "card.issued"
    card_id: UUID
    party_id: UUID
    account_id: UUID
    last_four: str
    scheme: str = ""
    product: str = ""
    status: str
    expires_on: date | None = None


class PayeeAdded(Payload):
    """A customer named somebody to pay."""

    type_name: ClassVar[str] = "payee.added"
    payee_id: UUID
    party_id: UUID
    name: str
    iban: str
    added_on: date
    is_trusted: bool = False
    phone: str = ""


PAYLOADS: dict[str, type[Payload]] = {
    kind.type_name: kind
    for kind in (PartyRegistered, AccountOpened, AccountStatusChanged, TransferPosted, PayeeAdded)
} | {"card.issued": CardChanged, "card.blocked": CardChanged}


def read_event(*, event_type: str, event_id: UUID, payload: object) -> Payload | None:
    """Return the typed payload, or None for an event type that Nexus keeps no view of.

    Raises:
        EventNotUnderstood: a field is missing or has the wrong type; the error names it.
    """
    model = PAYLOADS.get(event_type)
    if model is None:
        return None
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        located = "; ".join(".".join(map(str, each["loc"])) for each in error.errors())
        raise EventNotUnderstood(event_type, str(event_id), located) from error


def moment_of(payload: TransferPosted, occurred_at: datetime) -> datetime:
    """Return when the booking counts: its booking date, at the time of day it was made.

    A booking of today keeps its moment; one brought in from the past lands on its own day.
    """
    if payload.booking_date == occurred_at.date():
        return occurred_at
    return datetime.combine(payload.booking_date, occurred_at.timetz())
