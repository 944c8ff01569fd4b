"""A doorbell for workers: rung after commit, and never the only way to find work."""

from datetime import datetime
from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

import sentinel.public

TASK = "orchestration.advance_instance"
CALL_TASK = "orchestration.make_call_apart"


def ring(instance_id: UUID) -> None:
    """Ask a worker, after commit, to look at an instance; what is lost the sweeper finds."""
    _after_commit(TASK, instance_id)


def ring_for_call(instance_id: UUID) -> None:
    """Ask a worker, after commit, to make one call of an instance that is kept apart."""
    _after_commit(CALL_TASK, instance_id)


def _after_commit(task: str, instance_id: UUID) -> None:
    entity = sentinel.public.current_entity()
    transaction.on_commit(partial(_send, task, str(instance_id), entity))


def _send(task: str, instance_id: str, entity: str) -> None:
    try:
        current_app.send_task(task, kwargs={"instance_id": instance_id, "entity": entity})
    except OperationalError:
        # The broker is away. The work is in the database, where the sweeper looks.
        return


def database_time() -> datetime:
    """Return the database's clock, by which leases, timers and deadlines are measured."""
    return sentinel.public.database_time()
