"""Receipts a customer keeps: the log's own record of their payment, with the proof of it."""

from datetime import datetime
from uuid import UUID

import sentinel.public
from interaction.banking import payments
from sentinel.vocabulary import Principal

_PAID = "done"
_EXECUTED = "executed"


class ReceiptNotReady(LookupError):
    """The record is kept and not sealed yet; ask again in a second."""

    code = "receipt_not_ready"
    is_retryable = True

    def __init__(self, payment_id: UUID) -> None:
        super().__init__(payment_id)
        self.payment_id = payment_id


def payment_receipt(*, principal: Principal, payment_id: UUID, at: datetime) -> str | None:
    """Return the receipt of a customer's own payment that was made, or None if there is none.

    It is a C2SP tlog-proof that `frontline-verify` checks without the bank; it names nobody.

    Raises:
        ReceiptNotReady: no signed checkpoint covers the record yet.
    """
    found = next(
        (each for each in payments(principal=principal, at=at) if each.id == payment_id), None
    )
    if found is None or found.state != _PAID or not found.decision_id:
        return None
    try:
        receipts = sentinel.public.receipts_of(decision_id=UUID(found.decision_id))
    except sentinel.public.NotSequencedYet as error:
        raise ReceiptNotReady(payment_id) from error
    except sentinel.public.RecordNotFound:
        return None
    return next((each.text for each in receipts if each.kind == _EXECUTED), None)
