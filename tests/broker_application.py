"""A Celery application with two tasks, for the test of the broker inside PostgreSQL."""

import os
import signal

import django
from celery import Celery
from django.conf import settings

django.setup()

from deploy.milestones import is_reached, reach  # noqa: E402 - Django must be set up first

app = Celery("broker_application")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.broker_transport_options = {
    **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
    # A killed worker's task comes back after this many seconds.
    "visibility_timeout": 3,
}


@app.task
def note(name: str) -> None:
    """Leave a trace of having run."""
    reach(name)


@app.task
def die_once(name: str) -> None:
    """Kill the worker on the first run, leave a trace on the second."""
    if not is_reached(f"{name}, first run"):
        reach(f"{name}, first run")
        os.kill(os.getpid(), signal.SIGKILL)
    reach(name)
