"""The durable engine beside bare commits: steps, run-ons, growth, log volume and timers.

A step is a call and its answer, written in one commit while the worker keeps its claim. Run-on is
the same drawing with a commit per wait state and batch. Runs belong to one case, as those of a
mass start do, and are moved by what the ticking process calls.
"""

import statistics
import time
from collections.abc import Callable

from django.db import connection, connections

import sentinel.public
from deploy.benches import bank, clients, commits
from deploy.benches.catalogue import Effort
from deploy.benches.durable_flows import Work, chain, publish
from deploy.benches.durable_timers import timers
from deploy.benches.peers import Peers, peer_goal
from deploy.benches.report import Goal, Report

CLIENTS = 8
BATCH = 25
SHORT, LONG = 10, 100
GOALS = {
    "step_over_commit_c8": Goal(0.40),
    "runon_over_step": Goal(4.0),
    "growth_100_over_10": Goal(1.3, is_ceiling=True),
}


def measure(effort: Effort) -> Report:
    """Measure everything in turn, so that the machine's weather hits all alike."""
    began = time.perf_counter()
    commits.make_table()
    bank.open_bank(customers=1)
    with sentinel.public.legal_entity(entity=bank.ENTITY):
        publish((SHORT, LONG))
    connections.close_all()
    # First, while tables are small and no checkpoint makes whole pages part of the log.
    alone = _alone(effort)
    connections.close_all()
    measured, theirs = _rates(effort)
    steps, bare = measured["step_c8"], measured["commit"]
    ratios = {
        "step_over_commit_c8": clients.median_ratio(steps, bare),
        "runon_over_step": clients.median_ratio(measured["runon"], steps),
        "growth_100_over_10": alone.pop("growth"),
    }
    figures = {
        "steps_per_s_c8": clients.median_rate(steps),
        "steps_per_s_c1": clients.median_rate(measured["step_c1"]),
        "workflows_per_s_c8": clients.median_rate(steps) / SHORT,
        "workflows_per_s_c1": clients.median_rate(measured["step_c1"]) / SHORT,
        "runon_steps_per_s_c8": clients.median_rate(measured["runon"]),
        **alone,
        **timers(effort),
    }
    if theirs:
        ours = [each.per_second for each in steps]
        ratios["steps_over_peer"] = statistics.median(
            mine / other for mine, other in zip(ours, theirs, strict=True)
        )
        figures["peer_steps_per_s_c8"] = statistics.median(theirs)
    return Report(
        bench="engine",
        ratios=ratios,
        figures=figures,
        limits={"commit_per_s_c8": clients.median_rate(bare)},
        seconds=time.perf_counter() - began,
        goals={**GOALS, **peer_goal()},
    )


def _rates(effort: Effort) -> tuple[dict[str, list[clients.Round]], list[float]]:
    """Return the rounds of every workload, and beside each the steps per second of the peer."""
    workloads: dict[str, tuple[clients.Prepare, int]] = {
        "step_c8": (_worker(chain(SHORT, "step")), CLIENTS),
        "commit": (commits.bare_commit, CLIENTS),
        "runon": (_worker(chain(SHORT, "wait")), CLIENTS),
        "step_c1": (_worker(chain(SHORT, "step")), 1),
    }
    with Peers.from_environment(CLIENTS) as peers:
        measured = clients.interleaved(
            workloads, rounds=effort.rounds, seconds=effort.seconds, after_round=peers.work
        )
        return measured, peers.rates[1:]


def _worker(process: str) -> clients.Prepare:
    def prepare(_index: int) -> Callable[[], int]:
        return Work(process, batch=BATCH, steps=SHORT)

    return prepare


def _alone(effort: Effort) -> dict[str, float]:
    """Measure what one worker uses for a step: processor time, and bytes of the log."""
    count = 4 if effort.is_smoke else 200
    short, long = Work(chain(SHORT, "step"), batch=BATCH, steps=SHORT), None
    growths, per_step, logged = [], [], []
    try:
        long = Work(chain(LONG, "step"), batch=BATCH, steps=LONG)
        for work in (short, long):
            _used(work, 2)
        for _ in range(effort.rounds):
            cpu_short, bytes_short = _used(short, count)
            cpu_long, _ = _used(long, max(2, count // 10))
            growths.append(cpu_long / cpu_short)
            per_step.append(cpu_short * 1_000)
            logged.append(bytes_short)
    finally:
        for work in filter(None, (long, short)):
            work.close()
    return {
        "growth": statistics.median(growths),
        "cpu_ms_per_step": statistics.median(per_step),
        "wal_bytes_per_step": statistics.median(logged),
    }


def _used(work: Work, count: int) -> tuple[float, float]:
    """Return processor seconds and log bytes for each step of so many runs."""
    work.begin(count, {})
    log, cpu, steps = _log_position(), time.process_time(), 0
    while moved := work.move():
        steps += moved * work.steps
    spent = time.process_time() - cpu
    return spent / steps, (_log_position() - log) / steps


def _log_position() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")
        return int(cursor.fetchone()[0])
