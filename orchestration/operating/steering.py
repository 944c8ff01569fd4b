"""Steering a run: hold it, let it go on, try again, end or undo it; always with a reason."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from django.db import connection, transaction

from orchestration import cases
from orchestration.durable import control, store
from orchestration.operating.role import require_operations
from orchestration.worklist import acting
from sentinel.vocabulary import Principal

Move = Literal["hold", "release", "retry", "cancel", "undo"]
REASON_LENGTH_MIN = 5
REASON_LENGTH_MAX = 500


class ReasonRefused(ValueError):
    """Steering needs a reason that somebody can read later: not empty, not endless."""

    code = "reason_refused"
    is_retryable = False

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length


class MoveRefused(RuntimeError):
    """The run does not stand so that this can be done to it now."""

    code = "move_refused"
    is_retryable = False

    def __init__(self, move: str, why: str) -> None:
        super().__init__(move, why)
        self.move, self.why = move, why


def steer(
    *,
    instance_id: UUID,
    move: Move,
    principal: Principal,
    reason: str,
    at: datetime,
    incident_id: UUID | None = None,
) -> None:
    """Do one thing to a run, and keep who did it and why in its case.

    Raises:
        OperationsOnly: the principal is not of operations.
        ReasonRefused: the reason is too short or too long.
        InstanceUnknown: there is no such run.
        MoveRefused: it has ended, is held, is not held, is undone already, or nothing stopped.
        orchestration.public.TaskTaken: a colleague works on the incident.
    """
    require_operations(principal)
    said = reason.strip()
    if not REASON_LENGTH_MIN <= len(said) <= REASON_LENGTH_MAX:
        raise ReasonRefused(len(said))
    with transaction.atomic():
        row = store.lock_instance(instance_id, is_waiting=True)
        if row is None:
            raise store.InstanceUnknown(str(instance_id))
        _refuse_what_cannot_be(row, move, incident_id)
        if move == "retry":
            assert incident_id is not None
            acting.complete(
                task_id=incident_id,
                principal=principal,
                answer={"resolution": "retry"},
                comment=said,
                at=at,
            )
            return
        _carry_out(row, move, principal, said, at)
        cases.changed(row.case_id, row.customer_id, at)


def _carry_out(
    row: store.InstanceRow, move: Move, principal: Principal, reason: str, at: datetime
) -> None:
    if move == "cancel":
        control.cancel(instance_id=row.id, by=principal.id, reason=reason, at=at)
        return
    if move == "undo":
        control.cancel_and_undo(instance_id=row.id, by=principal.id, reason=reason, at=at)
        return
    act = control.pause if move == "hold" else control.resume
    act(instance_id=row.id, by=principal.id, at=at)
    note = cases.Note(at, principal.id, "reason", f"Reason given: {reason}", str(row.id))
    cases.add_note(row.case_id, note)


def _refuse_what_cannot_be(row: store.InstanceRow, move: Move, incident_id: UUID | None) -> None:
    if row.state.is_ended:
        raise MoveRefused(move, "It has ended.")
    if move == "hold" and row.is_paused:
        raise MoveRefused(move, "It is held already.")
    if move == "release" and not row.is_paused:
        raise MoveRefused(move, "It is not held.")
    if move in {"cancel", "undo"}:
        _refuse_an_end(row, move)
    if move == "retry":
        if row.is_paused:
            raise MoveRefused(move, "It is held. Release it first, then try again.")
        if incident_id is None or not _is_open(row.id, incident_id):
            raise MoveRefused(move, "Nothing of this run is stopped there any more.")


def _refuse_an_end(row: store.InstanceRow, move: Move) -> None:
    if row.is_paused:
        # What came in while it was held would run before its end did.
        raise MoveRefused(move, "It is held. Release it first, then end it.")
    if move == "undo" and any(scope.cancelled is not None for scope in row.state.scopes):
        raise MoveRefused(move, "What it did is being undone already. It ends after that.")


def _is_open(instance_id: UUID, incident_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM orch_incident"
            " WHERE id = %s AND instance_id = %s AND resolved_at IS NULL",
            [incident_id, instance_id],
        )
        return cursor.fetchone() is not None
