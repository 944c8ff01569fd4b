"""Steering a run over a file: hold the rest, let it go on, stop it, begin what failed anew.

Each is done with a reason that is kept. What an item does is decided anew each time it is begun:
where a rule asks for a second person, it asks again.
"""

from typing import Literal
from uuid import UUID

from django.db import transaction

from orchestration.durable.doorbell import database_time
from orchestration.operating.role import require_operations
from orchestration.operating.steering import (
    REASON_LENGTH_MAX,
    REASON_LENGTH_MIN,
    MoveRefused,
    ReasonRefused,
)
from orchestration.triggers import batch_items, batch_rows, batches
from orchestration.triggers.batch_rows import BatchMove, BatchRow
from sentinel.vocabulary import Principal

Move = Literal["pause", "resume", "stop", "restart"]


class BatchUnknown(LookupError):
    """There is no such run over a file."""

    code = "batch_unknown"
    is_retryable = False

    def __init__(self, batch_id: str) -> None:
        super().__init__(batch_id)
        self.batch_id = batch_id


def steer_batch(*, batch_id: UUID, move: Move, principal: Principal, reason: str) -> int:
    """Do one thing to a run, and keep who did it and why; return how many items it moved.

    `pause` begins nothing more until `resume`; `stop` never begins what still waits; `restart`
    begins anew what failed, and leaves alone what is done, was refused or was stopped. What has
    begun goes to its end.

    Raises:
        OperationsOnly: the principal is not of operations.
        ReasonRefused: the reason is too short or too long.
        BatchUnknown: there is no such run.
        MoveRefused: the run does not stand so that this can be done to it now.
    """
    require_operations(principal)
    said = reason.strip()
    if not REASON_LENGTH_MIN <= len(said) <= REASON_LENGTH_MAX:
        raise ReasonRefused(len(said))
    with transaction.atomic():
        batch = batch_rows.lock(batch_id)
        if batch is None:
            raise BatchUnknown(str(batch_id))
        _refuse_what_cannot_be(batch, move)
        moved = _carry_out(batch, move)
        made = BatchMove(move, principal.id, said, moved, database_time())
        batch_rows.keep_move(batch_id, made)
    return moved


def _carry_out(batch: BatchRow, move: Move) -> int:
    if move == "restart":
        restarted = batches.begin_failed_again(batch.id)
        if not restarted:
            raise MoveRefused(move, "Nothing of it failed.")
        return restarted
    if move == "stop":
        batch_rows.set_standing(batch.id, "stopped")
        return batch_items.stop_waiting(batch.id)
    batch_rows.set_standing(batch.id, "paused" if move == "pause" else "going")
    return batch_items.counts([batch.id])[batch.id].get("waiting", 0)


def _refuse_what_cannot_be(batch: BatchRow, move: Move) -> None:
    if move != "restart" and batch.ended_at is not None:
        raise MoveRefused(move, "It is over.")
    if move in {"pause", "stop"} and batch.standing == "stopped":
        raise MoveRefused(move, "It is stopped already.")
    if move == "pause" and batch.standing == "paused":
        raise MoveRefused(move, "It is held already.")
    if move == "resume" and batch.standing != "paused":
        raise MoveRefused(move, "It is not held.")
    if move == "restart" and batch.standing == "paused":
        raise MoveRefused(move, "It is held. Let it go on first.")
    if move == "restart" and batch.read_at is None:
        raise MoveRefused(move, "It is still being read.")
