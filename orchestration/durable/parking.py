"""A step that waits for permission: an approval on the work list, or a code from the customer."""

from uuid import UUID

import sentinel.public
from orchestration import cases
from orchestration.core.commands import CallService
from orchestration.dialogue.cards import NewCard
from orchestration.durable.run import Run
from orchestration.step_results import Parked
from orchestration.worklist import rows

APPROVAL_FORM = {
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


def park(run: Run, command: CallService, parked: Parked) -> None:
    """Put the question to the person the step waits for."""
    if parked.waits_for == "approval":
        _ask_approver(run, command, parked)
    else:
        _ask_customer(run, command, parked)


def _ask_approver(run: Run, command: CallService, parked: Parked) -> None:
    request = sentinel.public.approval_request(request_id=parked.reference)
    is_new = rows.open_task(
        rows.NewTask(
            id=run.new_id("approval", parked.reference),
            case_id=run.row.case_id,
            instance_id=run.row.id,
            token=command.token,
            node=command.node,
            visit=command.visit,
            kind="approval",
            form_key="approval",
            title=run.titled("Approve: {title}"),
            form=APPROVAL_FORM,
            inputs={"decision_id": str(parked.decision_id), "words": parked.words},
            roles=(request.role,),
            excluded=request.excluded_ids,
            warn_at=None,
            due_at=None,
            at=run.at,
            reference=parked.reference,
        )
    )
    if is_new:
        cases.set_state(run.row.case_id, "open", run.at)
        run.note("approval_asked", parked.words, reference=f"decision:{parked.decision_id}")
        run.say(run.flow.content.approval_says)


def _ask_customer(run: Run, command: CallService, parked: Parked) -> None:
    if run.row.conversation_id is None:
        return
    challenge = sentinel.public.challenge(challenge_id=parked.reference)
    shown = run.values
    run.show(
        NewCard(
            id=_card_id(run, parked.reference),
            conversation_id=run.row.conversation_id,
            principal_id=run.principal.id,
            turn=run.listener.turn if run.listener else 0,
            kind="step_up",
            details={
                "challenge_id": str(parked.reference),
                "creditor_name": shown.get("creditor_name"),
                "creditor_iban": shown.get("creditor_iban"),
                "amount": shown.get("amount"),
                "attempts_left": challenge.attempts_left,
                "expires_at": challenge.expires_at.isoformat(),
            },
            at=run.at,
            expires_at=challenge.expires_at,
            case_id=run.row.case_id,
            instance_id=run.row.id,
            token=command.token,
            node=command.node,
            reference=parked.reference,
        )
    )
    run.note("step_up_asked", "The customer was asked for a code.", reference=str(parked.reference))
    run.say(run.flow.content.step_up_says)


def _card_id(run: Run, challenge_id: UUID) -> UUID:
    return run.new_id("step_up", challenge_id)
