"""Limits: how much a holder may move in a day, and from which amount on a second person looks.

What counts is reserved when a permit is given and settled or released with its outcome, so two
payments at once cannot both use the last of a limit.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from sentinel.log.records import append
from sentinel.vocabulary import Money

DAILY_OUTGOING = "daily_outgoing"
APPROVAL_THRESHOLD = "approval_threshold"
EVERYBODY = "*"
DEFAULTS = {DAILY_OUTGOING: 1_000_000, APPROVAL_THRESHOLD: 500_000}


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit as it stands for one holder: their own if they have one, else everybody's."""

    name: str
    holder: str
    cap: Money
    used: Money


def write_first_limit(name: str, cap: Money, *, at: datetime) -> None:
    """Write a limit for everybody at the genesis of a legal entity, and its record."""
    body = {
        "cap": cap.as_decimal(),
        "currency": cap.currency,
        "effective_from": at.isoformat(),
        "holder": EVERYBODY,
        "name": name,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT sentinel_write_first_limit(%s, %s, %s, %s)",
            [name, cap.currency, cap.minor_units, at],
        )
        append(cursor, kind="limit", body=body)


def limits_of(*, holder: str, currency: str, at: datetime) -> tuple[Limit, ...]:
    """Return the limits that apply to a holder now and how much of each is used today."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (l.name) l.name, l.holder, l.cap_minor, coalesce(u.used_minor, 0)"
            " FROM sentinel_limit l LEFT JOIN sentinel_usage u ON u.name = l.name"
            " AND u.holder = %(holder)s AND u.currency = l.currency AND u.day = %(day)s"
            " WHERE l.holder IN ('*', %(holder)s) AND l.currency = %(currency)s"
            " AND l.effective_from <= %(at)s"
            " ORDER BY l.name, (l.holder = '*'), l.position DESC",
            {"holder": holder, "currency": currency, "day": at.date(), "at": at},
        )
        return tuple(
            Limit(name, whose, Money(cap, currency), Money(used, currency))
            for name, whose, cap, used in cursor.fetchall()
        )
