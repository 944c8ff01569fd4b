"""Beginning many instances in one commit, a statement for each table however many they are.

What at once does nothing but wait, for a time or for calls that are made one by one, is written
as waiting; all else is left to the workers, who run it a batch at a time.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db import transaction

from orchestration import cases, context_graph
from orchestration.core.advance import advance
from orchestration.core.commands import ArmTimer, CallService
from orchestration.core.events import Started
from orchestration.core.state import new_state
from orchestration.durable import carrying, claims, doorbell, statements, store
from orchestration.durable.definitions import PublishedFlow
from orchestration.durable.faults import crash_point
from orchestration.durable.large_values import require_carriable
from orchestration.durable.starting import (
    NewInstance,
    case_of,
    first_event,
    first_message_of,
    first_note,
    new_case,
    require_same,
    row_of,
)
from orchestration.versions.rollouts import allotment_of
from sentinel.vocabulary import Principal

AT_ONCE = 1_000
# A first move takes microseconds; rules that take long are for the workers.
MOVE_SECONDS_MAX = 2.0


@dataclass(frozen=True, slots=True)
class NewRun:
    """One run of a flow to begin; its id makes it begin once."""

    id: UUID
    variables: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class _First:
    """A new instance as it is to be written: moved to its first wait state, or to be moved."""

    new: NewInstance
    row: store.InstanceRow
    event: Started
    line: store.HistoryRow | None = None
    due_at: datetime | None = None


def begin_flows(
    *,
    process: str,
    runs: Sequence[NewRun],
    principal: Principal,
    at: datetime,
    case_id: UUID | None = None,
    priority: int | None = None,
) -> int:
    """Begin runs of a flow in one commit, each once, and leave them to the workers.

    Each gets the version that new work of its id gets. With a `case_id` all belong to that case.
    Return how many had not begun before.

    Raises:
        FlowUnknown: nothing of this name is published.
        ValueTooLarge: no run may carry one of its variables; none has begun.
        StartConflict: the id of one came with something else; none has begun.
    """
    versions = allotment_of(process)
    return begin_all(
        [
            NewInstance(
                each.id,
                versions.flow_for(each.id, principal.roles),
                principal,
                each.variables,
                at,
                case_id=case_id,
                priority=priority,
                is_by_name=True,
            )
            for each in runs
        ]
    )


def begin_all(wanted: Sequence[NewInstance]) -> int:
    """Begin instances in one commit, each once; return how many had not begun before.

    Raises:
        FlowUnknown: a process that one of them calls is not published.
        ValueTooLarge: no instance may carry one of the variables; none has begun.
        StartConflict: the id of one came with something else; none has begun.
    """
    for each in wanted:
        require_carriable(each.variables)
    # In the order of their ids, so that two who begin the same wait for each other in turn.
    first_of = {each.id: each for each in reversed(wanted)}
    ordered = sorted(first_of.values(), key=lambda new: new.id)
    begun = set[UUID]()
    with transaction.atomic():
        for first in range(0, len(ordered), AT_ONCE):
            begun |= _begin_some(ordered[first : first + AT_ONCE])
        again = [each for each in wanted if each.id not in begun or each is not first_of[each.id]]
        require_same(again)
    return len(begun)


def _begin_some(wanted: Sequence[NewInstance]) -> set[UUID]:
    known = {
        row[0]
        for row in statements.run(
            "SELECT id FROM orch_instance WHERE id = ANY(%s)", [[each.id for each in wanted]]
        )
    }
    fresh = [each for each in wanted if each.id not in known]
    if not fresh:
        return set()
    numbers = _numbers(fresh)
    firsts = _moved([(each, first_event(each, numbers[each.id][1])) for each in fresh])
    written = store.insert_instances([each.row for each in firsts])
    crash_point("after_start")
    begun = [each for each in firsts if each.new.id in written]
    _open_cases([each.new for each in begun], numbers)
    store.insert_history([(each.new.id, each.line) for each in begun if each.line])
    left = [each for each in begun if each.line is None]
    store.deliver_all(
        [(first_message_of(each.new.id), each.new.id, each.event, each.new.at) for each in left]
    )
    claims.make_all_ready([(each.row, each.due_at) for each in begun if each.due_at])
    if left:
        doorbell.ring(left[0].new.id)
    return {each.new.id for each in begun}


def _numbers(fresh: Sequence[NewInstance]) -> dict[UUID, tuple[int, str | None]]:
    """Give every instance that opens a case of its own the number of that case."""
    numbers: dict[UUID, tuple[int, str | None]] = {each.id: (0, None) for each in fresh}
    own = [each for each in fresh if each.opens_case]
    if own:
        reserved = cases.reserve_numbers(len(own), own[0].at)
        numbers |= {each.id: number for each, number in zip(own, reserved, strict=True)}
    return numbers


def _open_cases(
    begun: Sequence[NewInstance], numbers: Mapping[UUID, tuple[int, str | None]]
) -> None:
    own = [each for each in begun if each.opens_case]
    if not own:
        return
    cases.open_cases(
        [
            cases.NumberedCase(
                new_case(each), numbers[each.id][0], numbers[each.id][1] or "", first_note(each)
            )
            for each in own
        ]
    )
    context_graph.cases_opened(
        [
            context_graph.OpenedCase(
                case_of(each),
                each.customer_id,
                each.conversation_id,
                {"number": numbers[each.id][1], "process": each.flow.process},
                each.at,
            )
            for each in own
        ]
    )


def _moved(begun: Sequence[tuple[NewInstance, Started]]) -> list[_First]:
    """Move what only comes to wait; the time for it all is limited."""
    end = time.monotonic() + MOVE_SECONDS_MAX
    return [
        _first_move(new, event) if time.monotonic() < end else _unmoved(new, event)
        for new, event in begun
    ]


def _unmoved(new: NewInstance, event: Started) -> _First:
    return _First(new, row_of(new), event, due_at=new.at)


def _first_move(new: NewInstance, event: Started) -> _First:
    flow: PublishedFlow = new.flow
    state = new_state(process=flow.process)
    step = advance(flow.definition, state, event, at=new.at, decisions=flow.decisions)
    is_waiting = all(isinstance(each, ArmTimer) for each in step.commands)
    # Calls made one by one are found in the history by whoever makes the first of them.
    is_stepwise = flow.content.commit == "step" and all(
        isinstance(each, CallService) for each in step.commands
    )
    is_light = step.ignored is None and not carrying.has_words(flow.content, step.history)
    if not is_light or not (is_waiting or is_stepwise):
        return _unmoved(new, event)
    row = replace(row_of(new), state=step.state, status=step.state.status.value, rev=1)
    due_at = min((timer.due_at for timer in step.state.timers), default=None)
    if not is_waiting:
        due_at = new.at
    return _First(new, row, event, store.HistoryRow(0, event, step.history, None, new.at), due_at)
