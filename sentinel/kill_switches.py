"""Kill switches: stop everything, an action, an actor, agents, a rule, or a key, at once.

Each change is a new row with a higher number. A token carries the highest number its decision
saw, so setting a switch also revokes the tokens that are already out.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """The state of one scope: whether it is stopped, since when, by whom and why."""

    scope: str
    is_stopped: bool
    reason: str
    set_by: str
    set_at: datetime


def kill_switches() -> tuple[KillSwitch, ...]:
    """Return every scope that was ever stopped, as it stands now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (scope) scope, is_stopped, reason, set_by, set_at"
            " FROM sentinel_kill_switch ORDER BY scope, position DESC"
        )
        return tuple(KillSwitch(*row) for row in cursor.fetchall())
