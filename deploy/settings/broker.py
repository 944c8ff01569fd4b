"""Which broker wakes the workers: PostgreSQL itself, or a server."""

from collections.abc import Mapping
from typing import Any

from deploy.settings.database import conninfo

# A task that outlives this many seconds without an acknowledgement is given to another worker.
VISIBILITY_TIMEOUT_SECONDS = 300


def broker_url(environment: Mapping[str, str]) -> str:
    """Return BROKER_URL (redis:// or amqp://), else the queue inside our own PostgreSQL."""
    return environment.get("BROKER_URL") or "pgmq://localhost"


def broker_options(url: str, database: Mapping[str, Any]) -> dict[str, Any]:
    """Return what kombu's transport needs for this kind of broker."""
    if not url.startswith("pgmq:"):
        return {} if url.startswith("amqp") else {"visibility_timeout": VISIBILITY_TIMEOUT_SECONDS}
    return {
        "conn_string": conninfo(database),
        "init_extension": False,
        "pool_size": 4,
        "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
        "use_notify": True,
        "wait_time_seconds": 0,
        "polling_interval": 5,
        "notify_throttle_interval_ms": 0,
    }
