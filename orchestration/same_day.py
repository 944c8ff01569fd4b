"""What a customer sends to one account on one business day, by whatever way it was ordered."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection

import nexus.public
from orchestration import act
from orchestration.dialogue.payments import PaymentView, each_payment_since

# No business day is open longer; what is under way counts however old it is.
_DAYS_OPEN_MAX = 14


def sent_today(*, customer_id: UUID, iban: str, instance_id: UUID, at: datetime) -> int:
    """Return what goes to an account on the day the bank is booking, but this payment; in cents.

    It counts what was booked, what was paid and what is under way. Payments of one customer that
    ask at once are told apart: each waits until the one before it is written down.
    """
    _wait_for(customer_id)
    day = act.booking_day() or at.date()
    since = at - timedelta(days=_DAYS_OPEN_MAX)
    asked = [
        each
        for each in each_payment_since(customer_id=customer_id, since=since, at=at, but=instance_id)
        if _plain(each.creditor_iban) == _plain(iban) and _goes_on(each, day)
    ]
    decided = {each.decision_id for each in asked if each.decision_id}
    booked = sum(
        -each.amount_minor_units
        for each in _booked_on(day, customer_id, iban)
        if str(each.decision_id) not in decided
    )
    return booked + sum(each.amount.minor_units for each in asked)


def _goes_on(payment: PaymentView, day: date) -> bool:
    """Tell whether a payment is under way, or was made on this day."""
    if payment.finished_at is None:
        return True
    return payment.state == "done" and payment.execution_date == day


def _booked_on(day: date, customer_id: UUID, iban: str) -> Iterator[nexus.public.Booking]:
    wanted = nexus.public.BookingFilter(search=iban, direction="out")
    before = None
    while True:
        page = nexus.public.transactions(customer_id=customer_id, filters=wanted, before=before)
        for each in page.bookings:
            if each.booking_date == day and _plain(each.counterparty_iban) == _plain(iban):
                yield each
        before = page.before
        if before is None or all(each.booking_date < day for each in page.bookings):
            return


def _wait_for(customer_id: UUID) -> None:
    """Let one payment of a customer at a time count the others, until its commit."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(frontline_entity() || %s, 4715))",
            [str(customer_id)],
        )


def _plain(iban: str) -> str:
    return "".join(iban.split()).upper()
