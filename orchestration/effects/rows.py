"""Rows of wanted effects: one for each visit of a node, claimed for a while, answered once.

`tries` counts the tokens used: another is asked for only when the one before ended without effect.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.conf import settings
from django.db import connection

AnswerKind = Literal["answered", "refused", "parked", "not_done"]


@dataclass(frozen=True, slots=True)
class Place:
    """One visit of one node of one instance: the idempotency key of what it does."""

    instance_id: UUID
    node: str
    visit: int

    def key(self, tries: int) -> str:
        """Return the key Sentinel knows one try by; the first is that of every other step."""
        plain = f"{self.instance_id}:{self.node}:{self.visit}"
        return plain if tries == 1 else f"{plain}:{tries}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A claimed effect; `token` is that of the call under way, if its decision was taken."""

    place: Place
    action_kind: str
    inputs: Mapping[str, Any]
    tries: int
    token: UUID | None
    fence: int


@dataclass(frozen=True, slots=True)
class Given:
    """What came of an effect, for the step that asked for it."""

    kind: AnswerKind
    values: Mapping[str, Any]


# `restored` is when a backup was put back since the flow, or one that called it, began; or shortly
# before, if nobody in person began it: then what began it may have come before the restore as well.
_WANT = """
WITH RECURSIVE callers AS (
    SELECT parent_id, started_at, principal FROM orch_instance WHERE id = %(instance)s
    UNION ALL
    SELECT i.parent_id, i.started_at, i.principal
    FROM orch_instance i JOIN callers c ON i.id = c.parent_id
), restored AS (
    SELECT max(restored_at) AS at FROM orch_restore
    WHERE entity = frontline_entity() AND EXISTS (
        SELECT FROM callers WHERE started_at <= restored_at
            OR started_at < restored_at + make_interval(hours => %(replays)s)
                AND principal::jsonb ->> 'kind' = 'system')
)
INSERT INTO orch_effect AS e
    (instance_id, node, visit, action_kind, inputs, held_at, due_at)
SELECT %(instance)s, %(node)s, %(visit)s, %(kind)s, %(inputs)s,
    CASE WHEN at IS NOT NULL THEN clock_timestamp() END,
    CASE WHEN at IS NULL THEN clock_timestamp() ELSE 'infinity' END
FROM restored
ON CONFLICT (instance_id, node, visit) DO UPDATE SET
    state = 'wanted', answer = NULL, lease_until = NULL,
    held_at = CASE WHEN e.wanted_at < (SELECT at FROM restored)
        THEN clock_timestamp() END,
    due_at = CASE WHEN e.wanted_at < (SELECT at FROM restored)
        THEN 'infinity' ELSE clock_timestamp() END,
    fence = e.fence + 1, token = NULL, inputs = excluded.inputs,
    tries = e.tries + (e.token IS NOT NULL)::integer
WHERE e.state = 'taken'
"""


def want(place: Place, action_kind: str, inputs: Mapping[str, object]) -> None:
    """Ask for an effect in the commit of the step; once for each visit.

    Asked again after an answer that was no effect, it begins anew, under a token of its own.
    Of a flow from before a restore it is held until a person looked: it may have been carried
    out in what was lost. So it is of a flow that a feed, a program or a file began again since:
    whoever sent it may not know that it was lost. One first asked for since, and let go, is not
    held again.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _WANT,
            {
                "instance": place.instance_id,
                "node": place.node,
                "visit": place.visit,
                "kind": action_kind,
                "inputs": json.dumps(inputs),
                "replays": settings.RESTORE_REPLAY_HOURS,
            },
        )


def take_answer(place: Place) -> Given | None:
    """Return what came of an effect to the step that asked, once."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_effect SET state = 'taken' WHERE instance_id = %s AND node = %s"
            " AND visit = %s AND state = 'answered' RETURNING answer",
            [place.instance_id, place.node, place.visit],
        )
        row = cursor.fetchone()
    if row is None:
        return None
    said = json.loads(row[0])
    return Given(said["kind"], said["values"])


def has_answer(place: Place) -> bool:
    """Tell whether it is known what came of an effect, and nobody has taken that in yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM orch_effect WHERE instance_id = %s AND node = %s AND visit = %s"
            " AND state = 'answered'",
            [place.instance_id, place.node, place.visit],
        )
        return cursor.fetchone() is not None


def due_places(limit: int) -> tuple[Place, ...]:
    """Return effects that are due and held by nobody, longest waiting first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT instance_id, node, visit FROM orch_effect"
            " WHERE entity = frontline_entity() AND state = 'wanted'"
            " AND due_at <= clock_timestamp()"
            " AND coalesce(lease_until, '-infinity') < clock_timestamp()"
            " ORDER BY due_at LIMIT %s",
            [limit],
        )
        return tuple(Place(*row) for row in cursor.fetchall())


def claim(place: Place) -> Wanted | None:
    """Take an effect for a while; None when it is not due, is held, or was answered."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE orch_effect SET fence = fence + 1,
                lease_until = clock_timestamp() + make_interval(secs => %s)
            WHERE (instance_id, node, visit) = (
                SELECT instance_id, node, visit FROM orch_effect
                WHERE instance_id = %s AND node = %s AND visit = %s AND state = 'wanted'
                    AND due_at <= clock_timestamp()
                    AND coalesce(lease_until, '-infinity') < clock_timestamp()
                FOR UPDATE SKIP LOCKED)
            RETURNING action_kind, inputs, tries, token, fence
            """,
            [settings.EFFECT_LEASE_SECONDS, place.instance_id, place.node, place.visit],
        )
        row = cursor.fetchone()
    return Wanted(place, row[0], json.loads(row[1]), *row[2:]) if row else None


def note_token(wanted: Wanted, token: UUID) -> bool:
    """Keep the token of a try beside its redemption; False when somebody else holds the effect."""
    place = wanted.place
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH held AS (
                UPDATE orch_effect SET token = %s
                WHERE instance_id = %s AND node = %s AND visit = %s AND fence = %s
                    AND state = 'wanted' AND token IS NULL
                RETURNING instance_id, node, visit, tries
            )
            INSERT INTO orch_effect_token (token, instance_id, node, visit, try)
            SELECT %s, instance_id, node, visit, tries FROM held
            """,
            [token, place.instance_id, place.node, place.visit, wanted.fence, token],
        )
        return bool(cursor.rowcount == 1)


def put_off(wanted: Wanted, until: datetime) -> None:
    """Give a claimed effect back, to be looked at again later."""
    place = wanted.place
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_effect SET lease_until = NULL, due_at = %s WHERE instance_id = %s"
            " AND node = %s AND visit = %s AND fence = %s AND state = 'wanted'",
            [until, place.instance_id, place.node, place.visit, wanted.fence],
        )


def answer(wanted: Wanted, given: Given) -> bool:
    """Keep what came of a claimed effect; False when somebody else has taken it meanwhile."""
    place = wanted.place
    text = json.dumps({"kind": given.kind, "values": given.values})
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE orch_effect SET state = 'answered', answer = %s, lease_until = NULL"
            " WHERE instance_id = %s AND node = %s AND visit = %s AND fence = %s"
            " AND state = 'wanted'",
            [text, place.instance_id, place.node, place.visit, wanted.fence],
        )
        return bool(cursor.rowcount == 1)
