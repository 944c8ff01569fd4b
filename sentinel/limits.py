"""Limits: how much may be moved, by whom, from where, for what; and when a second person looks.

What counts is reserved when a permit is given, in every dimension that has a cap, and settled or
released with its outcome, so two payments at once cannot both use the last of a limit.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from sentinel.counting import (
    ACCOUNT_DAILY,
    AGENT_DAILY,
    DAILY_OUTGOING,
    MONTHLY_OUTGOING,
    PURPOSE_DAILY,
    period_of,
)
from sentinel.log.records import append
from sentinel.vocabulary import Money

APPROVAL_THRESHOLD = "approval_threshold"
EVERYBODY = "*"
# Which limits a holder of each kind has; people and those who act for them have the first ones.
_PERSONAL = (DAILY_OUTGOING, MONTHLY_OUTGOING, APPROVAL_THRESHOLD)
_NAMES = {
    "account": (ACCOUNT_DAILY,),
    "purpose": (PURPOSE_DAILY,),
    "agent": (*_PERSONAL, AGENT_DAILY),
}
DEFAULTS = {DAILY_OUTGOING: 1_000_000, APPROVAL_THRESHOLD: 500_000}
_LIMITS_OF = """
SELECT DISTINCT ON (l.name) l.name, l.holder, l.cap_minor, coalesce(u.used_minor, 0)
FROM sentinel_limit l JOIN (
  SELECT %s AS holder, unnest(%s::text[]) AS name, unnest(%s::date[]) AS day) p ON p.name = l.name
LEFT JOIN sentinel_usage u ON u.name = l.name AND u.holder = p.holder
  AND u.currency = l.currency AND u.day = p.day
WHERE l.holder IN ('*', %s, %s) AND l.currency = %s AND l.effective_from <= %s
ORDER BY l.name, l.holder = %s DESC, l.holder = '*', l.position DESC
"""


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
    """Return the limits that apply to a holder now and how much of each is used.

    A holder is somebody who acts, "account:<id>", or "purpose:<name>:<whoever acts>".
    """
    kind, _, rest = holder.partition(":")
    general = f"purpose:{rest.partition(':')[0]}" if kind == "purpose" else EVERYBODY
    names = _NAMES.get(kind, _PERSONAL)
    days = [period_of(name, at.date()) for name in names]
    with connection.cursor() as cursor:
        cursor.execute(
            _LIMITS_OF, [holder, list(names), days, general, holder, currency, at, holder]
        )
        return tuple(
            Limit(name, whose, Money(cap, currency), Money(used, currency))
            for name, whose, cap, used in cursor.fetchall()
        )
