"""Work that Celery rings for. The database is the truth: a lost message loses nothing."""

from uuid import UUID

from celery import shared_task

import sentinel.public
from orchestration.durable.apart_calls import begin_here
from orchestration.durable.doorbell import CALL_TASK, TASK, database_time
from orchestration.durable.workers import work


@shared_task(name=TASK)
def advance_instance(*, instance_id: str, entity: str, **_extra: object) -> None:
    """Move an instance as far as it goes; running it twice does nothing twice."""
    with sentinel.public.legal_entity(entity=entity):
        # Who leaves calls to others may miss the ring of one that ended meanwhile: look once more.
        while work(clock=database_time, limit=1, only=UUID(instance_id), makes_calls=False).parted:
            pass


@shared_task(name=CALL_TASK)
def make_call_apart(*, instance_id: str, entity: str, **_extra: object) -> None:
    """Begin one call of an instance that is kept apart; it goes on when this has returned."""
    with sentinel.public.legal_entity(entity=entity):
        begin_here(clock=database_time, limit=1, only=UUID(instance_id))
