"""Work that is done once for each legal entity, so that what ails one holds up no other."""

import time
from collections.abc import Callable

import structlog
from django.db import connection

from sentinel import public as sentinel

FAILURE_SECONDS_MAX = 60.0

logger = structlog.get_logger(__name__)


class EntitiesFailed(Exception):
    """The work failed in some legal entities; in the others it was done."""

    def __init__(self, code: str, entities: tuple[str, ...]) -> None:
        super().__init__(code, entities)
        self.code, self.entities = code, entities


class EachEntity:
    """A round through the legal entities; one that failed is left out for longer each time."""

    def __init__(self, name: str, work: Callable[[], object], interval_seconds: float) -> None:
        self._name, self._work, self._interval = name, work, interval_seconds
        self._failures: dict[str, int] = {}
        self._codes: dict[str, str] = {}
        self._not_before: dict[str, float] = {}

    def __call__(self) -> None:
        """Do the work in every legal entity that is due.

        Raises:
            EntitiesFailed: after the round, while any legal entity is still failing.
        """
        for each in sentinel.legal_entities():
            if time.monotonic() >= self._not_before.get(each.entity, 0.0):
                self._do(each.entity)
        if self._failures:
            raise EntitiesFailed(sorted(self._codes.values())[0], tuple(sorted(self._failures)))

    def _do(self, entity: str) -> None:
        try:
            with sentinel.legal_entity(entity=entity):
                self._work()
        except Exception as error:
            failures = self._failures[entity] = self._failures.get(entity, 0) + 1
            self._codes[entity] = str(getattr(error, "code", type(error).__name__))
            delay = min(self._interval * 2.0**failures, FAILURE_SECONDS_MAX)
            self._not_before[entity] = time.monotonic() + delay
            logger.exception("loop_failed", loop=self._name, entity=entity, failures=failures)
            connection.close()
        else:
            for known in (self._failures, self._codes, self._not_before):
                known.pop(entity, None)
