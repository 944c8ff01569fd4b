"""What operations do with files of items: hand one in, watch it, restart what failed, see why."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestration.operating.role import require_operations
from orchestration.triggers import batch_rows as rows
from orchestration.triggers import batches
from orchestration.triggers.batch_files import failures_csv
from orchestration.triggers.batch_rows import BatchRow, ItemState
from orchestration.triggers.receiving import flows_in_force
from sentinel.vocabulary import Principal

FAILED = ("failed", "refused")
STATES = ("waiting", "running", "done", "failed", "refused")
FAILURES_MAX = 100_000


class BatchUnknown(LookupError):
    """There is no such run over a file."""

    code = "batch_unknown"
    is_retryable = False

    def __init__(self, batch_id: str) -> None:
        super().__init__(batch_id)
        self.batch_id = batch_id


@dataclass(frozen=True, slots=True)
class BatchView:
    """A run over a file and how many of its items stand how."""

    id: UUID
    process: str
    name: str
    file_name: str
    items: int
    waiting: int
    running: int
    done: int
    failed: int
    refused: int
    made_by: str
    made_at: datetime
    ended_at: datetime | None

    @property
    def percent(self) -> int:
        """How much of it is over."""
        return (self.done + self.failed + self.refused) * 100 // self.items


def load_batch(
    *,
    process: str,
    name: str,
    file_name: str,
    content: bytes,
    principal: Principal,
    at: datetime,
) -> BatchView:
    """Begin a run over a file; the same file again is the run it was.

    Raises:
        OperationsOnly: the principal is not of operations.
        FlowUnknown: no such flow is published.
        TriggerUnknown: the flow declares no such batch.
        FileNotUnderstood: the file cannot be read, or two items have one key.
    """
    require_operations(principal)
    batch_id = batches.keep_batch(
        process=process,
        name=name,
        file_name=file_name,
        content=content,
        made_by=principal,
        at=at,
    )
    return _view(_known(batch_id))


def batch_kinds(*, principal: Principal) -> tuple[tuple[str, str], ...]:
    """Return the flows that take files, with the name of what they take.

    Raises:
        OperationsOnly: the principal is not of operations.
    """
    require_operations(principal)
    return tuple(
        (flow.process, name) for flow in flows_in_force() for name in sorted(flow.content.batches)
    )


def batch_runs(*, principal: Principal, limit: int = 50) -> tuple[BatchView, ...]:
    """Return the newest runs.

    Raises:
        OperationsOnly: the principal is not of operations.
    """
    require_operations(principal)
    return tuple(_view(row) for row in rows.newest(limit))


def batch_run(*, batch_id: UUID, principal: Principal) -> BatchView:
    """Return how a run stands.

    Raises:
        OperationsOnly: the principal is not of operations.
        BatchUnknown: there is no such run.
    """
    require_operations(principal)
    return _view(_known(batch_id))


def batch_items(
    *,
    batch_id: UUID,
    principal: Principal,
    state: str | None = None,
    after_line: int = 0,
    limit: int = 100,
) -> tuple[ItemState, ...]:
    """Return items of a run in the order of the file, all or those in one state.

    Raises:
        OperationsOnly: the principal is not of operations.
        BatchUnknown: there is no such run.
    """
    require_operations(principal)
    _known(batch_id)
    states = STATES if state not in STATES else (str(state),)
    return rows.items_in(batch_id, states, after_line, limit)


def batch_failures(*, batch_id: UUID, principal: Principal) -> str:
    """Return what failed or was refused as CSV: line, key, state, code.

    Raises:
        OperationsOnly: the principal is not of operations.
        BatchUnknown: there is no such run.
    """
    require_operations(principal)
    _known(batch_id)
    found = rows.items_in(batch_id, FAILED, 0, FAILURES_MAX)
    return failures_csv([(each.line, each.key, each.state, each.code) for each in found])


def restart_failed(*, batch_id: UUID, principal: Principal) -> int:
    """Begin the items anew that failed; return how many. What was refused stays refused.

    Raises:
        OperationsOnly: the principal is not of operations.
        BatchUnknown: there is no such run.
    """
    require_operations(principal)
    _known(batch_id)
    return batches.begin_failed_again(batch_id)


def _known(batch_id: UUID) -> BatchRow:
    row = rows.read(batch_id)
    if row is None:
        raise BatchUnknown(str(batch_id))
    return row


def _view(row: BatchRow) -> BatchView:
    counted = rows.counts(row.id)
    return BatchView(
        id=row.id,
        process=row.process,
        name=row.name,
        file_name=row.file_name,
        items=row.items,
        made_by=row.made_by,
        made_at=row.made_at,
        ended_at=row.ended_at,
        **{state: counted.get(state, 0) for state in STATES},
    )
