"""Which broker wakes the workers: PostgreSQL itself, or a server."""

from collections.abc import Mapping
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from deploy.settings.database import conninfo

# A task that outlives this many seconds without an acknowledgement is given to another worker.
VISIBILITY_TIMEOUT_SECONDS = 300
_PGMQ_KEEPS = ("host", "port", "dbname", "user", "password")


def broker_url(environment: Mapping[str, str]) -> str:
    """Return BROKER_URL (redis:// or amqp://), else the queue inside our own PostgreSQL."""
    return environment.get("BROKER_URL") or "pgmq://localhost"


def broker_options(url: str, database: Mapping[str, Any]) -> dict[str, Any]:
    """Return what kombu's transport needs for this kind of broker."""
    if not url.startswith("pgmq:"):
        return {} if url.startswith("amqp") else {"visibility_timeout": VISIBILITY_TIMEOUT_SECONDS}
    return {
        "conn_string": _twice_quoted(conninfo(database)),
        "init_extension": False,
        "pool_size": 4,
        "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
        "use_notify": True,
        "wait_time_seconds": 0,
        "polling_interval": 5,
        "notify_throttle_interval_ms": 0,
    }


def _twice_quoted(words: str) -> str:
    """Return libpq's words such that they survive pgmq.

    pgmq takes host, port, name, user and password out of the words it is given, drops the rest,
    and joins them again without quotes. So each value carries its own quotes, and what would be
    dropped, such as the role to take, rides behind the user.
    """
    given = {name: _quoted(str(value)) for name, value in conninfo_to_dict(words).items()}
    kept = {name: given.pop(name) for name in _PGMQ_KEEPS if name in given}
    rest = " ".join(f"{name}={value}" for name, value in sorted(given.items()))
    kept["user"] = f"{kept['user']} {rest}".rstrip()
    return make_conninfo("", **kept)


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
