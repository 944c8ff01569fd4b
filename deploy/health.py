"""Whether this process lives, and whether the bank behind it can serve."""

from collections.abc import Callable

import psycopg
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from kombu.exceptions import OperationalError as BrokerError
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from deploy.heartbeats import heartbeats
from deploy.worker import app

_UNREACHABLE = (
    DatabaseError,
    psycopg.Error,
    PoolTimeout,
    BrokerError,
    RedisError,
    OSError,
)


def live(_request: HttpRequest) -> JsonResponse:
    """Say that this process answers; a supervisor restarts it when it does not."""
    return JsonResponse({"status": "live"})


def ready(_request: HttpRequest) -> JsonResponse:
    """Say which parts answer; 503 tells the balancer to send nobody here."""
    parts = {
        "database": _answers(_database),
        "broker": _answers(_broker),
        "channels": _answers(_channels),
        "loops": _answers(_loops),
    }
    is_ready = all(words == "ok" for words in parts.values())
    status = "ready" if is_ready else "not ready"
    return JsonResponse({"status": status, "parts": parts}, status=200 if is_ready else 503)


def _answers(check: Callable[[], str]) -> str:
    try:
        return check()
    except _UNREACHABLE as error:
        return f"unreachable: {type(error).__name__}"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _broker() -> str:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
    return "ok"


def _channels() -> str:
    layer = get_channel_layer()
    async_to_sync(layer.group_send)("health", {"type": "health.ping"})
    return "ok"


def _loops() -> str:
    """Name the loops that should run and do not; a loop removed by a release is not missed."""
    beating = {beat.loop: beat for beat in heartbeats()}
    wanted = {*settings.TICK_LOOPS, *settings.TICK_LOOPS_BY_ENTITY}
    ill = [name for name in wanted if name not in beating or not beating[name].is_well]
    return f"late: {', '.join(sorted(ill))}" if ill else "ok"
