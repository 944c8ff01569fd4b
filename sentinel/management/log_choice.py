"""Which legal entity's log a command works on."""

from datetime import UTC, datetime

from django.core.management.base import CommandError
from django.db import connection

from sentinel.entities import legal_entity


def entities_with_logs() -> list[str]:
    """Return the legal entities that have recorded something, by name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sentinel_log_entities() ORDER BY 1")
        return [entity for (entity,) in cursor.fetchall()]


def chosen_entity(named: str | None) -> str:
    """Return the legal entity named, or the one whose log began first.

    Raises:
        CommandError: the one named has no log, or there is none at all.
    """
    found = entities_with_logs()
    if not found:
        raise CommandError("Nothing has been recorded yet.")
    if named is not None and named not in found:
        raise CommandError(f"{named} has no log; there are: {', '.join(found)}")
    return named or min(found, key=_began_at)


def _began_at(entity: str) -> datetime:
    with legal_entity(entity=entity), connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.recorded_at FROM sentinel_record r JOIN sentinel_leaf l ON l.record_id = r.id"
            " ORDER BY l.idx LIMIT 1"
        )
        row = cursor.fetchone()
    return row[0] if row else datetime.max.replace(tzinfo=UTC)
