"""Work done side by side in this process: so much at once, each in a thread of its own.

A thread has its own connection, closed when it ends, and the context of whoever began it; the
legal entity must be entered anew, for it belongs to a connection.
"""

import sys
from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Lock, Thread

from django.conf import settings
from django.db import connections


class Lanes:
    """At most `CALLS_AT_ONCE` pieces of work at once, of one sort, in this process."""

    def __init__(self, name: str) -> None:
        self._name, self._taken, self._lock = name, 0, Lock()

    def reserve(self, wanted: int) -> int:
        """Take up to so many free lanes, and return how many there were."""
        with self._lock:
            given: int = max(0, min(wanted, settings.CALLS_AT_ONCE - self._taken))
            self._taken += given
            return given

    def release(self, count: int) -> None:
        """Give lanes back that were reserved and are not used."""
        with self._lock:
            self._taken -= count

    def start(self, work: Callable[[], object]) -> Future[object]:
        """Do work in a lane that was reserved, which is free again once it is done."""
        ended: Future[object] = Future()
        thread = Thread(
            target=copy_context().run, args=(self._run, work, ended), name=f"{self._name} lane"
        )
        try:
            thread.start()
        except RuntimeError:
            self.release(1)
            raise
        return ended

    def _run(self, work: Callable[[], object], ended: Future[object]) -> None:
        try:
            done = work()
        finally:
            connections.close_all()
            self.release(1)
            # Perhaps nobody waits for it any more: what breaks is said by the thread as well.
            broken = sys.exception()
            if broken is not None:
                ended.set_exception(broken)
        ended.set_result(done)
