"""A run taken again from its history, event by event; nothing is redone."""

from collections.abc import Iterator
from dataclasses import dataclass

from orchestration.core.advance import advance
from orchestration.core.events import Migrated
from orchestration.core.migration import migrate
from orchestration.core.state import InstanceState, new_state
from orchestration.core.step import Step
from orchestration.durable import store
from orchestration.durable.definitions import PublishedFlow, flow_of


@dataclass(frozen=True, slots=True)
class Replay:
    """One event of a run taken again: the version it was in from then on, and what followed."""

    flow: PublishedFlow
    line: store.HistoryRow
    step: Step


def replays_of(row: store.InstanceRow, *, to_seq: int | None = None) -> Iterator[Replay]:
    """Take the events of an instance again, all of them or up to one; nothing is carried out.

    An instance that went over to another version is rebuilt in each in turn.
    """
    lines = store.history_of(row.id)
    moves = (line.event for line in lines if isinstance(line.event, Migrated))
    first = next(moves, None)
    flow = flow_of(first.old if first else row.definition)
    state = new_state(process=row.process)
    for line in lines:
        if to_seq is not None and line.seq > to_seq:
            return
        replay = _replayed(flow, state, line)
        flow, state = replay.flow, replay.step.state
        yield replay


def _replayed(flow: PublishedFlow, state: InstanceState, line: store.HistoryRow) -> Replay:
    event = line.event
    if isinstance(event, Migrated):
        after = flow_of(event.new)
        step = migrate(
            old=flow.definition,
            new=after.definition,
            state=state,
            at=line.at,
            mapping=dict(event.mapping),
        )
        return Replay(after, line, step)
    step = advance(flow.definition, state, event, at=line.at, decisions=flow.decisions)
    return Replay(flow, line, step)
