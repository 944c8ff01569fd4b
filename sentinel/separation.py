"""Segregation of duties: pairs of things that nobody may hold at once, kept as data."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from sentinel.log.records import append

# What a bank starts with; two people may change it like any other rule of authority.
FIRST_PAIRS = (
    (
        "act:limits.set",
        "approve:payments.transfer",
        "Who sets limits does not approve payments under them.",
    ),
    (
        "act:authority.grant",
        "approve:authority.grant",
        "Who gives authority does not approve that it is given.",
    ),
    (
        "role:compliance_officer",
        "role:engineer",
        "Who writes rules as an engineer does not put them in force.",
    ),
    (
        "role:compliance_officer",
        "role:process_owner",
        "Who owns a process does not approve how it is changed.",
    ),
)


@dataclass(frozen=True, slots=True)
class Separation:
    """Two things that are kept apart, since when and why."""

    first: str
    second: str
    reason: str
    set_at: datetime


def separations() -> tuple[Separation, ...]:
    """Return the pairs that are kept apart now, by name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT first, second, reason, set_at FROM ("
            "SELECT DISTINCT ON (first, second) * FROM sentinel_separation"
            " ORDER BY first, second, position DESC) s WHERE is_apart ORDER BY first, second"
        )
        return tuple(Separation(*row) for row in cursor.fetchall())


def write_first_pair(first: str, second: str, reason: str) -> None:
    """Keep a pair apart from the genesis of a legal entity on, and put that on record."""
    body = {"first": first, "is_apart": True, "reason": reason, "second": second}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT sentinel_write_first_separation(%s, %s, %s)", [first, second, reason]
        )
        append(cursor, kind="authority", body=body)
