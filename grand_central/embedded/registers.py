"""The registers of the embedded core: the bank itself, parties, accounts, cards, payees."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from grand_central.operations.registers import AddPayee, BlockCard, OpenBank, SetAccountStatus
from grand_central.receipts import Receipt, refused

_DONE = {
    "opened": "The books are open.",
    "exists": "This was done before; it was not done again.",
    "changed": "The account has been changed.",
    "blocked": "The card is blocked.",
    "added": "The payee has been added.",
}
# What a batch of each operation calls.
_BATCHES = {
    "parties.register": "SELECT * FROM core_register_parties(%s, %s, string_to_array(%s, E'\\n'))",
    "accounts.open": "SELECT * FROM core_open_accounts(%s, %s, string_to_array(%s, E'\\n'))",
    "cards.issue": "SELECT * FROM core_issue_cards(%s, %s, string_to_array(%s, E'\\n'))",
    "payees.import": "SELECT * FROM core_add_payees(%s, %s, string_to_array(%s, E'\\n'))",
}


def open_bank(*, token: UUID, parameters: OpenBank) -> Receipt:
    """Begin the books of the legal entity in force.

    Raises:
        CoreRefused: it was not redeemed.
    """
    return _single(
        "SELECT * FROM core_open_bank(%s, %s, %s, %s, %s, %s)",
        [
            token,
            parameters.name,
            parameters.country,
            parameters.bank_code,
            parameters.currency,
            parameters.business_date,
        ],
        "bank",
    )


def register_batch(*, operation: str, token: UUID, batch_id: UUID, lines: Sequence[str]) -> Receipt:
    """Write a batch of register entries, each with its own status.

    Raises:
        CoreRefused: the batch as a whole was not redeemed.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BATCHES[operation], [token, batch_id, "\n".join(lines)])
        statuses, position = cursor.fetchone()
    if statuses == ["no_redemption"]:
        raise refused("no_redemption")
    return Receipt(
        status="registered",
        reference=f"batch:{batch_id}",
        position=position,
        words=f"{len(statuses)} entries were taken in.",
        items=tuple(statuses),
    )


def set_account_status(*, token: UUID, parameters: SetAccountStatus) -> Receipt:
    """Block, close or reopen an account.

    Raises:
        CoreRefused: unknown, closed already, or not empty.
    """
    return _single(
        "SELECT * FROM core_set_account_status(%s, %s, %s)",
        [token, parameters.account_id, parameters.status],
        f"account:{parameters.account_id}",
    )


def block_card(*, token: UUID, parameters: BlockCard) -> Receipt:
    """Block a card.

    Raises:
        CoreRefused: the card is unknown or expired.
    """
    return _single(
        "SELECT * FROM core_card_block(%s, %s, %s)",
        [token, parameters.card_id, parameters.reason],
        f"card:{parameters.card_id}",
    )


def add_payee(*, token: UUID, parameters: AddPayee) -> Receipt:
    """Keep a payee of a customer.

    Raises:
        CoreRefused: the customer is unknown.
    """
    return _single(
        "SELECT * FROM core_payee_add(%s, %s, %s, %s)",
        [token, parameters.party_id, parameters.name, parameters.iban],
        f"payee:{token}",
    )


def _single(sql: str, arguments: list[Any], reference: str) -> Receipt:
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        status, position = cursor.fetchone()
    if status not in _DONE:
        raise refused(status)
    return Receipt(status, reference, position, _DONE[status])
