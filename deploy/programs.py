"""The command lines of the programs: web, worker, tick, and the simulator beside them."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"
# A chat message may hold a megabyte; a longer frame is refused unread.
WEB_OPTIONS: dict[str, Any] = {
    "access_log": False,
    "log_level": "warning",
    "server_header": False,
    "timeout_graceful_shutdown": 5,
    "ws": "websockets-sansio",
    "ws_max_size": 1024 * 1024,
}


def web(*, host: str, port: int, workers: int = 1) -> list[str]:
    """Return the command that serves pages and WebSockets."""
    return [
        *(sys.executable, "-m", "uvicorn", "deploy.asgi:application"),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--ws", WEB_OPTIONS["ws"], "--ws-max-size", str(WEB_OPTIONS["ws_max_size"])),
        *("--timeout-graceful-shutdown", str(WEB_OPTIONS["timeout_graceful_shutdown"])),
        *("--log-level", WEB_OPTIONS["log_level"], "--no-server-header", "--no-access-log"),
    ]


def web_on(*, descriptor: int) -> list[str]:
    """Return the command that serves them on a socket that is bound already."""
    return [sys.executable, "-m", "deploy.serving", str(descriptor)]


def worker(*, concurrency: int = 4) -> list[str]:
    """Return the command that carries out tasks."""
    return [
        *(sys.executable, "-m", "celery", "-A", "deploy.worker", "worker"),
        *("-P", "threads", "-c", str(concurrency), "-l", "WARNING"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]


def tick(*, manage: Path) -> list[str]:
    """Return the command that runs the periodic loops."""
    return [sys.executable, str(manage), "tick"]


def card_processor(*, storage: Path, port: int) -> list[str]:
    """Return the command that simulates the card processor, with books of its own."""
    return [
        *(sys.executable, "-m", "deploy.simulators.card_processor"),
        *("--storage", str(storage), "--port", str(port)),
    ]


def witness(*, storage: Path, port: int, log_keys: Sequence[str]) -> list[str]:
    """Return the command that cosigns the checkpoints of these logs."""
    return [
        *(sys.executable, "-m", "deploy.witness"),
        *("--storage", str(storage), "--host", HOST, "--port", str(port)),
        *(word for key in log_keys for word in ("--log", key)),
    ]
