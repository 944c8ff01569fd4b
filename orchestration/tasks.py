"""Work that Celery rings for. The database is the truth: a lost message loses nothing."""

from uuid import UUID

from celery import shared_task

import sentinel.public
from orchestration.durable.doorbell import TASK, database_time
from orchestration.durable.workers import work


@shared_task(name=TASK)
def advance_instance(*, instance_id: str, entity: str, **_extra: object) -> None:
    """Move an instance as far as it goes; running it twice does nothing twice."""
    with sentinel.public.legal_entity(entity=entity):
        work(clock=database_time, limit=1, only=UUID(instance_id))
