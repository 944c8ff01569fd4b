"""The command lines of the three programs: web, worker, tick."""

import sys
from pathlib import Path

HOST = "127.0.0.1"


def web(*, host: str, port: int, workers: int = 1) -> list[str]:
    """Return the command that serves pages and WebSockets."""
    return [
        *(sys.executable, "-m", "uvicorn", "deploy.asgi:application"),
        *("--host", host, "--port", str(port), "--workers", str(workers)),
        *("--ws", "websockets-sansio", "--timeout-graceful-shutdown", "5"),
        *("--log-level", "warning", "--no-server-header", "--no-access-log"),
        *("--ws-max-size", "1048576"),
    ]


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
