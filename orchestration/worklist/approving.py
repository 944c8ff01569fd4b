"""A second person's question on the work list, as Sentinel asks it."""

from datetime import datetime
from uuid import UUID

import sentinel.public
from orchestration.durable.store import InstanceRow
from orchestration.worklist import assigning, clocks, rows

_FORM = {
    "type": "object",
    "title": "Approval",
    "properties": {
        "verdict": {
            "type": "string",
            "title": "Verdict",
            "enum": ["approve", "reject"],
            "x-labels": {"approve": "Approve", "reject": "Reject"},
        }
    },
    "required": ["verdict"],
}


def open_approval(  # noqa: PLR0913  (where it hangs, and what is read of it)
    *,
    task_id: UUID,
    request_id: UUID,
    row: InstanceRow,
    node: str,
    title: str,
    words: str,
    allowance: clocks.Allowance,
    at: datetime,
    token: str | None = None,
    visit: int = 0,
) -> bool:
    """Put an approval request to those who may answer it, once; return whether it is new."""
    request = sentinel.public.approval_request(request_id=request_id)
    warn_at, due_at = clocks.allowed((request.role,), at, allowance)
    clocks.keep_open(request, at, due_at)
    return assigning.open_task(
        rows.NewTask(
            id=task_id,
            case_id=row.case_id,
            instance_id=row.id,
            token=token,
            node=node,
            visit=visit,
            kind="approval",
            form_key="approval",
            title=title,
            form=_FORM,
            inputs={"decision_id": str(request.decision_id), "words": words},
            roles=(request.role,),
            excluded=(*request.excluded_ids, *request.excluded_persons),
            warn_at=warn_at,
            due_at=due_at,
            at=at,
            reference=request_id,
        )
    )
