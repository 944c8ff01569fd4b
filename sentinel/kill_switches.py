"""Kill switches: stop everything, one action, one person or agent, or one key, at once.

Each change is a new row with a higher number. A token carries the highest number its decision
saw, so setting a switch also revokes the tokens that are already out.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from sentinel.log.records import append
from sentinel.refusals import SentinelError
from sentinel.vocabulary import Principal

_SCOPE = re.compile(r"all|action:[a-z_.]+|actor:[a-z]+:[A-Za-z0-9_.-]+|kid:[A-Za-z0-9_-]{43}")


class ScopeRefused(SentinelError):
    """The scope is none of all, action:<kind>, actor:<principal>, kid:<key>."""

    code = "scope_refused"

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """The state of one scope: whether it is stopped, since when, by whom and why."""

    scope: str
    is_stopped: bool
    reason: str
    set_by: str
    set_at: datetime


def set_kill_switch(*, scope: str, is_stopped: bool, reason: str, by: Principal) -> None:
    """Stop a scope, or let it go on; tokens already out for it are revoked either way.

    Raises:
        ScopeRefused: there is no such kind of scope.
    """
    if not _SCOPE.fullmatch(scope):
        raise ScopeRefused(scope)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_kill_switch (scope, is_stopped, reason, set_by)"
            " VALUES (%s, %s, %s, %s)",
            [scope, is_stopped, reason, by.id],
        )
        body = {"by": by.id, "is_stopped": is_stopped, "reason": reason, "scope": scope}
        append(cursor, kind="kill_switch", body=body)


def kill_switches() -> tuple[KillSwitch, ...]:
    """Return every scope that was ever stopped, as it stands now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (scope) scope, is_stopped, reason, set_by, set_at"
            " FROM sentinel_kill_switch ORDER BY scope, position DESC"
        )
        return tuple(KillSwitch(*row) for row in cursor.fetchall())
