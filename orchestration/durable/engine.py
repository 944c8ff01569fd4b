"""Moving an instance: everything up to its next wait state, in one commit."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction

from orchestration.core.commands import CallService
from orchestration.core.events import (
    Event,
    FailureKind,
    TaskCompleted,
    TaskFailed,
    TimerFired,
)
from orchestration.core.state import InstanceState, Wait, new_state
from orchestration.core.step import Step
from orchestration.durable import (
    apart_calls,
    calls,
    carrying,
    doorbell,
    messages,
    progress,
    store,
)
from orchestration.durable.definitions import flow_of
from orchestration.durable.faults import crash_point
from orchestration.durable.replaying import replays_of
from orchestration.durable.run import Listener, Run
from orchestration.durable.starting import NewInstance, enter, leave_to_workers, principal_from

EVENTS_MAX = 200
# The instances whose calls apart are made once the transactions of this block are over.
_DRIVEN: ContextVar[set[UUID] | None] = ContextVar("driven", default=None)


@contextmanager
def driving(
    at: datetime, *, listener: Listener | None = None, leaves_calls: bool = False
) -> Iterator[None]:
    """Let branches that instances come to in the block make their calls side by side after it.

    Their answers are taken in before this returns; who `leaves_calls` has workers do it. Within
    somebody's transaction nothing is apart: other connections would not see what it has written.
    """
    if connection.in_atomic_block or _DRIVEN.get() is not None:
        yield
        return
    driven: set[UUID] = set()
    mark = _DRIVEN.set(driven)
    try:
        yield
        while driven and not leaves_calls:
            _make_calls(driven.pop(), at, listener)
    finally:
        _DRIVEN.reset(mark)
    for instance_id in driven:
        doorbell.ring_for_call(instance_id)


def _make_calls(instance_id: UUID, at: datetime, listener: Listener | None) -> None:
    beside = apart_calls.Beside(lambda: at, instance_id)
    while beside.begin() or beside.is_open:
        beside.wait()
        _move(instance_id, at, is_waiting=True, listener=listener)


def start(new: NewInstance, listener: Listener | None = None) -> UUID:
    """Begin an instance, once, and run it to its first wait state in the same commit.

    Return its case. A flow with a queue of its own is left to the workers.

    Raises:
        ValueTooLarge: no instance may carry one of its variables.
        StartConflict: this id came with something else.
    """
    with driving(new.at, listener=listener), transaction.atomic():
        begun = enter(new)
        if begun.event is None:
            return begun.row.case_id
        if new.flow.is_for_workers:
            leave_to_workers(begun)
            doorbell.ring(new.id)
        else:
            run = bench(begun.row, new.at, listener=listener)
            take_all(run, [], [], (begun.event,))
            finish(run)
    crash_point("after_commit")
    return begun.row.case_id


def answer(
    *,
    instance_id: UUID,
    message_id: UUID,
    event: Event,
    at: datetime,
    listener: Listener | None = None,
) -> None:
    """Deliver an event, once, and run the instance on in the same commit.

    A held instance, and one that only workers run, finds it in its inbox.

    Raises:
        InstanceUnknown: there is none with this id.
    """
    with driving(at, listener=listener), transaction.atomic():
        row = store.lock_instance(instance_id, is_waiting=True)
        if row is None:
            raise store.InstanceUnknown(str(instance_id))
        if row.is_paused or flow_of(row.definition).is_for_workers:
            store.deliver(instance_id=instance_id, message_id=message_id, event=event, at=at)
            doorbell.ring(instance_id)
        else:
            run = bench(row, at, listener=listener)
            is_new = store.take_in(
                instance_id=instance_id, message_id=message_id, event=event, at=at
            )
            _run_on(run, (event,) if is_new else ())
    crash_point("after_commit")


def interrupt(*, instance_id: UUID, message_id: UUID, event: Event, at: datetime) -> None:
    """Let one event happen before anything that waits, also to a held instance.

    Raises:
        InstanceUnknown: there is none with this id.
    """
    with driving(at), transaction.atomic():
        row = store.lock_instance(instance_id, is_waiting=True)
        if row is None:
            raise store.InstanceUnknown(str(instance_id))
        run = bench(row, at)
        if store.take_in(instance_id=instance_id, message_id=message_id, event=event, at=at):
            run.queue.append(event)
            drain(run)
            finish(run)
    crash_point("after_commit")


def move(
    instance_id: UUID,
    *,
    at: datetime,
    is_waiting: bool = False,
    listener: Listener | None = None,
    leaves_calls: bool = False,
) -> bool:
    """Take what came in for an instance and what is due, and run to the next wait state.

    Return False when the instance is busy, paused, or has nothing to do. Who `leaves_calls` does
    not wait for those of its branches.
    """
    with driving(at, listener=listener, leaves_calls=leaves_calls):
        return _move(instance_id, at, is_waiting=is_waiting, listener=listener)


def _move(instance_id: UUID, at: datetime, *, is_waiting: bool, listener: Listener | None) -> bool:
    with transaction.atomic():
        row = store.lock_instance(instance_id, is_waiting=is_waiting)
        if row is None or row.is_paused:
            return False
        return _run_on(bench(row, at, listener=listener), ())


def _run_on(run: Run, events: tuple[Event, ...]) -> bool:
    ids = [run.row.id]
    arrivals = store.waiting_messages(ids) if run.row.has_messages else {}
    kept = calls.due_calls(ids, run.at) if run.row.has_calls else {}
    take_all(run, arrivals.get(run.row.id, []), kept.get(run.row.id, []), events)
    # A call that was tried again without an answer is due later: that must be written, too.
    if not run.lines and not run.taken and not kept:
        return False
    finish(run)
    return True


def bench(
    row: store.InstanceRow,
    at: datetime,
    *,
    listener: Listener | None = None,
    fence: int | None = None,
) -> Run:
    """Put an instance on the bench: locked by the caller, or claimed with a fence."""
    flow = flow_of(row.definition)
    return Run(
        row=row,
        flow=flow,
        principal=principal_from(row.principal),
        at=at,
        listener=listener,
        state=row.state,
        rev=row.rev,
        fence=fence,
        is_stepwise=fence is not None and flow.content.commit == "step",
        may_part=fence is not None or _DRIVEN.get() is not None,
    )


def take_all(
    run: Run,
    arrivals: list[store.Arrival],
    kept: list[calls.OpenCall],
    events: tuple[Event, ...] = (),
) -> None:
    """Take messages, then events, calls whose time has come, timers, and what was buffered."""
    for arrival in arrivals:
        run.queue.append(arrival.event)
        run.taken.append(arrival.position)
        first = len(run.lines)
        drain(run)
        if arrival.bus_id and run.lines[first:] and run.lines[first].ignored:
            messages.give_back(arrival.bus_id)
    for event in events:
        run.queue.append(event)
        drain(run)
    for call in kept:
        if _is_waited_for(run, call.command):
            calls.make_call(run, call.command, call)
            drain(run)
    drain(run)
    for event in _happening(run):
        run.queue.append(event)
        drain(run)


def _is_waited_for(run: Run, command: CallService) -> bool:
    """Tell whether a kept call is still wanted: what was taken in before it may have ended it."""
    return any(
        each.id == command.token and each.visit == command.visit and each.wait is Wait.SERVICE
        for each in run.state.tokens
    )


def _happening(run: Run) -> Iterator[Event]:
    """Give what time and the bus have for the state as it is, until there is nothing more."""
    while not run.state.is_ended and len(run.lines) < EVENTS_MAX:
        due = [timer for timer in run.state.timers if timer.due_at <= run.at]
        if due:
            run.timers_fired += 1
            yield TimerFired(min(due, key=lambda timer: timer.due_at).id)
            continue
        message = messages.next_for(run)
        if message is None:
            return
        yield message
    # Whatever is due still is due at once in the next commit.
    run.is_cut_short = run.is_cut_short or not run.state.is_ended


def drain(run: Run) -> None:
    """Move event by event; a drawing that does not wait goes on in the next commit."""
    while run.queue:
        event = run.queue.popleft()
        if len(run.lines) >= EVENTS_MAX:
            _put_off(run, event)
            continue
        commands, entries = run.take(_guarded(run, event))
        carrying.tell(run, entries)
        for command in commands:
            carrying.carry_out(run, command)


def _put_off(run: Run, event: Event) -> None:
    message_id = run.new_id("later", run.rev + len(run.lines), len(run.queue))
    store.deliver(instance_id=run.row.id, message_id=message_id, event=event, at=run.at)
    run.is_cut_short = True
    run.rung[run.row.id] = None


def _guarded(run: Run, event: Event) -> Event:
    """Stop a drawing that calls and calls without ever waiting: a person must look."""
    moves = run.row.moves + run.made + len(run.lines)
    if moves < run.flow.content.moves_max or not isinstance(event, TaskCompleted):
        return event
    words = f"The flow went on {moves} times without waiting for anything."
    return TaskFailed(event.token, FailureKind.TECHNICAL, "moves_exhausted", words)


def finish(run: Run) -> None:
    """Write what a run led to, in the caller's transaction, and ring for whom it concerns."""
    crash_point("before_commit")
    progress.save(run.progress())
    ring(run)


def ring(run: Run) -> None:
    """Ring, after commit, for others a run concerns, and for whoever makes its calls apart."""
    for other in run.rung:
        doorbell.ring(other)
    driven = _DRIVEN.get()
    if run.apart and run.fence is None and driven is not None:
        driven.add(run.row.id)
    else:
        for _ in range(run.apart):
            doorbell.ring_for_call(run.row.id)
    run.rung.clear()
    run.apart = 0


def go_over(run: Run, event: Event, step: Step) -> None:
    """Take a step that was not made by the drawing, carry out what it asks, and write it."""
    run.note_step(event, step)
    for command in step.commands:
        carrying.carry_out(run, command)
    drain(run)
    finish(run)


def rebuilt_state(instance_id: UUID, *, to_seq: int | None = None) -> InstanceState:
    """Return the state to which history leads, all of it or up to one event; nothing is redone."""
    row = store.read_instance(instance_id)
    state = new_state(process=row.process)
    for replay in replays_of(row, to_seq=to_seq):
        state = replay.step.state
    return state
