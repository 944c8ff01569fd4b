"""Rows of triggers: what started what, once; what was refused; what is paused or due."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

STRANGERS_REFUSALS_A_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Run:
    """One delivery that started an instance."""

    event_id: str
    digest: bytes
    instance_id: UUID
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """One delivery that started nothing, and why."""

    event_id: str
    code: str
    at: datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """Whether a trigger is paused, and when it is due."""

    is_paused: bool = False
    paused_by: str = ""
    reason: str = ""
    due_at: datetime | None = None


_CONTROL = (
    "SELECT is_paused, paused_by, reason, due_at FROM orch_trigger"
    " WHERE entity = frontline_entity() AND trigger = %s"
)
_CONTROL_LOCKED = _CONTROL + " FOR UPDATE SKIP LOCKED"


def keep_run(trigger: str, run: Run) -> bool:
    """Keep a delivery, once; False when it was kept before. Two at once wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_trigger_run (trigger, event_id, digest, instance_id, received_at)"
            " VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [trigger, run.event_id, run.digest, run.instance_id, run.received_at],
        )
        return bool(cursor.rowcount == 1)


def kept_run(trigger: str, event_id: str) -> Run | None:
    """Return an earlier delivery."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_id, digest, instance_id, received_at FROM orch_trigger_run"
            " WHERE entity = frontline_entity() AND trigger = %s AND event_id = %s",
            [trigger, event_id],
        )
        row = cursor.fetchone()
    return Run(row[0], bytes(row[1]), *row[2:]) if row else None


def keep_refusal(trigger: str, event_id: str, code: str, words: str = "") -> None:
    """Keep that a delivery started nothing; what it held is not kept."""
    named = event_id.encode("utf-8", "replace").decode().replace("\0", "")[:255]
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_trigger_refusal (trigger, event_id, code, words)"
            " VALUES (%s, %s, %s, %s)",
            [trigger, named, code, words],
        )


def keep_strangers_refusal(trigger: str, event_id: str, code: str) -> None:
    """Keep that somebody unknown was refused, so many a minute: nobody fills the table for us."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT at > clock_timestamp() - interval '1 minute' FROM orch_trigger_refusal"
            " WHERE entity = frontline_entity() AND trigger = %s"
            " ORDER BY position DESC OFFSET %s LIMIT 1",
            [trigger, STRANGERS_REFUSALS_A_MINUTE - 1],
        )
        is_flooded = cursor.fetchone() == (True,)
    if not is_flooded:
        keep_refusal(trigger, event_id, code)


def last_runs(trigger: str, limit: int) -> tuple[Run, ...]:
    """Return the newest deliveries that started something."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_id, digest, instance_id, received_at FROM orch_trigger_run"
            " WHERE entity = frontline_entity() AND trigger = %s"
            " ORDER BY received_at DESC, event_id LIMIT %s",
            [trigger, limit],
        )
        return tuple(Run(row[0], bytes(row[1]), *row[2:]) for row in cursor.fetchall())


def last_refusals(trigger: str, limit: int) -> tuple[Refusal, ...]:
    """Return the newest deliveries that started nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_id, code, at, words FROM orch_trigger_refusal"
            " WHERE entity = frontline_entity() AND trigger = %s ORDER BY position DESC LIMIT %s",
            [trigger, limit],
        )
        return tuple(Refusal(*row) for row in cursor.fetchall())


def control_of(trigger: str, *, is_locked: bool = False) -> Control | None:
    """Return how a trigger stands; None when another process holds it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_trigger (trigger) VALUES (%s) ON CONFLICT DO NOTHING", [trigger]
        )
        cursor.execute(_CONTROL_LOCKED if is_locked else _CONTROL, [trigger])
        row = cursor.fetchone()
    return Control(*row) if row else None


def set_paused(trigger: str, *, is_paused: bool, by: str, reason: str) -> None:
    """Hold a trigger, or let it go on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO orch_trigger (trigger, is_paused, paused_by, reason)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT (entity, trigger) DO UPDATE SET"
            " is_paused = excluded.is_paused, paused_by = excluded.paused_by,"
            " reason = excluded.reason",
            [trigger, is_paused, by, reason],
        )


def set_due(trigger: str, due_at: datetime | None) -> None:
    """Keep when a schedule comes next."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_trigger SET due_at = %s"
            " WHERE entity = frontline_entity() AND trigger = %s",
            [due_at, trigger],
        )
