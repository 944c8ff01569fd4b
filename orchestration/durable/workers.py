"""Workers: claim a batch of instances, move each to its next wait state, commit once for all.

A batch that fails is done again one by one, so that one bad instance does not stop the others; one
that fails again and again is put aside with an incident. Flows whose content says `commit: step`
are run call by call instead, each call with a commit of its own, while the lease is kept.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.db import transaction

from orchestration.durable import calls, claims, engine, incidents, progress, store
from orchestration.durable.apart_calls import Beside
from orchestration.durable.faults import crash_point
from orchestration.durable.run import Run
from orchestration.durable.stepwise import Past, pasts_of, run_stepwise

Clock = Callable[[], datetime]
BATCH = 25
RETRY_SECONDS = 2.0
# A batch is over long before its lease is.
BATCH_SECONDS_MAX = claims.LEASE_SECONDS / 3


@dataclass(frozen=True, slots=True)
class Worked:
    """What one look for work came to; `parted` counts instances that may have calls apart."""

    claimed: int = 0
    moved: int = 0
    timers: int = 0
    parted: int = 0

    def __add__(self, other: "Worked") -> "Worked":
        return Worked(
            self.claimed + other.claimed,
            self.moved + other.moved,
            self.timers + other.timers,
            self.parted + other.parted,
        )


def work(*, clock: Clock, limit: int, only: UUID | None = None, makes_calls: bool = True) -> Worked:
    """Move up to `limit` instances that have something to do, in batches; return what was done.

    Calls that are kept apart are made side by side meanwhile, and their answers taken in, unless
    the caller has others make them.
    """
    done, beside = Worked(), Beside(clock, only)
    while done.claimed < limit:
        at = clock()
        has_apart = claims.hear(at, only)
        taken = claims.take(at=at, limit=min(BATCH, limit - done.claimed), only=only)
        last = Worked()
        if taken:
            crash_point("after_claim")
            last = run_claims(taken, at)
        done += last
        is_open = makes_calls and (has_apart or last.parted > 0) and beside.begin()
        if taken and (only is None or last.parted):
            continue
        if not is_open and not beside.is_open:
            break
        beside.wait()
    while beside.is_open:
        beside.wait()
    return done


def run_claims(taken: Sequence[claims.Claim], at: datetime) -> Worked:
    """Move claimed instances; a claim that was lost meanwhile is left to whoever has it now."""
    worn_out = [each for each in taken if each.failures >= claims.FAILURES_MAX]
    for each in worn_out:
        incidents.put_aside(each, at)
    ordered = _benched([each for each in taken if each not in worn_out], at)
    together = [run for run in ordered if not run.is_stepwise]
    done = Worked(claimed=len(taken))
    for batch in _sliced(together):
        done += _run_together(batch, at)
    alone = [run for run in ordered if run.is_stepwise]
    pasts = _pasts_of([run.row for run in alone])
    for run in alone:
        done += _run_alone(run.row, run.fence or 0, at, pasts.get(run.row.id))
    return done


def _pasts_of(rows: Sequence[store.InstanceRow]) -> dict[UUID, Past]:
    try:
        return pasts_of(rows)
    except calls.STEP_FAULTS:
        # One of them cannot be read; it is found by looking at each alone.
        return {}


def _benched(taken: Sequence[claims.Claim], at: datetime) -> list[Run]:
    """Put what was claimed on the bench, in the order of the claims, in which queues take turns."""
    fences = {each.instance_id: each.fence for each in taken}
    try:
        rows = store.held_instances(list(fences), list(fences.values()))
        runs = {row.id: engine.bench(row, at, fence=fence) for row, fence in rows}
    except calls.STEP_FAULTS:
        # One of them cannot even be read; it is found by looking at each alone.
        if len(taken) > 1:
            return [run for each in taken for run in _benched([each], at)]
        later = at + timedelta(seconds=RETRY_SECONDS)
        claims.give_back(taken[0].instance_id, taken[0].fence, due_at=later, is_failed=True)
        return []
    for run in runs.values():
        if run.row.is_paused:
            claims.give_back(run.row.id, run.fence or 0, due_at=None, is_failed=False)
    return [runs[each] for each in fences if each in runs and not runs[each].row.is_paused]


def _sliced(runs: Sequence[Run]) -> Iterator[list[Run]]:
    each = iter(runs)
    while batch := list(islice(each, BATCH)):
        yield batch


def _run_together(batch: Sequence[Run], at: datetime) -> Worked:
    try:
        with transaction.atomic():
            _take_all(batch)
            crash_point("before_batch_commit")
            progress.save_all([run.progress() for run in batch])
            for run in batch:
                engine.ring(run)
    except calls.STEP_FAULTS:
        again = Worked()
        for run in batch:
            again += _run_alone(run.row, run.fence or 0, at)
        return again
    crash_point("after_batch_commit")
    return Worked(
        moved=sum(map(_has_moved, batch)),
        timers=sum(r.timers_fired for r in batch),
        parted=sum(r.has_parted for r in batch),
    )


def _has_moved(run: Run) -> bool:
    return bool(run.lines or run.taken)


def _take_all(batch: Sequence[Run]) -> None:
    arrivals = store.waiting_messages([run.row.id for run in batch if run.row.has_messages])
    traced = store.with_traces([run.row.id for run in batch if run.row.rev])
    callers = [run.row.id for run in batch if run.row.has_calls]
    kept = calls.due_calls(callers, batch[0].at) if callers else {}
    began = time.monotonic()
    for run in batch:
        if time.monotonic() - began > BATCH_SECONDS_MAX:
            # Slow steps: what is left is due again at once, for whoever comes first.
            run.is_cut_short = True
            continue
        run.is_bare = run.row.id not in traced
        engine.take_all(run, arrivals.get(run.row.id, []), kept.get(run.row.id, []))


def _run_alone(
    row: store.InstanceRow, fence: int, at: datetime, past: Past | None = None
) -> Worked:
    run = engine.bench(row, at, fence=fence)
    try:
        if run.is_stepwise:
            run_stepwise(run, past)
        else:
            with transaction.atomic():
                _take_all([run])
                engine.finish(run)
    except progress.InstanceMoved:
        # Somebody else has it, or has moved it; what this worker did is taken back.
        return Worked()
    except calls.STEP_FAULTS:
        later = at + timedelta(seconds=RETRY_SECONDS)
        claims.give_back(row.id, fence, due_at=later, is_failed=True)
        return Worked()
    crash_point("after_batch_commit")
    has_moved = _has_moved(run) or run.rev > row.rev
    return Worked(moved=int(has_moved), timers=run.timers_fired, parted=int(run.has_parted))
