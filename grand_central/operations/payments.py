"""Payments: transfers and holds."""

from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from grand_central.operations.fields import (
    Day,
    EndToEndId,
    Iban,
    Id,
    Name,
    NoFee,
    Parameters,
    PositiveAmount,
    Remittance,
    effect,
)

TIMEOUT_SECONDS_MAX = 30 * 24 * 3600


class Transfer(Parameters):
    """Pay somebody, from one of the bank's own accounts to any IBAN."""

    debtor_account_id: Id
    creditor_iban: Iban
    creditor_name: Name
    amount: PositiveAmount
    fee: NoFee
    remittance: Remittance
    execution_date: Day
    end_to_end_id: EndToEndId

    @model_validator(mode="after")
    def _one_currency(self) -> "Transfer":
        if self.fee.currency != self.amount.currency:
            raise PydanticCustomError("currency_mismatch", "Amount and fee differ in currency.")
        return self


class Hold(Parameters):
    """Set an amount aside for a payee, for a limited time."""

    debtor_account_id: Id
    creditor_iban: Iban
    creditor_name: Name
    amount: PositiveAmount
    remittance: Remittance
    timeout_seconds: Annotated[int, Field(ge=1, le=TIMEOUT_SECONDS_MAX)]


class PostHold(Parameters):
    """Pay out a hold, wholly or in part; the rest is released."""

    hold_id: Id
    amount: PositiveAmount


class VoidHold(Parameters):
    """Release a hold."""

    hold_id: Id


def transfer_effect(parameters: Transfer) -> bytes:
    """Return the effect digest of a transfer."""
    return effect(
        "transfer/v1",
        parameters.debtor_account_id,
        parameters.creditor_iban,
        parameters.amount.minor_units,
        parameters.amount.currency,
    )


def hold_effect(parameters: Hold) -> bytes:
    """Return the effect digest of a hold; its time is part of what is permitted."""
    return effect(
        "hold/v1",
        parameters.debtor_account_id,
        parameters.creditor_iban,
        parameters.amount.minor_units,
        parameters.amount.currency,
        parameters.timeout_seconds,
    )


def post_hold_effect(parameters: PostHold) -> bytes:
    """Return the effect digest of paying out a hold."""
    return effect(
        "hold_post/v1",
        parameters.hold_id,
        parameters.amount.minor_units,
        parameters.amount.currency,
    )


def void_hold_effect(parameters: VoidHold) -> bytes:
    """Return the effect digest of releasing a hold."""
    return effect("hold_void/v1", parameters.hold_id)
