"""`read:` steps about a transfer that was made: what it was, and who of the bank had seen it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings

import nexus.public
import sentinel.public
from orchestration.step_results import Answered, StepContext
from orchestration.wording import date_words, money_words

RECENT_SHOWN = 6
_SHOWN = ("creditor_name", "creditor_iban", "amount", "execution_date", "debtor_account_id")
# A person of the bank looked at the payment, and it was made because of what they found.
_SEEN_BY = ("call_back_done", "fraud_cleared_by_person", "screening_cleared_by_person")


class TransferNotAsTold(ValueError):
    """An event tells of a transfer that the bank's records do not show, or show otherwise."""

    code = "transfer_not_as_told"
    is_retryable = False

    def __init__(self, transfer_id: str, reason: str) -> None:
        super().__init__(transfer_id, reason)
        self.transfer_id, self.reason = transfer_id, reason


def posted_transfer(context: StepContext, inputs: Mapping[str, object]) -> Answered:
    """Check a transfer an event tells of against the records, and say what is known around it.

    Input `transfer`: the event. `known` is as it was just before the transfer was made.

    Raises:
        TransferNotAsTold: it is malformed, or not what was booked.
    """
    told = inputs.get("transfer")
    booking = _booking(context.customer_id, told if isinstance(told, Mapping) else {})
    assert context.customer_id is not None
    state = nexus.public.customer_state(customer_id=context.customer_id)
    amount = {"minor_units": -booking.amount_minor_units, "currency": booking.currency}
    account = next(each for each in state.accounts if each.account_id == booking.account_id)
    known = _known(context.customer_id, booking, state)
    reference = f"nexus_transaction:{booking.transfer_id}"
    names = (*_SHOWN, "remittance")
    return Answered(
        {
            "creditor_name": booking.counterparty_name,
            "creditor_iban": booking.counterparty_iban,
            "amount": amount,
            "remittance": booking.remittance,
            "purpose": _purpose_given(booking.decision_id),
            "debtor_account_id": str(booking.account_id),
            "execution_date": booking.booking_date.isoformat(),
            "booked_at": booking.booked_at.isoformat(),
            "decision_id": str(booking.decision_id) if booking.decision_id else None,
            "known": known,
            "preview": {"debtor_iban": account.iban},
            "sources": {
                name: {"provenance": "system_of_record", "reference": reference} for name in names
            },
            "findings": _findings(context.customer_id, booking, known),
        }
    )


def _purpose_given(decision_id: UUID | None) -> str:
    """Return what the customer said the payment is for when they were asked before it was made."""
    if decision_id is None:
        return ""
    try:
        found = sentinel.public.explain(decision_id=decision_id)
    except sentinel.public.DecisionUnknown:
        return ""
    return next((str(each.value) for each in found.facts if each.name == "payment_purpose"), "")


def earlier_look(_context: StepContext, inputs: Mapping[str, object]) -> Answered:
    """Tell whether a person of the bank looked at a payment before it was made.

    Input `decision_id`: of the decision it was made by.
    """
    named = inputs.get("decision_id")
    if not named:
        return Answered({"is_reviewed": False, "by": []})
    found = sentinel.public.explain(decision_id=UUID(str(named)))
    seen = [fact.name for fact in found.facts if fact.name in _SEEN_BY and fact.value is True]
    return Answered({"is_reviewed": bool(seen), "by": seen})


def _booking(customer_id: UUID | None, told: Mapping[str, object]) -> nexus.public.Booking:
    named = str(told.get("transfer_id"))
    try:
        transfer_id = UUID(named)
    except ValueError as error:
        raise TransferNotAsTold(named, "no transfer is named") from error
    if customer_id is None:
        raise TransferNotAsTold(named, "no customer is named")
    booking = nexus.public.booking_of(customer_id=customer_id, transfer_id=transfer_id)
    if booking is None:
        raise TransferNotAsTold(named, "nothing of it is booked")
    amount, account = told.get("amount_minor_units"), told.get("account_id")
    if amount != -booking.amount_minor_units or account != str(booking.account_id):
        raise TransferNotAsTold(named, "it is booked otherwise")
    return booking


def _known(
    customer_id: UUID, booking: nexus.public.Booking, state: nexus.public.CustomerState
) -> dict[str, object]:
    before = booking.booked_at - timedelta(microseconds=1)
    history = nexus.public.payment_history(
        customer_id=customer_id,
        account_id=booking.account_id,
        iban=booking.counterparty_iban,
        at=before,
    )
    local = booking.booked_at.astimezone(ZoneInfo(settings.DISPLAY_TIME_ZONE))
    return {
        "as_of": before.isoformat(),
        "is_own_account": booking.counterparty_iban in {each.iban for each in state.accounts},
        "paid_before": history.payments_to_iban,
        "payee_days": history.days_since_first_payment_to_iban or 0,
        "share_permille": _share(booking, state),
        "hour": local.hour,
        "payments_last_day": history.count_last_day,
    }


def _share(booking: nexus.public.Booking, state: nexus.public.CustomerState) -> int:
    """Return how much of what the account held left with it, in permille; at most a thousand."""
    account = next(each for each in state.accounts if each.account_id == booking.account_id)
    sent = -booking.amount_minor_units
    held = account.booked_minor_units + sent
    return 1000 if held <= sent else sent * 1000 // held


def _findings(
    customer_id: UUID, booking: nexus.public.Booking, known: Mapping[str, object]
) -> list[dict[str, str]]:
    page = nexus.public.transactions(customer_id=customer_id, limit=RECENT_SHOWN + 1)
    others = [each for each in page.bookings if each.transfer_id != booking.transfer_id]
    listed = "; ".join(_line(each) for each in others[:RECENT_SHOWN])
    paid = _paid_before(int(str(known["paid_before"])), int(str(known["payee_days"])))
    found = (
        ("made_at", "Made at", _moment(booking.booked_at)),
        ("share", "Share of the balance", f"{int(str(known['share_permille'])) / 10:.0f} %"),
        ("payee", "This payee", paid),
        ("recent", "Other recent bookings", listed or "None"),
    )
    source = "From the bank's records"
    return [{"name": n, "label": label, "value": v, "source": source} for n, label, v in found]


def _paid_before(times: int, days: int) -> str:
    if not times:
        return "Paid for the first time"
    since = "first on the same day" if not days else f"first {days} days before"
    return f"Paid {times} times before, {since}"


def _moment(at: datetime) -> str:
    local = at.astimezone(ZoneInfo(settings.DISPLAY_TIME_ZONE))
    return f"{date_words(local.date().isoformat())}, {local:%H:%M}"


def _line(booking: nexus.public.Booking) -> str:
    money = money_words(booking.amount_minor_units, booking.currency)
    day = date_words(booking.booking_date.isoformat())
    return f"{day} {money} {booking.counterparty_name}"
