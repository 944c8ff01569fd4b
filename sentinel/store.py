"""Statements of the hot path, on the connection and in the transaction that Django holds.

Each text is constant, so the server plans it once per connection. One statement goes to libpq
directly: the driver's cursors cost more CPU than most of these statements.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections
from psycopg import abc, adapt
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

from sentinel.refusals import SentinelError

Row = tuple[Any, ...]
Statement = tuple[str, Sequence[object]]
_Raw: TypeAlias = "psycopg.Connection[Row]"
_SOUND = frozenset({ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK})
# How many texts a connection keeps plans of; a text beyond that is planned each time.
PLANS_MAX = 500
_BEGIN = b"BEGIN"
_KEPT_AS = "frontline_session"
_PLACE = re.compile(r"%%|%s|%\((\w+)\)s")


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
    """Run statements in order and return the rows of each."""
    return [run_one(*statement) for statement in statements]


def run_one(sql: str, parameters: Sequence[object] = ()) -> list[Row]:
    """Run one constant statement, whose values stand at each %s, and return its rows."""
    return _run(sql, parameters)[0]


def run_statement(
    *, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()
) -> list[Row]:
    """Run one constant statement, planned once per connection, and return its rows.

    Values stand at each %s, or by name at each %(name)s. It is part of the caller's transaction,
    if there is one.

    Raises:
        django.db.Error: the database refused it, or cannot be reached.
    """
    return _run(sql, parameters)[0]


def database_time() -> datetime:
    """Return the database's clock, by which leases, deadlines and finality are measured."""
    ((now,),) = run_statement(sql="SELECT clock_timestamp()")
    assert isinstance(now, datetime)
    return now


def count_written(*, sql: str, parameters: Sequence[object] | Mapping[str, object] = ()) -> int:
    """Run one constant statement like `run_statement` and return how many rows it met.

    Raises:
        django.db.Error: the database refused it, or cannot be reached.
    """
    return _run(sql, parameters)[1]


def _run(sql: str, parameters: Sequence[object] | Mapping[str, object]) -> tuple[list[Row], int]:
    if isinstance(parameters, Mapping):
        parameters = [parameters[name] for name in _numbered(sql)[1]]
    database = connections[DEFAULT_DB_ALIAS]
    if database.connection is None:
        database.ensure_connection()
    raw = database.connection
    try:
        return _session(raw).run(raw, sql, parameters)
    except psycopg.Error:
        with database.wrap_database_errors:
            raise


@dataclass(slots=True)
class _Session:
    """One connection: how values are written and read there, and which texts it has planned.

    The driver must plan nothing itself on this connection (`prepare_threshold` stays None, as
    Django has it): after a rollback it would have the server forget these plans as well.
    """

    values: abc.Transformer
    names: dict[tuple[str, tuple[int, ...]], bytes] = field(default_factory=dict)

    def run(self, raw: _Raw, sql: str, parameters: Sequence[object]) -> tuple[list[Row], int]:
        values = self.values
        # The driver's words for what it writes are wider here than for what it sends.
        written: Any = values.dump_sequence(parameters, _automatic(len(parameters)))
        types, formats = values.types or (), values.formats
        try:
            _begin(raw)
            name = self.names.get((sql, types)) or self._plan(raw, sql, types)
            if name:
                result = _sound(raw, raw.pgconn.exec_prepared(name, written, formats))
            else:
                text = _numbered(sql)[0]
                result = _sound(raw, raw.pgconn.exec_params(text, written, types, formats))
        except MemoryError as error:
            # What libpq answers when it has no connection to send anything to.
            raise psycopg.OperationalError(raw.pgconn.get_error_message()) from error
        if result.status == ExecStatus.COMMAND_OK:
            return [], result.command_tuples or 0
        values.set_pgresult(result)
        return values.load_rows(0, result.ntuples, tuple), result.command_tuples or 0

    def _plan(self, raw: _Raw, sql: str, types: tuple[int, ...]) -> bytes:
        """Have the server plan a text and return its name there; b"" when it has enough plans."""
        if len(self.names) >= PLANS_MAX:
            return b""
        name = f"frontline_{len(self.names)}".encode()
        _sound(raw, raw.pgconn.prepare(name, _numbered(sql)[0], types))
        self.names[sql, types] = name
        return name


def _session(raw: _Raw) -> _Session:
    """Return what a connection knows, which is kept with it, as it refers back to it."""
    kept = vars(raw)
    found: _Session | None = kept.get(_KEPT_AS)
    if found is None:
        found = kept[_KEPT_AS] = _Session(adapt.Transformer.from_context(raw))
    return found


def _begin(raw: _Raw) -> None:
    """Open the transaction as the driver would, with its first statement."""
    if raw.pgconn.transaction_status == TransactionStatus.IDLE and not raw.autocommit:
        _sound(raw, raw.pgconn.exec_(_BEGIN))


def _sound(raw: _Raw, result: PGresult) -> PGresult:
    if result.status in _SOUND:
        return result
    if raw.pgconn.status == ConnStatus.BAD:
        raise psycopg.OperationalError(result.get_error_message())
    raise psycopg.errors.error_from_result(result, raw.info.encoding)


@lru_cache(maxsize=64)
def _automatic(length: int) -> list[adapt.PyFormat]:
    return [adapt.PyFormat.AUTO] * length


@lru_cache(maxsize=512)
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """Return the text with $1, $2 in place of each value, % for %%, and the names of its values."""
    names: dict[str, None] = {}

    def place(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        names.setdefault(found[1] or str(len(names)))
        return f"${list(names).index(found[1]) + 1 if found[1] else len(names)}"

    return _PLACE.sub(place, sql).encode(), tuple(names)
