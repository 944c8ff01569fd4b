"""Tasks reach a worker through PostgreSQL alone, and come back when their worker is killed."""

import subprocess
import sys

import pytest

from deploy.home import SOURCE
from deploy.milestones import is_reached
from tests.banks import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
SEND = """
import sys
from tests.broker_application import app
task, *names = sys.argv[1:]
for name in names:
    app.tasks[f"tests.broker_application.{task}"].delay(name)
"""
WORKER = ("-m", "celery", "-A", "tests.broker_application", "worker", "-P", "threads", "-c", "2")


@pytest.fixture
def environment(process_environment):
    """Give the queue in PostgreSQL, also where the suite is told to use another broker."""
    return {name: word for name, word in process_environment.items() if name != "BROKER_URL"}


@pytest.fixture
def worker(environment):
    """Start workers that are gone after the test."""
    running = []

    def start():
        worker = subprocess.Popen(
            [sys.executable, *WORKER, "-l", "ERROR", "--without-gossip", "--without-mingle"],
            cwd=SOURCE,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        running.append(worker)
        return worker

    yield start
    for worker in running:
        worker.kill()
        worker.wait()


def send(environment, task, *names):
    subprocess.run(
        [sys.executable, "-c", SEND, task, *names],
        cwd=SOURCE,
        env=environment,
        check=True,
        capture_output=True,
        timeout=90,
    )


def test_every_task_sent_is_carried_out(environment, worker):
    names = [f"task {number}" for number in range(50)]
    send(environment, "note", *names[:25])

    worker()
    send(environment, "note", *names[25:])

    assert wait_until(lambda: all(map(is_reached, names)), 60)


def test_the_task_of_a_killed_worker_is_carried_out_by_the_next(environment, worker):
    send(environment, "die_once", "payment")

    killed = worker()
    assert killed.wait(60) == -9
    was_done_by_the_first = is_reached("payment")
    worker()

    assert not was_done_by_the_first
    assert wait_until(lambda: is_reached("payment"), 60)
