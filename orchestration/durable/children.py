"""Called processes: instances of their own, in the case of their caller."""

from uuid import UUID

from django.db import connection

from orchestration.core import commands as ask
from orchestration.core.events import Cancelled
from orchestration.durable import store
from orchestration.durable.definitions import current_flow
from orchestration.durable.run import Run
from orchestration.durable.starting import NewInstance, begin
from orchestration.plain import plain_mapping


def start_child(run: Run, command: ask.StartChild) -> None:
    """Begin the called process; the sweeper or the caller's doorbell runs it after commit."""
    begin(
        NewInstance(
            id=_child_id(run, command.node, command.visit),
            flow=current_flow(command.process),
            principal=run.principal,
            variables=plain_mapping(command.variables),
            at=run.at,
            customer_id=run.row.customer_id,
            conversation_id=run.row.conversation_id,
            case_id=run.row.case_id,
            parent_id=run.row.id,
            parent_token=command.token,
        )
    )


def cancel_child(run: Run, command: ask.CancelChild) -> None:
    """Tell the called process to end."""
    child = _child_id(run, command.node, command.visit)
    event = Cancelled("caller_went_on", cancelled_by=None)
    message_id = run.new_id("cancel", command.node, command.visit)
    store.deliver(instance_id=child, message_id=message_id, event=event, at=run.at)


def children_with_messages(instance_id: UUID) -> tuple[UUID, ...]:
    """Return the called processes, and the caller, that have something to do now."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT i.instance_id FROM orch_inbox i JOIN orch_instance r
                ON r.id = i.instance_id
             WHERE i.taken_at IS NULL
               AND (r.parent_id = %(id)s
                    OR r.id = (SELECT parent_id FROM orch_instance WHERE id = %(id)s))
            """,
            {"id": instance_id},
        )
        return tuple(row[0] for row in cursor.fetchall())


def _child_id(run: Run, node: str, visit: int) -> UUID:
    return run.new_id("child", node, visit)
