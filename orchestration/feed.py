"""The feed of Orchestration: what became of conversations, cases and tasks, in order."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from orchestration.durable import statements


class CursorNotUnderstood(ValueError):
    """A feed cursor does not have the form `<transaction>:<position>`."""

    code = "cursor_not_understood"
    is_retryable = False

    def __init__(self, cursor: str) -> None:
        super().__init__(cursor)
        self.cursor = cursor


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the feed; `cursor` asks for what comes after it."""

    cursor: str
    type: str
    subject: str
    occurred_at: datetime
    payload: Mapping[str, object]


def publish(*, event_type: str, subject: str, payload: Mapping[str, object], at: datetime) -> None:
    """Add a line to the feed in the caller's transaction."""
    statements.count(
        "INSERT INTO orch_event (type, subject, occurred_at, payload) VALUES (%s, %s, %s, %s)",
        [event_type, subject, at, json.dumps(payload)],
    )


def events_after(*, cursor: str, limit: int) -> tuple[Event, ...]:
    """Return the lines behind a cursor ('' is the beginning), oldest first.

    Only lines of transactions older than every running one are given out, so that one which
    commits late cannot slip in behind a cursor that has passed it.

    Raises:
        CursorNotUnderstood: the cursor is not one of this feed.
    """
    xact, position = _place(cursor)
    with connection.cursor() as statement:
        statement.execute(
            """
            SELECT xact::text || ':' || position, type, subject, occurred_at, payload
              FROM orch_event
             WHERE (xact, position) > (%s::text::xid8, %s)
               AND xact < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY xact, position
             LIMIT %s
            """,
            [str(xact), position, limit],
        )
        rows = statement.fetchall()
    return tuple(
        Event(at, event_type, subject, moment, json.loads(payload))
        for at, event_type, subject, moment, payload in rows
    )


def _place(cursor: str) -> tuple[int, int]:
    if not cursor:
        return (0, 0)
    xact, separator, position = cursor.partition(":")
    if not (separator and xact.isascii() and xact.isdigit() and position.isdigit()):
        raise CursorNotUnderstood(cursor)
    return (int(xact), int(position))
