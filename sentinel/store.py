"""Statements in as few round trips as possible, on the connection and transaction Django holds."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection

from sentinel.refusals import SentinelError

Statement = tuple[str, Sequence[object] | Mapping[str, object]]
Row = tuple[Any, ...]
# Only used to switch preparing on; each statement here asks to be prepared at once.
_PREPARE_THRESHOLD = 5


class NotInTransaction(SentinelError):
    """This must run inside a transaction, so that what it records commits with what it allows."""

    code = "not_in_transaction"


def require_transaction() -> None:
    """Accept only a caller that has opened a transaction.

    Raises:
        NotInTransaction: it has not.
    """
    if not connection.in_atomic_block:
        raise NotInTransaction


def run(statements: Sequence[Statement]) -> list[list[Row]]:
    """Run statements in order in one round trip and return the rows of each.

    The texts are constant, so the server plans each once per connection.
    """
    connection.ensure_connection()
    raw = connection.connection
    if raw.prepare_threshold is None:
        raw.prepare_threshold = _PREPARE_THRESHOLD
    with connection.wrap_database_errors:
        cursors = _send_one(raw, statements[0]) if len(statements) == 1 else _send(raw, statements)
        return [cursor.fetchall() if cursor.description else [] for cursor in cursors]


def run_one(sql: str, parameters: Sequence[object] | Mapping[str, object]) -> list[Row]:
    """Run one statement and return its rows."""
    return run([(sql, parameters)])[0]


def _send_one(raw: psycopg.Connection[Row], statement: Statement) -> list[psycopg.Cursor[Row]]:
    return [psycopg.Cursor(raw).execute(*statement, prepare=True)]


def _send(
    raw: psycopg.Connection[Row], statements: Sequence[Statement]
) -> list[psycopg.Cursor[Row]]:
    with raw.pipeline():
        return [
            psycopg.Cursor(raw).execute(sql, parameters, prepare=True)
            for sql, parameters in statements
        ]
