"""The registers of the core: the bank, parties, accounts, cards and payees."""

from typing import Annotated, Literal

from pydantic import Field

from grand_central.operations.fields import (
    AccountStatus,
    Currency,
    Day,
    Iban,
    Id,
    Name,
    Parameters,
    effect,
)

BlockReason = Literal["lost", "stolen", "damaged", "fraud", "customer_wish"]


class OpenBank(Parameters):
    """Begin the books of a legal entity."""

    name: Name
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    bank_code: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,8}$")]
    currency: Currency
    business_date: Day


class SetAccountStatus(Parameters):
    """Block, close or reopen an account; what is closed stays closed."""

    account_id: Id
    status: AccountStatus


class BlockCard(Parameters):
    """Block a card for good."""

    card_id: Id
    reason: BlockReason


class AddPayee(Parameters):
    """Keep somebody a customer pays."""

    party_id: Id
    name: Name
    iban: Iban


def open_bank_effect(parameters: OpenBank) -> bytes:
    """Return the effect digest of opening the books."""
    return effect(
        "bank/v1",
        parameters.country,
        parameters.bank_code,
        parameters.currency,
        parameters.business_date,
    )


def set_account_status_effect(parameters: SetAccountStatus) -> bytes:
    """Return the effect digest of a change of status."""
    return effect("account_status/v1", parameters.account_id, parameters.status)


def block_card_effect(parameters: BlockCard) -> bytes:
    """Return the effect digest of blocking a card."""
    return effect("card_block/v1", parameters.card_id)


def add_payee_effect(parameters: AddPayee) -> bytes:
    """Return the effect digest of keeping a payee."""
    return effect("payee/v1", parameters.party_id, parameters.iban, parameters.name)
