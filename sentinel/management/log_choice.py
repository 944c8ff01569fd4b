"""Which legal entity's log a command works on."""

from django.core.management.base import CommandError
from django.db import connection


def entities_with_logs() -> list[str]:
    """Return the legal entities that have recorded something, by name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT sentinel_log_entities() ORDER BY 1")
        return [entity for (entity,) in cursor.fetchall()]


def chosen_entity(named: str | None) -> str:
    """Return the legal entity named, or the first one that has a log.

    Raises:
        CommandError: the one named has no log, or there is none at all.
    """
    found = entities_with_logs()
    if not found:
        raise CommandError("Nothing has been recorded yet.")
    if named is not None and named not in found:
        raise CommandError(f"{named} has no log; there are: {', '.join(found)}")
    return named or found[0]
