"""The feed of events: in commit order, and nothing skipped when somebody commits late."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

_KINDS = ("post", "pending", "post_pending", "void")


class CursorNotUnderstood(ValueError):
    """A cursor does not have the form `<transaction>:<line>`."""

    code = "cursor_not_understood"
    is_retryable = False

    def __init__(self, cursor: str) -> None:
        super().__init__(cursor)
        self.cursor = cursor


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """Something that happened in the core. `position` is the cursor of its line."""

    position: str
    event_id: UUID
    type: str
    subject: str
    occurred_at: datetime
    payload: Mapping[str, object]


_LINES = """
    SELECT xact::text || ':' || position, event_id, type, subject, occurred_at, payload, transfers
    FROM gc_outbox
    WHERE entity = frontline_entity() AND (xact, position) > (%s::text::xid8, %s)
        AND xact < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY xact, position LIMIT %s
"""
_TRANSFERS = """
    SELECT t.id, t.kind, t.debit_account, t.credit_account, t.amount, coalesce(h.amount, 0),
        t.currency, t.booking_date, t.value_date,
        CASE WHEN d.party_id IS NULL AND t.counterparty_iban <> d.iban
            THEN t.counterparty_name ELSE d.holder_name END,
        CASE WHEN d.party_id IS NULL AND t.counterparty_iban <> d.iban
            THEN t.counterparty_iban ELSE d.iban END,
        CASE WHEN c.party_id IS NULL AND t.counterparty_iban <> c.iban
            THEN t.counterparty_name ELSE c.holder_name END,
        CASE WHEN c.party_id IS NULL AND t.counterparty_iban <> c.iban
            THEN t.counterparty_iban ELSE c.iban END,
        t.remittance, t.category_hint, t.end_to_end_id, t.token
    FROM ledger_transfer t
    JOIN ledger_account d ON d.id = t.debit_account
    JOIN ledger_account c ON c.id = t.credit_account
    LEFT JOIN ledger_transfer h ON h.id = t.pending_id
    WHERE t.id = ANY(%s)
"""


def events_after(*, cursor: str, limit: int) -> tuple[OutboxEvent, ...]:
    """Return the events behind a cursor, oldest first; '' is the beginning.

    A line that names many transfers is given whole, so that more than `limit` may come back.

    Raises:
        CursorNotUnderstood: the text is not a cursor of this feed.
    """
    xact, position = _order(cursor)
    with connection.cursor() as statement:
        statement.execute(_LINES, [str(xact), position, limit])
        lines = _up_to(statement.fetchall(), limit)
        wanted = [each for line in lines for each in line[6] or ()]
        statement.execute(_TRANSFERS, [wanted])
        transfers = {row[0]: row for row in statement.fetchall()}
    return tuple(event for line in lines for event in _events(line, transfers))


def _up_to(lines: list[Any], limit: int) -> list[Any]:
    """Return the first lines that hold `limit` events between them, and at least one."""
    kept: list[Any] = []
    count = 0
    for line in lines:
        if kept and count >= limit:
            break
        kept.append(line)
        count += len(line[6]) if line[6] else 1
    return kept


def _events(line: Any, transfers: Mapping[UUID, Any]) -> list[OutboxEvent]:  # noqa: ANN401 - a row
    position, event_id, kind, subject, occurred_at, payload, ids = line
    if ids is None:
        return [OutboxEvent(position, event_id, kind, subject, occurred_at, json.loads(payload))]
    is_batch = subject.startswith("batch:")
    return [
        OutboxEvent(
            position,
            each,
            kind,
            f"transfer:{each}",
            occurred_at,
            _particulars(transfers[each], is_batch=is_batch),
        )
        for each in sorted(ids, key=lambda each: (transfers[each][7], each))
    ]


def _particulars(row: Any, *, is_batch: bool) -> dict[str, object]:  # noqa: ANN401 - a row
    return {
        "transfer_id": str(row[0]),
        "kind": _KINDS[row[1]],
        "debit_account": str(row[2]),
        "credit_account": str(row[3]),
        "amount": row[4],
        "pending_amount": row[5],
        "currency": row[6],
        "booking_date": row[7].isoformat(),
        "value_date": row[8].isoformat(),
        "debtor_name": row[9],
        "debtor_iban": row[10],
        "creditor_name": row[11],
        "creditor_iban": row[12],
        "remittance": row[13],
        "category": row[14],
        "end_to_end_id": row[15],
        # A batch is one decision over its items; an item was not decided upon singly.
        "decision_id": None if is_batch else str(row[16]),
    }


def _order(cursor: str) -> tuple[int, int]:
    if not cursor:
        return (0, 0)
    head, separator, tail = cursor.partition(":")
    if not (separator and head.isascii() and head.isdigit() and tail.isascii() and tail.isdigit()):
        raise CursorNotUnderstood(cursor)
    return (int(head), int(tail))
