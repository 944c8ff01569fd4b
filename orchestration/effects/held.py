"""Effects that a restore held back: nobody knows whether they were carried out in what was lost."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection


@dataclass(frozen=True, slots=True)
class HeldEffect:
    """An effect of another system that waits for a person since a restore.

    `asked_by` is who asked to let it go on, while a second person has not answered.
    """

    instance_id: UUID
    node: str
    visit: int
    action_kind: str
    held_at: datetime
    asked_by: str | None


def held_effects() -> tuple[HeldEffect, ...]:
    """Return what a restore held back in this legal entity, longest waiting first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.instance_id, e.node, e.visit, e.action_kind, e.held_at, (SELECT i.asked_by"
            " FROM orch_intervention i WHERE i.instance_id = e.instance_id AND i.done_at IS NULL"
            " AND i.kind = 'flows.release_held' ORDER BY i.asked_at DESC LIMIT 1)"
            " FROM orch_effect e WHERE e.state = 'wanted' AND e.held_at IS NOT NULL"
            " ORDER BY e.held_at, e.instance_id"
        )
        return tuple(HeldEffect(*row) for row in cursor.fetchall())


def held_of(instance_id: UUID) -> list[list[object]]:
    """Return what is held of one instance as kind, node and visit, in order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT action_kind, node, visit FROM orch_effect"
            " WHERE instance_id = %s AND state = 'wanted' AND held_at IS NOT NULL",
            [instance_id],
        )
        return sorted([*row] for row in cursor.fetchall())


def let_go(instance_id: UUID) -> list[list[object]]:
    """Let everything held of one instance go on, and return it as `held_of` does.

    Whoever calls this has spent a permit for it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_effect SET held_at = NULL, due_at = clock_timestamp()"
            " WHERE instance_id = %s AND state = 'wanted' AND held_at IS NOT NULL"
            " RETURNING action_kind, node, visit",
            [instance_id],
        )
        return sorted([*row] for row in cursor.fetchall())
