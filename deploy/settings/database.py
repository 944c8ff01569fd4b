"""Which PostgreSQL, and as which role: the application by default, the owner for migrations."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from psycopg.conninfo import make_conninfo

APPLICATION_ROLE = "frontline_app"
OWNER_ROLE = "frontline_owner"
SUPERUSER = "postgres"
NAME = "frontline"
# What DATABASE_OWNER_URL says where nothing acts as the owner: no such connection is set up.
NO_OWNER = "none"
# A request that got no connection within this time fails rather than waits.
POOL_SECONDS_MAX = 10


def databases(environment: Mapping[str, str], socket: str) -> dict[str, dict[str, Any]]:
    """Return Django's DATABASES: `default` acts as the application, `owner` as the owner.

    With DATABASE_URL a server is used: its login must be a member of both roles, unless
    DATABASE_OWNER_URL names another login for the owner, or says "none" where nothing acts as it.
    Without DATABASE_URL, the embedded PostgreSQL behind the socket folder is used.
    FRONTLINE_DATABASE names another database there.
    """
    url = environment.get("DATABASE_URL")
    if url:
        owner_url = environment.get("DATABASE_OWNER_URL", url)
        aliases = {"default": _server(url, APPLICATION_ROLE)}
        if owner_url != NO_OWNER:
            aliases["owner"] = _server(owner_url, OWNER_ROLE)
    else:
        aliases = {
            "default": _embedded(socket, APPLICATION_ROLE),
            "owner": _embedded(socket, OWNER_ROLE),
        }
    for connection in aliases.values():
        connection["NAME"] = environment.get("FRONTLINE_DATABASE") or connection["NAME"]
    return aliases


def owner_problem(environment: Mapping[str, str]) -> str:
    """Return why the application could take the owner's place on this server, or nothing."""
    url, owner = environment.get("DATABASE_URL"), environment.get("DATABASE_OWNER_URL")
    if not url:
        return ""
    if not owner:
        return (
            "Set DATABASE_OWNER_URL: for prepare_database to the address of the login that owns the"
            f' tables, for web, worker and tick to "{NO_OWNER}", so that they cannot act as it.'
        )
    if owner != NO_OWNER and _login(owner) == _login(url):
        return (
            "DATABASE_OWNER_URL names the login of DATABASE_URL: the application could change every"
            " table. Make a login of its own for it that is a member of frontline_app alone."
        )
    return ""


def _login(url: str) -> tuple[str, str, str]:
    parts = parsed(url)
    return parts["HOST"], parts["PORT"], parts["USER"]


def administrator(environment: Mapping[str, str], socket: str) -> dict[str, Any]:
    """Return the connection that may create roles and databases: a superuser or a creator."""
    owner = environment.get("DATABASE_OWNER_URL", NO_OWNER)
    url = environment.get("DATABASE_ADMIN_URL") or (
        environment.get("DATABASE_URL") if owner == NO_OWNER else owner
    )
    connection = parsed(url) if url else _embedded(socket, SUPERUSER)
    connection["NAME"] = environment.get("FRONTLINE_DATABASE") or connection["NAME"]
    return connection


def conninfo(connection: Mapping[str, Any]) -> str:
    """Return libpq's words for one of Django's database settings."""
    options = {
        name: value
        for name, value in connection["OPTIONS"].items()
        if name not in {"pool", "assume_role", "isolation_level", "server_side_binding"}
    }
    named = {
        "host": connection["HOST"],
        "port": connection["PORT"],
        "dbname": connection["NAME"],
        "user": connection["USER"],
        "password": connection["PASSWORD"],
    }
    return make_conninfo("", **{name: value for name, value in named.items() if value}, **options)


def parsed(url: str) -> dict[str, Any]:
    """Return host, port, name, user, password and options of a postgres:// address."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    return {
        "NAME": unquote(parts.path.lstrip("/")) or NAME,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def _embedded(socket: str, role: str) -> dict[str, Any]:
    return _settings(
        {"NAME": NAME, "USER": role, "PASSWORD": "", "HOST": socket, "PORT": "", "OPTIONS": {}}
    )


def _server(url: str, role: str) -> dict[str, Any]:
    connection = parsed(url)
    connection["OPTIONS"]["options"] = f"-c role={role}"
    return _settings(connection)


def pooled(connection: Mapping[str, Any], size_max: int) -> dict[str, Any]:
    """Return the settings with Django's own pool, for a process that serves many at once."""
    pool = {"min_size": 1, "max_size": size_max, "timeout": POOL_SECONDS_MAX}
    return {**connection, "OPTIONS": {**connection["OPTIONS"], "pool": pool}}


def _settings(connection: dict[str, Any]) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        **connection,
    }
