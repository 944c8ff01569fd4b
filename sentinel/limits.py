"""Limits: how much a holder may move in a day, and from which amount on a second person looks.

What counts is reserved when a permit is given and settled or released with its outcome, so two
payments at once cannot both use the last of a limit.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from sentinel.log.records import append
from sentinel.policy.publishing import SamePerson
from sentinel.vocabulary import Money, Principal

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


def set_limit(
    *, name: str, holder: str, cap: Money, maker: Principal, checker: Principal, at: datetime
) -> None:
    """Set a limit for one holder or everybody ("*"), proposed by one person, checked by another.

    Raises:
        SamePerson: maker and checker are one person.
    """
    if maker.person_id == checker.person_id:
        raise SamePerson
    write_limit(name, holder, cap, maker=maker, checker=checker, at=at, is_genesis=False)


def write_limit(  # noqa: PLR0913 - a limit has these parts
    name: str,
    holder: str,
    cap: Money,
    *,
    maker: Principal,
    checker: Principal,
    at: datetime,
    is_genesis: bool,
) -> None:
    """Write a limit and its record."""
    body = {
        "cap": cap.as_decimal(),
        "checker": checker.id,
        "currency": cap.currency,
        "effective_from": at.isoformat(),
        "holder": holder,
        "maker": maker.id,
        "name": name,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_limit (name, holder, currency, cap_minor, maker_person,"
            " checker_person, is_genesis, effective_from) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [
                name,
                holder,
                cap.currency,
                cap.minor_units,
                maker.person_id,
                checker.person_id,
                is_genesis,
                at,
            ],
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
