"""Letting effects that a restore held go on: one person of operations asks, another agrees."""

from datetime import datetime
from uuid import UUID

from orchestration.durable import interventions, overtaken, statements
from orchestration.durable.intervention_kinds import REASON_LENGTH_MAX, REASON_LENGTH_MIN
from orchestration.durable.interventions import Intervention
from orchestration.durable.putting_right import InterventionRefused
from orchestration.operating.role import require_operations
from orchestration.worklist import acting
from sentinel.vocabulary import Principal


def release_held(
    *, instance_id: UUID, principal: Principal, reason: str, at: datetime
) -> Intervention:
    """Ask to let go on what a restore held of a run; a second person must agree.

    Raises:
        OperationsOnly: the principal is not of operations.
        InstanceUnknown: there is no such run.
        InterventionRefused: nothing of it is held, or the reason is too short or too long.
    """
    require_operations(principal)
    if not REASON_LENGTH_MIN <= len(reason.strip()) <= REASON_LENGTH_MAX:
        raise InterventionRefused(str(instance_id), "reason_length")
    return interventions.release_held(
        instance_id=instance_id, principal=principal, reason=reason.strip(), at=at
    )


def agree_to_release(
    *, instance_id: UUID, principal: Principal, comment: str, at: datetime
) -> Intervention:
    """Agree, as the second person, to what was asked for last; it goes on at once.

    Raises:
        OperationsOnly: the principal is not of operations.
        InterventionRefused: nobody has asked to let anything of this run go on.
        orchestration.public.NotYourTask: this person asked for it.
        sentinel.public.ApprovalRefused: this person may not agree.
    """
    require_operations(principal)
    found = statements.run(
        "SELECT id FROM orch_intervention WHERE instance_id = %s AND done_at IS NULL"
        " AND kind = 'flows.release_held' ORDER BY asked_at DESC LIMIT 1",
        [instance_id],
    )
    if not found:
        raise InterventionRefused(str(instance_id), "not_asked_for")
    ((intervention_id,),) = found
    acting.complete(
        task_id=overtaken.approval_task(intervention_id),
        principal=principal,
        answer={"verdict": "approve"},
        comment=comment,
        at=at,
    )
    return interventions.intervention(intervention_id)
