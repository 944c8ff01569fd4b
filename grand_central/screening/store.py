"""Reads the lists in force from the database."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from grand_central.receipts import Execution


@dataclass(frozen=True, slots=True)
class ScreeningList:
    """A list in force: what it is called, which version, and since when."""

    id: UUID
    name: str
    version: str
    title: str
    is_sample: bool
    digest: str
    entries: int
    loaded_at: datetime


_IN_FORCE = """
    SELECT DISTINCT ON (name) id, name, version, header ->> 'title',
        (header ->> 'is_sample')::boolean, digest, entries, loaded_at
    FROM screening_list WHERE entity = frontline_entity() ORDER BY name, position DESC
"""


def lists_in_force() -> tuple[ScreeningList, ...]:
    """Return the lists names are screened against, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE)
        return tuple(ScreeningList(*row) for row in cursor.fetchall())


def lines_of(list_id: UUID) -> list[str]:
    """Return the lines of the entries of a list, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line FROM screening_entry WHERE list_id = %s ORDER BY line_number", [list_id]
        )
        return [row[0] for row in cursor.fetchall()]


def list_loaded(*, idempotency_key: str) -> Execution | None:
    """Return the core's statement that a list was loaded, or None."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT action_kind, status, reference, position FROM gc_execution"
            " WHERE entity = frontline_entity() AND idempotency_key = %s",
            [idempotency_key],
        )
        row = cursor.fetchone()
    return Execution(*row) if row else None
