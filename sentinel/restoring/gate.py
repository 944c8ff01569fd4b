"""The gate of a legal entity: shut by a restore, opened by its owner when everything is looked at.

While it is shut nothing is permitted and nothing is spent, but for kill switches.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

_GATE = """
SELECT backup, shut_at, epoch, size, continued_at, witnessed_size, opened_at,
    coalesce((SELECT max(position) FROM sentinel_kill_switch k
        WHERE k.entity = g.entity AND k.scope = 'all'), 0)
FROM sentinel_gate g ORDER BY position DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Gate:
    """How the gate stands since the last restore; `size` is how long the log was put back.

    `witnessed_size` is the longest log that was seen elsewhere, once somebody said so.
    """

    backup: UUID
    shut_at: datetime
    epoch: int
    size: int
    continued_at: datetime | None
    witnessed_size: int | None
    opened_at: datetime | None
    epoch_now: int

    @property
    def is_open(self) -> bool:
        """Whether it was opened again."""
        return self.opened_at is not None

    @property
    def is_continued(self) -> bool:
        """Whether the log says from where it goes on."""
        return self.continued_at is not None

    @property
    def is_epoch_risen(self) -> bool:
        """Whether every permit from before the restore is refused."""
        return self.epoch_now >= self.epoch


def gate() -> Gate | None:
    """Return the gate of the current legal entity, or None if nothing was ever restored.

    Raises:
        EntityNotSet: no legal entity is being worked for.
    """
    with connection.cursor() as cursor:
        cursor.execute(_GATE)
        row = cursor.fetchone()
    return Gate(*row) if row else None
