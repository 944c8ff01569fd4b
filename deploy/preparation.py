"""Makes a database ready: roles, the database itself, the queue's tables, migrations, grants."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from pgmq.install import get_embedded_install_sql
from psycopg import sql

from deploy.settings.database import (
    APPLICATION_ROLE,
    OWNER_ROLE,
    conninfo,
)

Say = Callable[[str], None]
VERSION_MIN = 150000
# Any number will do, as long as every release takes the same.
_LOCK = 4_607_182_418_800_017_408
_MAINTENANCE_DATABASE = "postgres"
# Tables of the framework that the application writes; every other table grants for itself.
_FRAMEWORK_APPS = ("auth", "contenttypes", "sessions")


class DatabaseTooOld(Exception):
    """The server is older than the oldest PostgreSQL the bank's SQL runs on."""

    code = "database_too_old"
    is_retryable = False

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version

    def __str__(self) -> str:
        return f"PostgreSQL {self.version // 10000} is too old: 15 or later is needed."


def prepare(say: Say) -> None:
    """Bring the database to what this release needs; doing it twice changes nothing.

    Two that run at once wait for each other. Takes the administrator's connection for roles
    and the owner's for tables; the application itself needs neither afterwards.

    Raises:
        DatabaseTooOld: the server is older than PostgreSQL 15.
    """
    administrator = settings.DATABASE_ADMINISTRATOR
    _create_database(administrator, say)
    with psycopg.connect(conninfo(administrator), autocommit=True) as connection:
        if connection.info.server_version < VERSION_MIN:
            raise DatabaseTooOld(connection.info.server_version)
        with _alone(connection):
            _create_roles(connection)
            _hand_over(connection)
            _install_queue(connection, say)
            say("applying migrations")
            call_command("migrate", database="owner", verbosity=1, interactive=False)
            _grant_framework_tables(connection)
    connections["owner"].close()


def _create_database(administrator: dict[str, object], say: Say) -> None:
    name = str(administrator["NAME"])
    elsewhere = conninfo({**administrator, "NAME": _MAINTENANCE_DATABASE})
    try:
        psycopg.connect(conninfo(administrator)).close()
    except psycopg.OperationalError as error:
        if "does not exist" not in str(error):
            raise
        say(f"creating the database {name}")
        with psycopg.connect(elsewhere, autocommit=True) as connection:
            try:
                connection.execute(
                    sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(
                        sql.Identifier(name)
                    )
                )
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                say("another process created it")


@contextmanager
def _alone(connection: psycopg.Connection) -> Iterator[None]:
    connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])


def _create_roles(connection: psycopg.Connection) -> None:
    """Create both roles. They belong to the whole server, so another database may be as quick."""
    is_embedded = settings.DATABASES["default"]["USER"] == APPLICATION_ROLE
    for role in (OWNER_ROLE, APPLICATION_ROLE):
        name = sql.Identifier(role)
        with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOSUPERUSER").format(name))
        if is_embedded:
            connection.execute(sql.SQL("ALTER ROLE {} LOGIN").format(name))
    if not is_embedded:
        _let_logins_take_roles(connection)


def _let_logins_take_roles(connection: psycopg.Connection) -> None:
    logins = {
        (settings.DATABASES["default"]["USER"], APPLICATION_ROLE),
        (settings.DATABASES["owner"]["USER"], OWNER_ROLE),
        (connection.info.user, OWNER_ROLE),
    }
    for login, role in sorted(logins):
        if login and not _may_take(connection, login, role):
            connection.execute(
                sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(login))
            )


def _may_take(connection: psycopg.Connection, login: str, role: str) -> bool:
    row = connection.execute("SELECT pg_has_role(%s, %s, 'MEMBER')", [login, role]).fetchone()
    return bool(row and row[0])


def _hand_over(connection: psycopg.Connection) -> None:
    """Give the database to the owner; the application may use the schema and create nothing."""
    database = sql.Identifier(connection.info.dbname)
    owner, application = sql.Identifier(OWNER_ROLE), sql.Identifier(APPLICATION_ROLE)
    held = connection.execute(
        "SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()"
    ).fetchone()
    if held != (OWNER_ROLE,):
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, owner))
    with connection.transaction():
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(owner))
        connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA public TO {}").format(application))


def _install_queue(connection: psycopg.Connection, say: Say) -> None:
    """Install the queue that wakes the workers, for the application to create queues in."""
    found = connection.execute("SELECT to_regnamespace('pgmq') IS NOT NULL").fetchone()
    if found == (True,):
        return
    say("installing the queue")
    with connection.transaction():
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER_ROLE)))
        connection.execute(get_embedded_install_sql())
        for grant in (
            "GRANT USAGE, CREATE ON SCHEMA pgmq TO {}",
            "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pgmq TO {}",
            "GRANT USAGE ON ALL SEQUENCES IN SCHEMA pgmq TO {}",
        ):
            connection.execute(sql.SQL(grant).format(sql.Identifier(APPLICATION_ROLE)))


def _grant_framework_tables(connection: psycopg.Connection) -> None:
    application = sql.Identifier(APPLICATION_ROLE)
    tables = [
        model._meta.db_table
        for label in _FRAMEWORK_APPS
        for model in apps.get_app_config(label).get_models(include_auto_created=True)
        if not model._meta.swapped
    ]
    with connection.transaction():
        connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(OWNER_ROLE)))
        connection.execute(sql.SQL("GRANT SELECT ON django_migrations TO {}").format(application))
        for table in tables:
            connection.execute(
                sql.SQL("GRANT SELECT, INSERT, UPDATE, DELETE ON {} TO {}").format(
                    sql.Identifier(table), application
                )
            )
