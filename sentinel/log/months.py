"""The records of the log lie in a partition for each month, found by their own identifiers.

An identifier of version 7 begins with its time, so a month is a range of identifiers: one unique
index holds over all months, and looking up a record reads one of them. What has an identifier of
another kind, or comes in a month nobody opened, lies in a partition for the rest.
"""

from dataclasses import dataclass

from django.db import connection

MONTHS_AHEAD = 2


@dataclass(frozen=True, slots=True)
class LogMonth:
    """One partition of the records: "2026-11", or "other" for what fits in no month."""

    name: str
    bytes: int


def open_months_once(*, ahead: int = MONTHS_AHEAD) -> int:
    """Make the partitions of this month and of so many after it; return how many were new."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sentinel_open_months(%s)", [ahead])
        return int(cursor.fetchone()[0])


def log_months() -> tuple[LogMonth, ...]:
    """Return the partitions of the records, the oldest first, and what each takes on the disk."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT substr(c.relname, length('sentinel_record_') + 1),"
            " pg_total_relation_size(c.oid)"
            " FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'sentinel_record'::regclass ORDER BY c.relname"
        )
        return tuple(LogMonth(name.replace("_", "-"), size) for name, size in cursor.fetchall())
