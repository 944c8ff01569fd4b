"""A flow run call by call: every call and its answer are one commit, and nothing is done twice.

The state written after an answer says which call comes next, and the call itself is not kept
anywhere: should the worker die, the next one finds in the history what was asked for.
"""

import time
from collections import deque
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from orchestration import steps
from orchestration.core.advance import advance
from orchestration.core.commands import CallService, Command
from orchestration.core.events import FailureKind, TaskFailed
from orchestration.core.state import InstanceState, Wait, new_state
from orchestration.durable import calls, carrying, claims, engine, progress, store
from orchestration.durable.faults import crash_point
from orchestration.durable.run import Run

RENEW_SECONDS = claims.LEASE_SECONDS / 3


@dataclass(frozen=True, slots=True)
class Past:
    """What was stored of a claimed instance: which tokens have a kept call, and its history."""

    kept: frozenset[str] = frozenset()
    lines: tuple[store.HistoryRow, ...] = ()


def pasts_of(rows: Sequence[store.InstanceRow]) -> dict[UUID, Past]:
    """Return the past of every instance that waits for a call, in two statements for all.

    Raises:
        EncodingRefused: one of them cannot be read.
    """
    ids = [row.id for row in rows if _waiting(row.state)]
    if not ids:
        return {}
    kept, lines = calls.open_tokens(ids), store.histories_of(ids)
    return {each: Past(frozenset(kept.get(each, ())), lines.get(each, ())) for each in ids}


def run_stepwise(run: Run, past: Past | None = None) -> None:
    """Run a claimed instance to its next wait state, a commit for each call.

    `past` is what was stored when it was claimed, if that was read.

    Raises:
        InstanceMoved: the claim was lost; what was not written has not happened.
    """
    with transaction.atomic():
        _begin(run, past or pasts_of([run.row]).get(run.row.id, Past()))
        if not run.asked:
            engine.finish(run)
            return
        if run.lines or run.taken:
            _write(run)
    renewed = time.monotonic()
    while run.asked:
        if time.monotonic() - renewed > RENEW_SECONDS:
            claims.renew(run.row.id, run.fence or 0)
            renewed = time.monotonic()
        _call_once(run, run.asked.popleft())
        crash_point("after_step_commit")


def _begin(run: Run, past: Past) -> None:
    arrivals = store.waiting_messages([run.row.id]) if run.row.has_messages else {}
    kept = calls.due_calls([run.row.id], run.at) if run.row.has_calls else {}
    lost = _lost_calls(run, past)
    engine.take_all(run, arrivals.get(run.row.id, []), kept.get(run.row.id, []))
    live = {token.id for token in run.state.tokens if token.wait is Wait.SERVICE}
    run.asked.extendleft(call for call in reversed(lost) if call.token in live)


def _call_once(run: Run, command: CallService) -> None:
    """Make one call, take its answer and write both, in one commit."""
    is_pure = steps.is_pure(command.kind, command.name)
    crash_point("before_call")
    with _scope(is_needed=not is_pure):
        calls.make_call(run, command)
        is_slim = is_pure and _take_lightly(run)
        if is_slim:
            _write_step(run)
            return
        if not is_pure:
            engine.drain(run)
            _write(run)
            return
    with transaction.atomic():
        engine.drain(run)
        _write(run)


def _scope(*, is_needed: bool) -> AbstractContextManager[object]:
    return transaction.atomic() if is_needed else nullcontext()


def _take_lightly(run: Run) -> bool:
    """Take the answer of a call if all that follows from it is the next call."""
    if len(run.queue) != 1 or run.row.moves + run.made >= run.flow.content.moves_max:
        return False
    event = run.queue[0]
    step = advance(run.flow.definition, run.state, event, at=run.at, decisions=run.flow.decisions)
    follows = step.commands
    is_light = (
        step.ignored is None
        and bool(follows)
        and all(_is_next(run, step.state, each) for each in follows)
        and not carrying.has_words(run.flow.content, step.history)
    )
    if is_light:
        run.queue.clear()
        run.lines.append(store.HistoryRow(run.rev, event, step.history, None, run.at))
        run.state = step.state
        run.asked.extend(each for each in follows if isinstance(each, CallService))
    return is_light


def _is_next(run: Run, state: InstanceState, command: Command) -> bool:
    """Tell whether a command is a call that this worker makes next."""
    return isinstance(command, CallService) and not calls.goes_apart(run, state, command)


def _write_step(run: Run) -> None:
    assert run.fence is not None
    crash_point("before_step_commit")
    progress.save_step(run.row.id, run.fence, run.state, run.lines[0])
    _written(run)


def _write(run: Run) -> None:
    """Write what happened; the instance stays in hand while there are calls to make."""
    crash_point("before_step_commit")
    progress.save(run.progress())
    engine.ring(run)
    _written(run)


def _written(run: Run) -> None:
    run.rev += len(run.lines)
    run.made += len(run.lines)
    run.lines.clear()
    run.taken.clear()


def _waiting(state: InstanceState) -> set[str]:
    return {token.id for token in state.tokens if token.wait is Wait.SERVICE}


def _lost_calls(run: Run, past: Past) -> list[CallService]:
    """Return the calls a worker that died had asked for and not made, from the history."""
    waiting = _waiting(run.state) - past.kept
    if not waiting:
        return []
    state, asked = new_state(process=run.row.process), dict[str, CallService]()
    for line in past.lines:
        step = advance(
            run.flow.definition, state, line.event, at=line.at, decisions=run.flow.decisions
        )
        state = step.state
        asked |= {each.token: each for each in step.commands if isinstance(each, CallService)}
    lost = waiting - set(asked)
    run.queue = deque(
        TaskFailed(token, FailureKind.TECHNICAL, "call_lost", "Nobody knows this call any more.")
        for token in sorted(lost)
    )
    return [asked[token] for token in sorted(waiting - lost)]
