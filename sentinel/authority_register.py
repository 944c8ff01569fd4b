"""The register of authority: every version of who may decide what, and what stands of it now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from sentinel.separation import separations
from sentinel.vocabulary import Money

ROWS_MAX = 1_000
_ROWS = """
SELECT a.id, a.kind, a.holder, a.holder_person, a.role, a.powers, a.kinds, a.cap_minor, a.currency,
  a.on_behalf_of, a.delegator, a.parent, a.depth, a.valid_from, a.valid_until, a.reason,
  a.replaces, a.maker, a.written_at, e.ended_at,
  CASE WHEN e.ended_at IS NOT NULL THEN 'ended' WHEN a.valid_from > %(at)s THEN 'coming'
    WHEN a.valid_until <= %(at)s THEN 'over'
    WHEN sentinel_authority_stands(a.id, %(at)s) THEN 'stands' ELSE 'cut_off' END
FROM sentinel_authority a LEFT JOIN sentinel_authority_end e ON e.authority = a.id
ORDER BY a.position DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Authority:
    """One version of one authority. `standing` is stands, coming, over, ended or cut_off.

    What is cut off was delegated from something that stands no more.
    """

    id: UUID
    kind: str
    holder: str
    holder_person: str
    role: str
    powers: str
    kinds: tuple[str, ...]
    cap: Money | None
    on_behalf_of: str
    delegator: str
    parent: UUID | None
    depth: int
    valid_from: datetime
    valid_until: datetime | None
    reason: str
    replaces: UUID | None
    maker: str
    written_at: datetime
    ended_at: datetime | None
    standing: str


@dataclass(frozen=True, slots=True)
class DutyConflict:
    """A person who holds two things that are kept apart."""

    person: str
    first: str
    second: str
    reason: str


def authorities(*, at: datetime) -> tuple[Authority, ...]:
    """Return every version of every authority with how it stands, newest first, at most 1,000."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS, {"at": at, "limit": ROWS_MAX})
        rows = cursor.fetchall()
    return tuple(_authority(row) for row in rows)


def duty_conflicts(
    *, roles_of_record: Mapping[str, Sequence[str]], at: datetime
) -> tuple[DutyConflict, ...]:
    """Return who holds two things kept apart, by record and authority; roles are by person."""
    held = {person: {f"role:{role}" for role in roles} for person, roles in roles_of_record.items()}
    for each in authorities(at=at):
        if each.holder_person and each.standing in {"stands", "coming"}:
            held.setdefault(each.holder_person, set()).update(_sides(each))
    return tuple(
        DutyConflict(person, pair.first, pair.second, pair.reason)
        for person, sides in sorted(held.items())
        for pair in separations()
        if _holds(sides, pair.first) and _holds(sides, pair.second)
    )


def _authority(row: tuple[Any, ...]) -> Authority:
    cap = None if row[7] is None else Money(row[7], row[8])
    values: list[Any] = [*row[:6], tuple(row[6]), cap, *row[9:]]
    return Authority(**dict(zip(Authority.__dataclass_fields__, values, strict=True)))


def _sides(each: Authority) -> set[str]:
    powers = ("act", "approve") if each.powers == "both" else (each.powers,)
    sides = {f"{power}:{kind}" for power in powers for kind in each.kinds}
    return sides | {f"role:{each.role}"} if each.role else sides


def _holds(sides: set[str], side: str) -> bool:
    power, _, _ = side.partition(":")
    return side in sides or (power != "role" and f"{power}:*" in sides)
