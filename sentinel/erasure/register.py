"""Who is held, who was forgotten, and how an erasure is done again after a restore."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from sentinel.entities import current_entity

REAPPLY = "SELECT sentinel_reapply_erasure(%s, %s, %s)"
_HOLDS = """
SELECT h.hold_id, h.subject, h.reason, h.until, h.maker, h.maker_person, h.checker_person,
  h.written_at, r.written_at, r.reason,
  r.written_at IS NULL AND (h.until IS NULL OR h.until > clock_timestamp())
FROM sentinel_legal_hold h
LEFT JOIN sentinel_legal_hold r ON r.entity = h.entity AND r.hold_id = h.hold_id
  AND r.event = 'released'
WHERE h.event = 'placed' AND (%(subject)s::text IS NULL OR h.subject = %(subject)s)
ORDER BY h.position DESC
"""
_ERASURES = """
SELECT r.id, r.decision_id, r.recorded_at, convert_from(r.body, 'UTF8'), l.idx
FROM sentinel_record r LEFT JOIN sentinel_leaf l ON l.record_id = r.id
WHERE r.kind = 'erasure' ORDER BY r.recorded_at, r.id
"""
_STANDING = "SELECT created_at, destroyed_at FROM sentinel_subject_key WHERE subject = %s"


@dataclass(frozen=True, slots=True)
class LegalHold:
    """A duty to keep a person's data; `is_standing` while it forbids erasing them."""

    id: UUID
    subject: str
    reason: str
    until: datetime | None
    maker: str
    maker_person: str
    checker_person: str
    placed_at: datetime
    released_at: datetime | None
    released_for: str | None
    is_standing: bool


@dataclass(frozen=True, slots=True)
class Erasure:
    """A subject whose key was destroyed, as the log says it; `index` is None until sequenced."""

    entity: str
    subject: str
    decision_id: UUID
    record_id: UUID
    index: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class SubjectStanding:
    """Since when something is sealed for a subject, and when their key was destroyed, if it was."""

    subject: str
    known_since: datetime
    forgotten_at: datetime | None


def legal_holds(*, subject: str | None = None) -> tuple[LegalHold, ...]:
    """Return every legal hold there was, of one subject or of all, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLDS, {"subject": subject})
        return tuple(LegalHold(*row) for row in cursor.fetchall())


def erasures() -> tuple[Erasure, ...]:
    """Return everybody who was forgotten, from the log's leaves, oldest first.

    Kept outside the bank, this is the list that `reapply_erasures` needs after a restore.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ERASURES)
        rows = cursor.fetchall()
    return tuple(
        Erasure(
            entity=current_entity(),
            subject=str(json.loads(body)["content"]["subject"]),
            decision_id=decision_id,
            record_id=record_id,
            index=index,
            at=at,
        )
        for record_id, decision_id, at, body, index in rows
    )


def subject_standing(*, subject: str) -> SubjectStanding | None:
    """Return since when a subject is known and when they were forgotten; None if nothing is kept.

    Raises:
        EntityNotSet: no legal entity is being worked for.
    """
    current_entity()
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [subject])
        row = cursor.fetchone()
    return SubjectStanding(subject, *row) if row else None


def reapply_erasures(
    *, erased: Iterable[Erasure], run: Callable[[str, list[object]], bool]
) -> tuple[Erasure, ...]:
    """Erase again, after a backup from before was put back; return what had come back.

    `run` executes one statement as the tables' owner and returns its single value: the application
    itself cannot. A legal hold that the backup brings back must be released first.
    """
    return tuple(
        each for each in erased if run(REAPPLY, [each.entity, each.subject, each.decision_id])
    )
