"""Whether a customer asked for the same payment before: the same payee, amount and description."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from orchestration import reads, same_day
from orchestration.dialogue.payments import PaymentView, each_payment_of
from orchestration.step_results import Answered, StepContext
from orchestration.wording import date_words

DAYS_MAX = 90
_LOOKED_AT = 50
_COUNTS = {"done", "in_review", "waiting_for_you"}


def payment_preview(context: StepContext, inputs: Mapping[str, object]) -> Answered:
    """Look at a payment before anybody is asked, and at what was asked for before.

    Input `payment`. `same` is None, or says when, in days and in words. To a payee who is new,
    `sent_today_minor_units` is what else goes to the same account on this business day.
    """
    looked = reads.payment_preview(context, inputs)
    payment = inputs["payment"]
    assert isinstance(payment, Mapping)
    assert context.customer_id is not None
    same = same_payment(
        payment, customer_id=context.customer_id, instance_id=context.instance_id, at=context.at
    )
    sent_today = 0
    if not (looked.output["is_iban_known"] or looked.output["is_own_account"]):
        sent_today = same_day.sent_today(
            customer_id=context.customer_id,
            iban=str(payment["creditor_iban"]),
            instance_id=context.instance_id,
            at=context.at,
        )
    return Answered({**looked.output, "same": same, "sent_today_minor_units": sent_today})


def same_payment(
    payment: Mapping[str, object], *, customer_id: UUID, instance_id: UUID, at: datetime
) -> dict[str, object] | None:
    """Return the newest payment like this one that was made or is under way, or None.

    What was refused, cancelled or has expired moved nothing and is no repetition.
    """
    since = at - timedelta(days=DAYS_MAX)
    # The payment itself is not written yet while it is looked at.
    for earlier in each_payment_of(
        customer_id=customer_id, limit=_LOOKED_AT, at=at, but=instance_id
    ):
        if earlier.started_at < since:
            return None
        if earlier.state in _COUNTS and _is_same(earlier, payment):
            return _described(earlier, at)
    return None


def _is_same(earlier: PaymentView, payment: Mapping[str, object]) -> bool:
    is_same_payee = earlier.creditor_iban == payment["creditor_iban"] or _plain(
        earlier.creditor_name
    ) == _plain(payment["creditor_name"])
    return (
        is_same_payee
        and earlier.amount == reads.money_of(payment["amount"])
        and _plain(earlier.remittance) == _plain(payment.get("remittance"))
    )


def _described(earlier: PaymentView, at: datetime) -> dict[str, object]:
    day = (earlier.finished_at or earlier.started_at).date()
    on = date_words(day.isoformat())
    words = (
        f"You paid the same (payee, amount and description) on {on}."
        if earlier.state == "done"
        else f"You asked for the same (payee, amount and description) on {on}, and it is under way."
    )
    return {"payment": str(earlier.id), "days": (at.date() - day).days, "words": words}


def _plain(text: object) -> str:
    return " ".join(str(text or "").casefold().split())
