"""Statements of the hot path: prepared once per connection, sent without the ORM's cursors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection
from psycopg.pq import ExecStatus

import sentinel.public

Row = tuple[Any, ...]


def run(sql: str, parameters: Sequence[object] | Mapping[str, object]) -> list[Row]:
    """Run one constant statement in the caller's transaction, if any, and return its rows."""
    return sentinel.public.run_statement(sql=sql, parameters=parameters)


def run_planned(sql: str, parameters: Mapping[str, Any]) -> list[Row]:
    """Run a statement planned for these very values, and return its rows.

    A plan for any instant takes a third of everything to be due, and reads the whole table when in
    fact nothing is.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def count(sql: str, parameters: Sequence[object] | Mapping[str, object]) -> int:
    """Run one constant statement and return how many rows it wrote."""
    return sentinel.public.count_written(sql=sql, parameters=parameters)


@dataclass(frozen=True, slots=True)
class Single:
    """A statement that is a commit of its own, sent to the server without the driver's cursors.

    It is for the one place where a cursor costs more than the statement: every value is text, in
    the order of `$1`, `$2`, and the types are named once.
    """

    name: str
    sql: str
    types: tuple[str, ...]

    def count(self, values: Sequence[str | None]) -> int:
        """Run it outside any transaction, or as part of the caller's, and return its row count."""
        connection.ensure_connection()
        raw = connection.connection
        with connection.wrap_database_errors:
            if connection.in_atomic_block:
                # The driver opens the transaction with its own next statement.
                placed = self._placed()
                return psycopg.RawCursor(raw).execute(placed, values, prepare=True).rowcount
            self._prepare(raw)
            encoded = [None if each is None else each.encode() for each in values]
            result = raw.pgconn.exec_prepared(self.name.encode(), encoded)
            if result.status != ExecStatus.COMMAND_OK:
                raise psycopg.errors.error_from_result(result, raw.info.encoding)
            return result.command_tuples or 0

    def _placed(self) -> bytes:
        return self.sql.encode()

    def _prepare(self, raw: psycopg.Connection[Row]) -> None:
        if _prepared.get(raw) and self.name in _prepared[raw]:
            return
        oids = [raw.adapters.types[each].oid for each in self.types]
        result = raw.pgconn.prepare(self.name.encode(), self.sql.encode(), oids)
        if result.status != ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(result, raw.info.encoding)
        _prepared.setdefault(raw, set()).add(self.name)


# Which statements a connection knows; forgotten with the connection.
_prepared: WeakKeyDictionary[psycopg.Connection[Row], set[str]] = WeakKeyDictionary()
