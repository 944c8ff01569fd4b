"""The register of emergencies: who broke glass for what, what runs, and what is owed a review."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

ROWS_MAX = 200
_ROWS = """
SELECT e.id, e.case_id, e.breaker, e.kinds, e.reason, e.begun_at, e.until, x.ended_at,
  coalesce(x.ended_by, ''), e.review_due_at, v.is_justified, coalesce(v.reviewer, ''),
  v.reviewed_at, (SELECT count(*) FROM sentinel_decision d WHERE d.emergency_id = e.id),
  CASE WHEN x.ended_at IS NULL THEN greatest(0, floor(extract(epoch FROM
    e.until - clock_timestamp())))::integer ELSE 0 END,
  v.emergency IS NULL AND e.review_due_at < clock_timestamp()
FROM sentinel_emergency e LEFT JOIN sentinel_emergency_end x ON x.emergency = e.id
LEFT JOIN sentinel_emergency_review v ON v.emergency = e.id
"""
_RUNNING = """
WHERE e.until > clock_timestamp() AND x.emergency IS NULL ORDER BY e.until LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Emergency:
    """One time glass was broken. `is_justified` is None until another person has reviewed it."""

    id: UUID
    case_id: UUID
    breaker: str
    kinds: tuple[str, ...]
    reason: str
    begun_at: datetime
    until: datetime
    ended_at: datetime | None
    ended_by: str
    review_due_at: datetime
    is_justified: bool | None
    reviewer: str
    reviewed_at: datetime | None
    decisions: int
    seconds_left: int
    is_overdue: bool

    @property
    def is_running(self) -> bool:
        """Whether it stands now."""
        return self.seconds_left > 0

    @property
    def minutes_left(self) -> int:
        """How many minutes are left, the one that has begun included."""
        return -(-self.seconds_left // 60)


def emergencies() -> tuple[Emergency, ...]:
    """Return the latest emergencies, newest first, at most 200."""
    return _read(_ROWS + "ORDER BY e.position DESC LIMIT %s", [ROWS_MAX])


def running_emergencies() -> tuple[Emergency, ...]:
    """Return the emergencies that stand now, the one that ends first before the others."""
    return _read(_ROWS + _RUNNING, [ROWS_MAX])


def _read(sql: str, values: list[int]) -> tuple[Emergency, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return tuple(_emergency(row) for row in cursor.fetchall())


def _emergency(row: tuple[Any, ...]) -> Emergency:
    values: list[Any] = [*row[:3], tuple(row[3]), *row[4:]]
    return Emergency(**dict(zip(Emergency.__dataclass_fields__, values, strict=True)))
