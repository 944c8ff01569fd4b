"""Called processes: instances of their own, in the case of their caller."""

import json
from uuid import UUID

from orchestration.core import commands as ask
from orchestration.core.events import Cancelled, CancelledAndUndone, FailureKind, TaskFailed
from orchestration.durable import statements, store
from orchestration.durable.bindings import bound_flow
from orchestration.durable.definitions import FlowUnknown, PublishedFlow
from orchestration.durable.run import Run
from orchestration.durable.starting import NewInstance, begin
from orchestration.plain import plain_mapping

# How many flows may stand above one another, the first included. Drawings that call themselves are
# not published; a version or a name that is only known at run time can still lead back.
LEVELS_MAX = 32


def start_child(run: Run, command: ask.StartChild) -> None:
    """Begin the called process, in the version the drawing means; workers run it after commit.

    A process that is not published, or not in that version, is an incident of the caller; so is one
    that would stand more than LEVELS_MAX deep.
    """
    if _level_of(run) >= LEVELS_MAX:
        words = f"Processes call one another more than {LEVELS_MAX} deep, here {command.process}."
        _fail(run, command, "calls_too_deep", words)
        return
    child_id = _child_id(run, command.node, command.visit)
    flow = _bound(run, command, child_id)
    if flow is None:
        return
    begin(
        NewInstance(
            id=child_id,
            flow=flow,
            principal=run.principal,
            variables=plain_mapping(command.variables),
            at=run.at,
            customer_id=run.row.customer_id,
            conversation_id=run.row.conversation_id,
            case_id=run.row.case_id,
            parent_id=run.row.id,
            parent_token=command.token,
            priority=run.row.priority,
            deadline=command.deadline,
        )
    )
    run.has_left_traces = True
    run.rung[child_id] = None


def _bound(run: Run, command: ask.StartChild, child_id: UUID) -> PublishedFlow | None:
    fixed: dict[str, str] = json.loads(run.row.bindings or "{}")
    try:
        return bound_flow(
            process=command.process,
            binding=command.binding,
            fixed=fixed,
            instance_id=child_id,
            roles=run.principal.roles,
        )
    except FlowUnknown as unknown:
        _fail(run, command, unknown.code, f"There is no process {unknown.name}.")
        return None


def _fail(run: Run, command: ask.StartChild, code: str, words: str) -> None:
    run.queue.append(TaskFailed(command.token, FailureKind.TECHNICAL, code, words))


def _level_of(run: Run) -> int:
    """Return how deep the caller stands, 1 at the top; never more than LEVELS_MAX is counted."""
    if run.row.parent_id is None:
        return 1
    rows = statements.run(
        """
        WITH RECURSIVE above (parent_id, level) AS (
            SELECT %(parent)s::uuid, 1
            UNION ALL
            SELECT i.parent_id, above.level + 1
              FROM above JOIN orch_instance i ON i.id = above.parent_id
             WHERE above.level < %(most)s
        )
        SELECT max(level) FROM above
        """,
        {"parent": run.row.parent_id, "most": LEVELS_MAX},
    )
    return int(rows[0][0])


def cancel_child(run: Run, command: ask.CancelChild) -> None:
    """Tell the called process to end, and through it those it has called.

    It is found by the token that called it: the caller may have gone over to another version since,
    in which its call has another name. One that has ended is told nothing but to undo what it did.
    """
    kind = CancelledAndUndone if command.is_undone else Cancelled
    event = kind("caller_went_on", cancelled_by=None)
    message_id = run.new_id("cancel", command.node, command.visit)
    for (child,) in statements.run(
        "SELECT id FROM orch_instance"
        " WHERE parent_id = %s AND parent_token = %s AND (ended_at IS NULL OR %s)",
        [run.row.id, command.token, command.is_undone],
    ):
        store.deliver(instance_id=child, message_id=message_id, event=event, at=run.at)
        run.rung[child] = None


def _child_id(run: Run, node: str, visit: int) -> UUID:
    return run.new_id("child", node, visit)
