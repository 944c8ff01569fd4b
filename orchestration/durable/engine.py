"""Moving an instance: everything up to its next wait state, in one commit."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from orchestration.core.advance import rebuild
from orchestration.core.events import Event
from orchestration.core.state import InstanceState
from orchestration.durable import calls, carrying, children, doorbell, store
from orchestration.durable.definitions import flow_of
from orchestration.durable.faults import crash_point
from orchestration.durable.run import Listener, Run
from orchestration.durable.starting import NewInstance, begin, principal_from

EVENTS_MAX = 200


def start(new: NewInstance, listener: Listener | None = None) -> UUID:
    """Begin an instance and run it to its first wait state in the same commit; return its case."""
    with transaction.atomic():
        case_id = begin(new)
        move(new.id, at=new.at, is_waiting=True, listener=listener)
    crash_point("after_commit")
    return case_id


def answer(
    *,
    instance_id: UUID,
    message_id: UUID,
    event: Event,
    at: datetime,
    listener: Listener | None = None,
) -> None:
    """Deliver an event, once, and run the instance on in the same commit."""
    with transaction.atomic():
        store.deliver(instance_id=instance_id, message_id=message_id, event=event, at=at)
        move(instance_id, at=at, is_waiting=True, listener=listener)
    crash_point("after_commit")


def move(
    instance_id: UUID,
    *,
    at: datetime,
    is_waiting: bool = False,
    listener: Listener | None = None,
) -> bool:
    """Take what came in for an instance and what is due, and run to the next wait state.

    Return False when the instance is busy, paused, or has nothing to do.
    """
    with transaction.atomic():
        row = store.lock_instance(instance_id, is_waiting=is_waiting)
        if row is None or row.is_paused:
            return False
        run = _bench(row, at, listener)
        taken = _take_all(run)
        if not run.lines and not taken:
            return False
        crash_point("before_commit")
        if run.lines:
            store.save_progress(row, run.state, run.lines, taken, run.end_node)
        for other in children.children_with_messages(instance_id):
            doorbell.ring(other)
    return True


def _bench(row: store.InstanceRow, at: datetime, listener: Listener | None) -> Run:
    return Run(
        row=row,
        flow=flow_of(row.definition),
        principal=principal_from(row.principal),
        at=at,
        listener=listener,
        state=row.state,
    )


def _take_all(run: Run) -> list[int]:
    """Take messages and due calls in order; return which messages were taken."""
    taken: list[int] = []
    for arrival in store.waiting_messages(run.row.id):
        run.queue.append(arrival.event)
        _drain(run)
        taken.append(arrival.position)
    for kept in calls.due_calls(run.row.id):
        if not run.state.is_ended:
            calls.make_call(run, kept.command, kept)
            _drain(run)
    return taken


def _drain(run: Run) -> None:
    """Move event by event; a drawing that never waits goes on in the next commit."""
    while run.queue:
        event = run.queue.popleft()
        if len(run.lines) >= EVENTS_MAX:
            message_id = run.new_id("later", run.row.rev + len(run.lines), len(run.queue))
            store.deliver(instance_id=run.row.id, message_id=message_id, event=event, at=run.at)
            doorbell.ring(run.row.id)
            continue
        commands, entries = run.take(event)
        carrying.tell(run, entries)
        for command in commands:
            carrying.carry_out(run, command)


def rebuilt_state(instance_id: UUID) -> InstanceState:
    """Return the state to which the history of an instance leads; nothing is done again."""
    row = store.read_instance(instance_id)
    flow = flow_of(row.definition)
    lines = [(line.event, line.at) for line in store.history_of(instance_id)]
    return rebuild(flow.definition, lines, decisions=flow.decisions)
