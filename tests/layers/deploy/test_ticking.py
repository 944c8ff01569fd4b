"""Each loop works in one process at a time, outlives its failures, and is seen to live."""

import threading
import time

import psycopg
import pytest
from django.db import connection

from deploy.heartbeats import beat, heartbeats
from deploy.ticking import WAKE_CHANNEL, Loop, run_all

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS_MAX = 60


class Work:
    """Counts its calls, and fails when told to."""

    def __init__(self):
        self.calls = 0
        self.called = threading.Condition()
        self.error = None

    def __call__(self):
        with self.called:
            self.calls += 1
            self.called.notify_all()
        if self.error:
            raise self.error

    def wait_for(self, calls):
        with self.called:
            return self.called.wait_for(lambda: self.calls >= calls, SECONDS_MAX)


@pytest.fixture
def stopping():
    return threading.Event()


@pytest.fixture
def running(stopping):
    """Start loops in the background, and end them all after the test."""
    threads = []

    def start(*loops):
        thread = threading.Thread(target=run_all, args=(list(loops), stopping))
        thread.start()
        threads.append(thread)

    yield start
    stopping.set()
    for thread in threads:
        thread.join(SECONDS_MAX)
        assert not thread.is_alive()


def loop(work, stopping, name="sequencer", seconds=0.05):
    return Loop(name, work, seconds, stopping)


def test_one_of_two_processes_works_and_another_takes_over(stopping, running, superuser_connection):
    work, workers = Work(), []

    def working_as(name):
        def run():
            workers.append(name)
            work()

        return run

    running(loop(working_as("first"), stopping))
    assert work.wait_for(3)
    running(loop(working_as("second"), stopping))
    assert work.wait_for(work.calls + 20)
    workers_before = set(workers)
    superuser_connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_locks"
        " WHERE locktype = 'advisory' AND granted AND database ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
    )

    assert workers_before == {"first"}
    assert work.wait_for(work.calls + 5)


def test_a_loop_outlives_its_failures_and_slows_down(stopping, running):
    work = Work()
    work.error = ValueError("broken")
    failing = loop(work, stopping)
    running(failing)
    assert work.wait_for(3)

    work.error = None
    failing.woken.set()

    assert work.wait_for(5)
    ill = wait_until(lambda: any(each.failures_in_a_row == 0 for each in heartbeats()))
    assert ill


def test_failures_are_counted_until_one_success():
    for error in ("broken", "broken", "broken"):
        beat(loop="relay", interval_seconds=1, error=error)
    after_three = heartbeats()[0].failures_in_a_row
    beat(loop="relay", interval_seconds=1, error="")

    assert after_three == 3
    assert heartbeats()[0].failures_in_a_row == 0
    assert heartbeats()[0].is_well


def test_a_silent_loop_is_late():
    beat(loop="relay", interval_seconds=1, error="")

    with connection.cursor() as cursor:
        cursor.execute("UPDATE deploy_heartbeat SET beat_at = beat_at - interval '31 seconds'")

    assert not heartbeats()[0].is_well


def test_a_notification_wakes_a_loop_before_its_time(stopping, running, dsn):
    work = Work()
    running(loop(work, stopping, seconds=3600))
    assert work.wait_for(1)

    with psycopg.connect(dsn, autocommit=True) as session:
        begin = time.monotonic()
        while work.calls < 2 and time.monotonic() - begin < SECONDS_MAX:
            session.execute("SELECT pg_notify(%s, 'sequencer')", [WAKE_CHANNEL])
            work.called.acquire()
            work.called.wait_for(lambda: work.calls >= 2, 0.1)
            work.called.release()

    assert work.calls >= 2


def wait_until(holds):
    begin = time.monotonic()
    while time.monotonic() - begin < SECONDS_MAX:
        if holds():
            return True
        threading.Event().wait(0.05)
    return False
