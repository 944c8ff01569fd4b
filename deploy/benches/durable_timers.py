"""Timers of many live instances: how fast they begin to wait, how late they fire, their size.

100,000 instances wait a month. Among them 400 fall due at random instants of ten seconds, and one
process looks for them as the ticking process does, with its pause between two looks: from due to
fired is what that process needs to find, move and commit each, the pause included. Then 1,000 fall
due at one instant: how many fire in a second is what one process can do. The share of it that the
even stream asks for is told, too; a stream of more than all of it would only show its own queue.
"""

import random
import statistics
import sys
import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection

import orchestration.public
from deploy.benches import bank
from deploy.benches.catalogue import Effort
from deploy.benches.durable_flows import WAITING, Work

PATIENCE_SECONDS = 60.0
BEGUN_AT_ONCE = 1_000
TOLD_EVERY = 20_000
BEGINNING_SECONDS = 2.0
SWEEP_SECONDS: float = settings.TICK_LOOPS_BY_ENTITY["flows"][1]
TABLES = ("orch_instance", "orch_history", "orch_ready")


def timers(effort: Effort) -> dict[str, float]:
    """Measure from due to fired, among many instances whose time has not come."""
    waiting, firing = (200, 10) if effort.is_smoke else (100_000, 400)
    work = Work(WAITING, batch=500, steps=1)
    before = _bytes_held()
    filled = _fill(work, waiting)
    held = (_bytes_held() - before) / waiting
    chance = random.Random(7)  # noqa: S311 - when a timer is due, not a secret
    seconds = 1 if effort.is_smoke else 10
    # None is due before all of them wait: what is measured is firing, not beginning.
    first = bank.now() + timedelta(seconds=BEGINNING_SECONDS)
    times = [first + timedelta(seconds=chance.uniform(0, seconds)) for _ in range(firing)]
    runs = work.begin_each([{"until": each.isoformat()} for each in times])
    due = {f"instance:{run}": at for run, at in zip(runs, times, strict=True)}
    late = _swept(due)
    per_second = _fired_at_once(work, 20 if effort.is_smoke else 1_000)
    work.close()
    return {
        "timer_p99_ms": late[min(len(late) - 1, int(0.99 * len(late)))],
        "timer_p50_ms": statistics.median(late),
        "timers_fired_per_s": per_second,
        "timers_due_over_fired": firing / seconds / per_second,
        "waiting": float(waiting),
        "waiting_begun_per_s": waiting / filled,
        "waiting_bytes_each": held,
    }


def _fill(work: Work, waiting: int) -> float:
    """Begin so many instances that wait a month, and return the seconds it took."""
    far = (bank.now() + timedelta(days=30)).isoformat()
    began, told = time.perf_counter(), TOLD_EVERY
    for first in range(0, waiting, BEGUN_AT_ONCE):
        work.begin(min(BEGUN_AT_ONCE, waiting - first), {"until": far})
        if first + BEGUN_AT_ONCE >= told:
            sys.stderr.write(f"  {told:,} of {waiting:,} instances wait\n")
            told += TOLD_EVERY
    return time.perf_counter() - began


def _bytes_held() -> int:
    """Return the bytes of the tables an instance that waits stands in, with their indexes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest(%s::text[]) AS t(name)",
            [list(TABLES)],
        )
        return int(cursor.fetchone()[0])


def _fired_at_once(work: Work, count: int) -> float:
    """Let many fall due at one instant, and return how many fire in a second."""
    at = bank.now() + timedelta(seconds=BEGINNING_SECONDS)
    runs = work.begin_each([{"until": at.isoformat()}] * count)
    due = {f"instance:{run}": at for run in runs}
    return count / (_swept(due)[-1] / 1_000)


def _swept(due: dict[str, datetime]) -> list[float]:
    """Look as the ticking process does, and return how many milliseconds late each fired."""
    late: list[float] = []
    cursor, end = _end_of_feed(), time.perf_counter() + PATIENCE_SECONDS
    while len(late) < len(due) and time.perf_counter() < end:
        orchestration.public.run_due_here()
        seen = bank.now()
        while found := orchestration.public.events_after(cursor=cursor, limit=5_000):
            cursor = found[-1].cursor
            late += [
                (seen - due[each.subject]).total_seconds() * 1_000
                for each in found
                if each.type == "instance.ended" and each.subject in due
            ]
        time.sleep(SWEEP_SECONDS)
    # What has not fired counts as late as anybody had the patience to wait.
    return sorted(late) + [PATIENCE_SECONDS * 1_000] * (len(due) - len(late))


def _end_of_feed() -> str:
    """Return the cursor behind everything that was told before."""
    cursor = ""
    while found := orchestration.public.events_after(cursor=cursor, limit=5_000):
        cursor = found[-1].cursor
    return cursor
