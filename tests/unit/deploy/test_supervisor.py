"""A child that dies is started again, ever more slowly while it keeps dying."""

import sys
from itertools import pairwise

import pytest

from deploy.embedded.place import EmbeddedUnavailable
from deploy.supervisor import RESTART_SECONDS_MAX, WELL_SECONDS, Child, Supervisor


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def dying(tmp_path):
    command = [sys.executable, "-c", "raise SystemExit('no luck')"]
    return Child("dying", command, {}, tmp_path / "dying.log")


def watch_until_ended(supervisor, child):
    supervisor.watch()
    child.process.wait(10)
    supervisor.watch()


def test_restarts_come_ever_later_and_say_so(dying):
    clock, said = Clock(), []
    supervisor = Supervisor([dying], None, said.append, clock)

    delays = []
    for _ in range(8):
        watch_until_ended(supervisor, dying)
        delays.append(dying.start_at - clock.now)
        clock.now = dying.start_at

    assert delays == sorted(delays)
    assert delays[0] < 1
    assert delays[-1] == RESTART_SECONDS_MAX
    assert len(said) == 8
    assert "dying ended (code 1)" in said[0]
    assert "no luck" in dying.last_words()


def test_it_is_not_started_before_its_time(dying):
    clock = Clock()
    supervisor = Supervisor([dying], None, lambda _: None, clock)
    watch_until_ended(supervisor, dying)

    supervisor.watch()

    assert dying.process is None


def test_a_child_that_ran_well_is_restarted_quickly(dying):
    clock = Clock()
    supervisor = Supervisor([dying], None, lambda _: None, clock)
    for _ in range(5):
        watch_until_ended(supervisor, dying)
        clock.now = dying.start_at
    supervisor.watch()
    dying.process.wait(10)

    clock.now += WELL_SECONDS + 1
    supervisor.watch()

    assert dying.start_at - clock.now < 1


class UnluckyPostgres:
    """A database that ended, and cannot be started at first."""

    def __init__(self, failures):
        self.failures, self.starts, self.runs = failures, 0, False

    def is_running(self):
        return self.runs

    def restart(self):
        self.starts += 1
        if self.starts <= self.failures:
            raise EmbeddedUnavailable("killed while it was starting")
        self.runs = True


def test_a_database_that_fails_to_start_is_tried_again_ever_later():
    clock, said, postgres = Clock(), [], UnluckyPostgres(failures=3)
    supervisor = Supervisor([], postgres, said.append, clock)

    moments = []
    while not postgres.runs:
        before = postgres.starts
        supervisor.watch()
        moments += [clock.now] * (postgres.starts - before)
        clock.now += 0.1

    pauses = [later - earlier for earlier, later in pairwise(moments)]
    assert pauses == sorted(pauses)
    assert pauses[0] < 1
    assert any("killed while it was starting" in words for words in said)
    supervisor.watch()
    assert postgres.starts == 4
