"""Runs each periodic loop in a thread of its own, on one machine at a time.

A session of PostgreSQL holds an advisory lock per loop, so several `manage.py tick` may run and
one of them does the work; when its session ends, for whatever reason, another takes over.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import structlog
from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection
from django.utils.module_loading import import_string

from deploy.heartbeats import beat
from deploy.rounds import FAILURE_SECONDS_MAX, EachEntity, EntitiesFailed
from deploy.settings.database import conninfo

# A layer wakes a loop early by notifying this channel, after commit, with the loop's name.
WAKE_CHANNEL = "frontline_wake"
STANDBY_SECONDS = 2.0
BEAT_SECONDS_MIN = 5.0
_LISTEN_SECONDS = 1.0

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class Loop:
    """One periodic piece of work: a door function without arguments."""

    name: str
    work: Callable[[], object]
    interval_seconds: float
    stopping: threading.Event
    woken: threading.Event = field(default_factory=threading.Event)
    failures: int = 0
    beat_at: float = 0.0

    def run(self) -> None:
        """Work until told to stop, whenever this process holds the loop's lock."""
        while not self.stopping.is_set():
            try:
                with psycopg.connect(_address(), autocommit=True) as session:
                    if _takes(session, self.name):
                        self._work_while_held(session)
            except psycopg.OperationalError as error:
                logger.warning("loop_lost_database", loop=self.name, error=type(error).__name__)
            self.stopping.wait(STANDBY_SECONDS)

    def _work_while_held(self, session: psycopg.Connection) -> None:
        while not self.stopping.is_set():
            # Asks the lock's own session: once it is gone, another process may hold the lock.
            session.execute("SELECT 1")
            self._work_once()
            self._pause()

    def _work_once(self) -> None:
        try:
            self.work()
        except EntitiesFailed as error:
            # The others were served; each that failed waits on its own.
            self._beat(error.code)
        except Exception as error:
            # One loop's failure must not end the others.
            self.failures += 1
            logger.exception("loop_failed", loop=self.name, failures=self.failures)
            self._beat(str(getattr(error, "code", type(error).__name__)))
            connection.close()
        else:
            recovered, self.failures = self.failures > 0, 0
            if recovered or time.monotonic() - self.beat_at >= BEAT_SECONDS_MIN:
                self._beat("")
        close_old_connections()

    def _beat(self, error: str) -> None:
        try:
            beat(loop=self.name, interval_seconds=self.interval_seconds, error=error)
        except DatabaseError:
            logger.warning("beat_not_recorded", loop=self.name)
        self.beat_at = time.monotonic()

    def _pause(self) -> None:
        delay = min(self.interval_seconds * 2**self.failures, FAILURE_SECONDS_MAX)
        self.woken.wait(max(delay, self.interval_seconds))
        self.woken.clear()


def configured_loops(stopping: threading.Event) -> list[Loop]:
    """Return the loops the settings name."""
    across = [
        Loop(name, import_string(path), seconds, stopping)
        for name, (path, seconds) in settings.TICK_LOOPS.items()
    ]
    by_entity = [
        Loop(name, EachEntity(name, import_string(path), seconds), seconds, stopping)
        for name, (path, seconds) in settings.TICK_LOOPS_BY_ENTITY.items()
    ]
    return across + by_entity


def run_all(loops: list[Loop], stopping: threading.Event) -> None:
    """Run the loops until `stopping` is set, then wait for the work in hand."""
    threads = [threading.Thread(target=loop.run, name=loop.name) for loop in loops]
    for thread in threads:
        thread.start()
    by_name = {loop.name: loop for loop in loops}
    while not stopping.is_set():
        try:
            with _ear() as session:
                _wake_the_named(session, by_name, stopping)
        except psycopg.OperationalError as error:
            logger.warning("wake_listener_reconnects", error=type(error).__name__)
            stopping.wait(STANDBY_SECONDS)
    for loop in loops:
        loop.woken.set()
    for thread in threads:
        thread.join()


@contextmanager
def _ear() -> Iterator[psycopg.Connection]:
    with psycopg.connect(_address(), autocommit=True) as session:
        session.execute(f"LISTEN {WAKE_CHANNEL}")
        yield session


def _wake_the_named(
    session: psycopg.Connection, loops: dict[str, Loop], stopping: threading.Event
) -> None:
    while not stopping.is_set():
        for notice in session.notifies(timeout=_LISTEN_SECONDS):
            if notice.payload in loops:
                loops[notice.payload].woken.set()


def _takes(session: psycopg.Connection, loop: str) -> bool:
    row = session.execute(
        "SELECT pg_try_advisory_lock(hashtextextended('frontline.tick.' || %s, 0))", [loop]
    ).fetchone()
    return row == (True,)


def _address() -> str:
    return conninfo(settings.DATABASES["default"])
