"""Positions of feeds: opaque to callers, ordered, and never skipping a late committer."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from nexus.events import PostedTransfer


class PositionNotUnderstood(ValueError):
    """A feed position does not have the form `<transaction>:<line>`."""

    code = "position_not_understood"
    is_retryable = False

    def __init__(self, position: str) -> None:
        super().__init__(position)
        self.position = position


@dataclass(frozen=True, slots=True)
class CustomerChange:
    """A customer's picture has moved: which parts of it, and the position of this line.

    `posted` are the transfers out that made it move, in order; items of a batch are not among them.
    """

    position: str
    customer_id: UUID
    topics: tuple[str, ...]
    changed_at: datetime
    posted: tuple[PostedTransfer, ...] = ()


def order_of(position: str) -> tuple[int, int]:
    """Return the position as a pair that compares in feed order; '' comes first.

    Raises:
        PositionNotUnderstood: the text is not a position of ours.
    """
    if not position:
        return (0, 0)
    head, separator, tail = position.partition(":")
    if not (separator and head.isascii() and head.isdigit() and tail.isascii() and tail.isdigit()):
        raise PositionNotUnderstood(position)
    return (int(head), int(tail))


def changes_after(*, cursor: str, limit: int) -> tuple[CustomerChange, ...]:
    """Return the lines of Nexus's feed behind a cursor, oldest first.

    Only lines of finished transactions older than every running one are given out, so that a
    transaction which commits late cannot slip in behind a cursor that has passed it.
    """
    xact, position = order_of(cursor)
    with connection.cursor() as statement:
        statement.execute(
            """
            SELECT xact::text || ':' || position, customer_id, topics, changed_at,
                   posted
              FROM nexus_change
             WHERE (xact, position) > (%s::text::xid8, %s)
               AND xact < pg_snapshot_xmin(pg_current_snapshot())
             ORDER BY xact, position
             LIMIT %s
            """,
            [str(xact), position, limit],
        )
        rows = statement.fetchall()
    return tuple(
        CustomerChange(at, customer, tuple(_listed(topics)), moment, _posted(posted))
        for at, customer, topics, moment, posted in rows
    )


def _posted(stored: str | list[Any]) -> tuple[PostedTransfer, ...]:
    return tuple(
        PostedTransfer(
            UUID(each["transfer_id"]),
            UUID(each["account_id"]),
            each["amount_minor_units"],
            each["currency"],
        )
        for each in _listed(stored)
    )


def _listed(stored: str | list[Any]) -> list[Any]:
    return list(json.loads(stored) if isinstance(stored, str) else stored)
