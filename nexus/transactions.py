"""Bookings as the customer sees them: pages, spending, and the habits a fraud score needs."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import connection

from nexus.columns import containing
from sentinel.public import run_statement

PAGE_MAX = 200


@dataclass(frozen=True, slots=True)
class Booking:
    """One booking on an account; money out is negative, in minor units."""

    id: int
    transfer_id: UUID
    account_id: UUID
    amount_minor_units: int
    currency: str
    booked_at: datetime
    booking_date: date
    counterparty_name: str
    counterparty_iban: str
    remittance: str
    category: str
    end_to_end_id: str
    decision_id: UUID | None


@dataclass(frozen=True, slots=True)
class BookingPage:
    """A page of bookings, newest first; `before` asks for the next one, None at the end."""

    bookings: tuple[Booking, ...]
    before: str | None


@dataclass(frozen=True, slots=True)
class BookingFilter:
    """What to look for: words in name, description or IBAN, a category, a direction."""

    search: str = ""
    category: str | None = None
    direction: str | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What went out in one category and month, as a positive amount in minor units."""

    month: date
    category: str
    currency: str
    minor_units: int
    count: int


@dataclass(frozen=True, slots=True)
class PaymentHistory:
    """The customer's habits that a payment is compared with; amounts in minor units."""

    median_minor_units: int
    p95_minor_units: int
    payments_to_iban: int
    days_since_first_payment_to_iban: int | None
    count_last_day: int
    sum_last_day_minor_units: int
    days_since_account_opened: int


_COLUMNS = (
    "id, transfer_id, account_id, amount_minor_units, currency, booked_at, booking_date,"
    " counterparty_name, counterparty_iban, remittance, category, end_to_end_id, decision_id"
)


def transactions(
    *,
    customer_id: UUID,
    account_id: UUID | None = None,
    filters: BookingFilter | None = None,
    before: str | None = None,
    limit: int = 50,
) -> BookingPage:
    """Return a customer's bookings, newest first, a page at a time.

    Raises:
        ValueError: `before` is not what an earlier page handed out.
    """
    wanted = filters or BookingFilter()
    moment, last_id = _place(before)
    pattern = containing(wanted.search)
    size = max(1, min(limit, PAGE_MAX))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT {_COLUMNS} FROM nexus_transaction
             WHERE customer_id = %(customer)s
               AND (%(account)s::uuid IS NULL OR account_id = %(account)s)
               AND (%(category)s::text IS NULL OR category = %(category)s)
               AND (%(direction)s::text IS NULL
                    OR (%(direction)s = 'in') = (amount_minor_units > 0))
               AND (counterparty_name ILIKE %(text)s OR remittance ILIKE %(text)s
                    OR counterparty_iban ILIKE %(iban)s)
               AND (%(moment)s::timestamptz IS NULL
                    OR (booked_at, id) < (%(moment)s::timestamptz, %(last)s))
             ORDER BY booked_at DESC, id DESC
             LIMIT %(size)s
            """,  # noqa: S608  (the column list is a constant of this module)
            {
                "customer": customer_id,
                "account": account_id,
                "category": wanted.category,
                "direction": wanted.direction,
                "text": pattern,
                "iban": pattern.replace(" ", ""),
                "moment": moment,
                "last": last_id,
                "size": size + 1,
            },
        )
        found = [Booking(*row) for row in cursor.fetchall()]
    page = tuple(found[:size])
    more = f"{page[-1].booked_at.isoformat()}|{page[-1].id}" if len(found) > size else None
    return BookingPage(bookings=page, before=more)


def booking_of(*, customer_id: UUID, transfer_id: UUID) -> Booking | None:
    """Return what a transfer booked on the account of the customer it left, if they sent it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM nexus_transaction WHERE transfer_id = %s"  # noqa: S608
            " AND customer_id = %s AND amount_minor_units < 0 AND entity = frontline_entity()",
            [transfer_id, customer_id],
        )
        row = cursor.fetchone()
    return Booking(*row) if row else None


def spending(
    *, customer_id: UUID, since: date, until: date, category: str | None = None
) -> tuple[Spent, ...]:
    """Return what a customer spent by month and category between two dates, both included.

    Transfers between the customer's own accounts are not spending.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT date_trunc('month', booking_date)::date, coalesce(nullif(category, ''), 'other'),
                   currency, -sum(amount_minor_units)::bigint, count(*)
              FROM nexus_transaction
             WHERE customer_id = %s AND amount_minor_units < 0
               AND booking_date BETWEEN %s AND %s
               AND (%s::text IS NULL OR category = %s)
               AND counterparty_iban NOT IN (SELECT iban FROM nexus_account_state
                                              WHERE customer_id = %s)
             GROUP BY 1, 2, 3
             ORDER BY 1 DESC, 4 DESC, 2
            """,
            [customer_id, since, until, category, category, customer_id],
        )
        return tuple(Spent(*row) for row in cursor.fetchall())


def payment_history(
    *, customer_id: UUID, account_id: UUID, iban: str, at: datetime
) -> PaymentHistory:
    """Return the habits of a customer over the year before `at`, seen from one payment."""
    rows = run_statement(
        sql="""
        SELECT coalesce(percentile_disc(0.5) WITHIN GROUP (ORDER BY -amount_minor_units), 0),
               coalesce(percentile_disc(0.95) WITHIN GROUP (ORDER BY -amount_minor_units), 0),
               count(*) FILTER (WHERE counterparty_iban = %(iban)s),
               min(booked_at) FILTER (WHERE counterparty_iban = %(iban)s),
               count(*) FILTER (WHERE booked_at > %(day)s),
               coalesce(-sum(amount_minor_units) FILTER (WHERE booked_at > %(day)s), 0)::bigint
          FROM nexus_transaction
         WHERE customer_id = %(customer)s AND amount_minor_units < 0
           AND booked_at BETWEEN %(year)s AND %(at)s
        """,
        parameters={
            "iban": iban,
            "customer": customer_id,
            "at": at,
            "day": at - timedelta(days=1),
            "year": at - timedelta(days=365),
        },
    )
    ((median, p95, to_iban, first, day_count, day_sum),) = rows
    opened = run_statement(
        sql="SELECT opened_on FROM nexus_account_state WHERE account_id = %s",
        parameters=[account_id],
    )
    return PaymentHistory(
        median_minor_units=median,
        p95_minor_units=p95,
        payments_to_iban=to_iban,
        days_since_first_payment_to_iban=(at - first).days if first else None,
        count_last_day=day_count,
        sum_last_day_minor_units=day_sum,
        days_since_account_opened=(at.date() - opened[0][0]).days if opened else 0,
    )


def _place(before: str | None) -> tuple[datetime | None, int]:
    if before is None:
        return None, 0
    moment, _, last_id = before.partition("|")
    return datetime.fromisoformat(moment), int(last_id)
