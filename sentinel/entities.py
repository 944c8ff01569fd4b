"""Legal entities: PostgreSQL is told which one the work is for, and lets no other row through."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq import TransactionStatus

from sentinel.store import run_one

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class EntityNotSet(RuntimeError):
    """Work that belongs to a legal entity was begun without saying which."""

    code = "entity_not_set"
    is_retryable = False


class EntityNameRefused(ValueError):
    """The name of a legal entity is not lower-case letters, digits and hyphens."""

    code = "entity_name_refused"
    is_retryable = False

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """One bank in the legal sense: its own customers, books, keys, rules and record."""

    entity: str
    name: str
    country: str
    currency: str


@dataclass(frozen=True, slots=True)
class _Scope:
    entity: str
    # The server connection that was told; another one, or a reconnected one, was not.
    connection: object


_scope: ContextVar[_Scope | None] = ContextVar("frontline_entity", default=None)


def current_entity() -> str:
    """Return the legal entity this work is for.

    Raises:
        EntityNotSet: no `legal_entity` block is open.
    """
    scope = _scope.get()
    if scope is None:
        raise EntityNotSet
    return scope.entity


@contextmanager
def legal_entity(*, entity: str, using: str = DEFAULT_DB_ALIAS) -> Iterator[str]:
    """Do the work of the block for one legal entity: no other entity's rows exist meanwhile.

    Raises:
        EntityNameRefused: the name cannot be that of a legal entity.
    """
    if not _NAME.fullmatch(entity):
        raise EntityNameRefused(entity)
    database = connections[using]
    database.ensure_connection()
    raw, outer = database.connection, _scope.get()
    before = outer.entity if outer and outer.connection is raw else ""
    if before != entity:
        _tell(database, entity)
    mark = _scope.set(_Scope(entity, raw))
    try:
        yield entity
    finally:
        _scope.reset(mark)
        if before != entity:
            _restore(database, raw, before)


def register_legal_entity(*, registered: LegalEntity) -> None:
    """Record a legal entity, once; its own scope must be open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sentinel_legal_entity (entity, name, country, currency)"
            " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [registered.entity, registered.name, registered.country, registered.currency],
        )


def legal_entities() -> tuple[LegalEntity, ...]:
    """Return all legal entities of this installation, whichever one is being worked for."""
    rows = run_one("SELECT entity, name, country, currency FROM frontline_legal_entities()")
    return tuple(LegalEntity(*row) for row in rows)


def _tell(database: BaseDatabaseWrapper, entity: str) -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT set_config('frontline.entity', %s, false)", [entity])


def _restore(database: BaseDatabaseWrapper, raw: object, before: str) -> None:
    """Undo `_tell`, unless the connection is gone or its transaction will undo it anyway."""
    if database.connection is not raw:
        return
    held: Any = database.connection
    if held is None or held.closed:
        return
    if held.info.transaction_status == TransactionStatus.INERROR:
        return
    if database.needs_rollback:
        # Django refuses queries now, although the rollback is to an earlier savepoint.
        held.execute("SELECT set_config('frontline.entity', %s, false)", [before])
        return
    _tell(database, before)
