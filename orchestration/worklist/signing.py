"""An approval as it is handed to Sentinel, with the approver's passkey where it takes one."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import sentinel.public
from orchestration.worklist import rows
from orchestration.worklist.forms import AnswerRefused
from orchestration.worklist.rows import TaskGone
from sentinel.vocabulary import Principal

_NOT_ACCEPTED = "Your passkey was not accepted, so nothing is approved. Please try again."
_NEEDED = "This is of high risk: approve it with your passkey."


def is_passkey_needed(*, task_id: UUID, principal: Principal) -> bool:
    """Return whether approving this piece of work takes a passkey of this person."""
    row = rows.read_task(task_id)
    if row.kind != "approval" or row.reference is None:
        return False
    request = sentinel.public.approval_request(request_id=row.reference)
    return sentinel.public.is_signature_needed(kind=request.action_kind, principal_id=principal.id)


def approval_passkey_request(
    *, task_id: UUID, principal: Principal, origin: str
) -> Mapping[str, object]:
    """Return what the browser needs to have this person's passkey sign an approval.

    Raises:
        TaskGone: it is no approval.
        sentinel.public.PasskeyUnknown: the person has no passkey for this site.
        sentinel.public.PasskeyRefused: the site can have no passkeys.
    """
    row = rows.read_task(task_id)
    if row.kind != "approval" or row.reference is None:
        raise TaskGone(str(task_id))
    request = sentinel.public.approval_request(request_id=row.reference)
    return sentinel.public.approval_options(
        principal_id=principal.id,
        request_id=request.id,
        params_hash=request.params_hash,
        origin=origin,
    )


def give_approval(
    reference: UUID,
    principal: Principal,
    verdict: str,
    comment: str,
    at: datetime,
    passkey: sentinel.public.PasskeyAnswer | None,
) -> None:
    """Hand an answer to Sentinel, which keeps it by itself; what it has is not given twice.

    Raises:
        AnswerRefused: it takes a passkey, and none was given or it was not accepted.
        sentinel.public.ApprovalRefused: this person may not give this approval.
    """
    request = sentinel.public.approval_request(request_id=reference)
    if request.state != "open":
        return
    try:
        sentinel.public.approve(
            request_id=reference,
            approver=principal,
            verdict="approve" if verdict == "approve" else "reject",
            comment=comment,
            params_hash=request.params_hash,
            at=at,
            passkey=passkey,
        )
    except sentinel.public.ApprovalUnsigned as error:
        raise AnswerRefused({"verdict": _NEEDED}) from error
    except (sentinel.public.PasskeyRefused, sentinel.public.PasskeyUnknown) as error:
        raise AnswerRefused({"verdict": _NOT_ACCEPTED}) from error
