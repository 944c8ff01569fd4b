"""The types parameters are made of. Each refuses with a stable code and words for the customer."""

import hashlib
import re
import unicodedata
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from grand_central.iban import InvalidIban, canonical_iban

AMOUNT_MAX = 10**15
NAME_LENGTH_MAX = 70
REMITTANCE_LENGTH_MAX = 140
_CURRENCY = re.compile(r"[A-Z]{3}")
# The currencies the ledger knows the decimals of; see `sentinel.vocabulary.Money.exponent`.
_EUROPE = ("CHF", "CZK", "DKK", "EUR", "GBP", "HUF", "ISK", "NOK", "PLN", "RON", "SEK", "TRY")
_ELSEWHERE = ("AUD", "BHD", "CAD", "CLP", "JPY", "KRW", "KWD", "NZD", "OMR", "TND", "USD")
CURRENCIES = frozenset(_EUROPE + _ELSEWHERE)
# Control, format, surrogate and private-use characters, and line and paragraph separators.
_UNPRINTABLE = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


class Parameters(BaseModel):
    """The base of every operation's parameters: exact types, nothing extra, no change."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


def _uuid(value: object) -> object:
    if isinstance(value, str):
        try:
            parsed = UUID(value)
        except ValueError:
            raise PydanticCustomError("id_invalid", "This is not an id.") from None
        if str(parsed) == value:
            return parsed
        raise PydanticCustomError("id_invalid", "This is not an id in its usual form.")
    return value


def _day(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("date_invalid", "This is not a date.") from None
    return value


def _currency(value: str) -> str:
    if not _CURRENCY.fullmatch(value) or value not in CURRENCIES:
        raise PydanticCustomError("currency_unknown", "This is not a currency we know.")
    return value


def _iban(value: str) -> str:
    try:
        canonical = canonical_iban(text=value)
    except InvalidIban as error:
        raise PydanticCustomError(
            "iban_invalid", "This account number (IBAN) is not valid. Please check it."
        ) from error
    if canonical != value:
        raise PydanticCustomError("iban_invalid", "Write the IBAN in capitals, without spaces.")
    return value


def _printable(value: str) -> str:
    if value.isascii() and value.isprintable():
        return value
    if any(unicodedata.category(character) in _UNPRINTABLE for character in value):
        raise PydanticCustomError(
            "text_refused", "This text has characters that cannot be sent with a payment."
        )
    return value


def _not_blank(value: str) -> str:
    if not value.strip() or value != value.strip():
        raise PydanticCustomError("text_refused", "A name is needed here.")
    return value


def _positive(value: "Amount") -> "Amount":
    if value.minor_units <= 0:
        raise PydanticCustomError("amount_not_positive", "The amount must be more than zero.")
    return value


def _no_fee(value: "Amount") -> "Amount":
    if value.minor_units != 0:
        raise PydanticCustomError("fee_refused", "No fee is charged for this payment.")
    return value


Id = Annotated[UUID, BeforeValidator(_uuid)]
Day = Annotated[date, BeforeValidator(_day)]
Currency = Annotated[str, AfterValidator(_currency)]
Iban = Annotated[str, Field(max_length=34), AfterValidator(_iban)]
Text = Annotated[str, AfterValidator(_printable)]
Name = Annotated[
    str,
    Field(max_length=NAME_LENGTH_MAX),
    AfterValidator(_printable),
    AfterValidator(_not_blank),
]
Remittance = Annotated[str, Field(max_length=REMITTANCE_LENGTH_MAX), AfterValidator(_printable)]
EndToEndId = Annotated[str, Field(max_length=35, pattern=r"^[A-Za-z0-9/\-?:().,'+ ]*$")]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Amount(Parameters):
    """An exact amount in the currency's smallest unit, at most 10^15 of them."""

    minor_units: int
    currency: Currency

    @model_validator(mode="after")
    def _within_bounds(self) -> "Amount":
        if abs(self.minor_units) > AMOUNT_MAX:
            raise PydanticCustomError("amount_too_large", "This amount is too large.")
        return self


PositiveAmount = Annotated[Amount, AfterValidator(_positive)]
NoFee = Annotated[Amount, AfterValidator(_no_fee)]


class Batch(Parameters):
    """Many items under one permit: bound by the Merkle root of their lines."""

    batch_id: Id
    items_root: Digest
    count: Annotated[int, Field(ge=1, le=5_000)]


AccountStatus = Literal["open", "blocked", "closed"]


def effect(*parts: object) -> bytes:
    """Return the SHA-256 of an effect's text; the database makes the same text and compares."""
    return hashlib.sha256("|".join(map(str, parts)).encode()).digest()


def batch_effect(parameters: Batch) -> bytes:
    """Return the effect digest of any batch: its root says all."""
    return effect("batch/v1", parameters.items_root)
