"""A step that waits for permission: an approval on the work list, or a code from the customer."""

from uuid import UUID

import sentinel.public
from orchestration import cases
from orchestration.core.commands import CallService
from orchestration.dialogue.cards import NewCard
from orchestration.durable.run import Run
from orchestration.step_results import Parked
from orchestration.worklist import clocks
from orchestration.worklist.approving import open_approval


def park(run: Run, command: CallService, parked: Parked) -> None:
    """Put the question to the person the step waits for."""
    run.need_case()
    if parked.waits_for == "approval":
        _ask_approver(run, command, parked)
    else:
        _ask_customer(run, command, parked)


def _ask_approver(run: Run, command: CallService, parked: Parked) -> None:
    is_new = open_approval(
        task_id=run.new_id("approval", parked.reference),
        request_id=parked.reference,
        row=run.row,
        node=command.node,
        token=command.token,
        visit=command.visit,
        title=run.titled("Approve: {title}"),
        words=parked.words,
        allowance=clocks.APPROVAL,
        at=run.at,
    )
    if is_new:
        cases.set_state(run.row.case_id, "open", run.at)
        run.note("approval_asked", parked.words, reference=f"decision:{parked.decision_id}")
        run.say(run.flow.content.approval_says)


def _has_passkey(run: Run) -> bool:
    return bool(sentinel.public.passkeys_of(principal_id=run.principal.id))


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
                "has_passkey": _has_passkey(run),
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
