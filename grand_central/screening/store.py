"""Reads the lists in force from the database."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from sentinel.public import run_statement


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
    rows = run_statement(sql=_IN_FORCE)
    return tuple(ScreeningList(*row) for row in rows)


def lines_of(list_id: UUID) -> list[str]:
    """Return the lines of the entries of a list, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line FROM screening_entry WHERE list_id = %s ORDER BY line_number", [list_id]
        )
        return [row[0] for row in cursor.fetchall()]
