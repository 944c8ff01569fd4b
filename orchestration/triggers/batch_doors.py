"""What operations do with files of items: hand one in, watch it, find items, see what failed."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.db import transaction

import sentinel.public
from orchestration.operating.role import require_operations
from orchestration.triggers import batch_items as items
from orchestration.triggers import batch_rows, rows
from orchestration.triggers.batch_files import failures_csv
from orchestration.triggers.batch_items import ItemState
from orchestration.triggers.batch_reading import keep_batch
from orchestration.triggers.batch_rows import BatchMove, BatchRow
from orchestration.triggers.batch_steering import BatchUnknown
from orchestration.triggers.drops import incoming_of
from orchestration.triggers.receiving import flows_in_force
from sentinel.vocabulary import Principal

Stands = Literal["reading", "going", "paused", "stopped", "over"]
FAILED = ("failed", "refused", "stopped")
STATES = ("waiting", "running", "done", "failed", "refused", "stopped")
FAILURES_MAX = 100_000
REFUSALS_MAX = 20


@dataclass(frozen=True, slots=True)
class BatchKind:
    """Files a flow takes; `folder` is where they are put to be taken by themselves, if anywhere."""

    process: str
    name: str
    folder: str


@dataclass(frozen=True, slots=True)
class BatchRefusal:
    """A file from a folder that begins nothing, and why."""

    process: str
    name: str
    file: str
    code: str
    words: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BatchView:
    """A run over a file and how many of its items stand how.

    `stuck` are those running ones that a person has to look at before they go on.
    """

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
    stopped: int
    stuck: int
    stands: Stands
    made_by: str
    made_at: datetime
    ended_at: datetime | None

    @property
    def over(self) -> int:
        """How many items have come to their end, whichever that is."""
        return self.done + self.failed + self.refused + self.stopped

    @property
    def percent(self) -> int:
        """How much of it is over."""
        return self.over * 100 // self.items if self.items else 0


def load_batch(
    *,
    process: str,
    name: str,
    file_name: str,
    content: bytes,
    principal: Principal,
    at: datetime,
) -> BatchView:
    """Begin a run over a file, whole or not at all; the same file again is the run it was.

    Raises:
        OperationsOnly: the principal is not of operations.
        FlowUnknown: no such flow is published.
        TriggerUnknown: the flow declares no such batch.
        FileNotUnderstood: the file cannot be read, or two items have one key.
    """
    require_operations(principal)
    with transaction.atomic():
        batch_id = keep_batch(
            process=process,
            name=name,
            file_name=file_name,
            file=io.BytesIO(content),
            made_by=principal,
            at=at,
        )
    return _view(_known(batch_id))


def batch_kinds(*, principal: Principal) -> tuple[BatchKind, ...]:
    """Return the flows that take files, with the name of what they take and from where.

    Raises:
        OperationsOnly: the principal is not of operations.
    """
    require_operations(principal)
    return tuple(
        BatchKind(flow.process, name, _folder(declared.source))
        for flow in flows_in_force()
        for name, declared in sorted(flow.content.batches.items())
    )


def batch_runs(*, principal: Principal, limit: int = 50) -> tuple[BatchView, ...]:
    """Return the newest runs.

    Raises:
        OperationsOnly: the principal is not of operations.
    """
    require_operations(principal)
    return _views(batch_rows.newest(limit))


def batch_run(*, batch_id: UUID, principal: Principal) -> BatchView:
    """Return how a run stands.

    Raises:
        OperationsOnly: the principal is not of operations.
        BatchUnknown: there is no such run.
    """
    require_operations(principal)
    return _view(_known(batch_id))


def batch_figures(*, batch_id: UUID | None = None, limit: int = 50) -> tuple[BatchView, ...]:
    """Return the newest runs, or one if it is there, for who looks at this machine's terminal."""
    if batch_id is None:
        return _views(batch_rows.newest(limit))
    row = batch_rows.read(batch_id)
    return _views((row,) if row else ())


def batch_moves(*, batch_id: UUID, principal: Principal) -> tuple[BatchMove, ...]:
    """Return what people did to a run, in order.

    Raises:
        OperationsOnly: the principal is not of operations.
        BatchUnknown: there is no such run.
    """
    require_operations(principal)
    return batch_rows.moves_of(_known(batch_id).id)


def batch_refusals(*, principal: Principal) -> tuple[BatchRefusal, ...]:
    """Return the last files from folders that began nothing, newest first.

    Raises:
        OperationsOnly: the principal is not of operations.
    """
    found = [
        BatchRefusal(kind.process, kind.name, _named(each.event_id), each.code, each.words, each.at)
        for kind in batch_kinds(principal=principal)
        if kind.folder
        for each in rows.last_refusals(f"{kind.process}/{kind.name}", REFUSALS_MAX)
    ]
    return tuple(sorted(found, key=lambda each: each.at, reverse=True)[:REFUSALS_MAX])


def batch_items(
    *,
    batch_id: UUID,
    principal: Principal,
    state: str | None = None,
    search: str = "",
    after_line: int = 0,
    limit: int = 100,
) -> tuple[ItemState, ...]:
    """Return items of a run in the order of the file: all, those in one state, those so named.

    Raises:
        OperationsOnly: the principal is not of operations.
        BatchUnknown: there is no such run.
    """
    require_operations(principal)
    _known(batch_id)
    states = STATES if state not in STATES else (str(state),)
    return items.items_in(batch_id, states, search, after_line, limit)


def batch_failures(*, batch_id: UUID, principal: Principal) -> str:
    """Return what failed, was refused or stopped as CSV: line, key, state, code, reason.

    Raises:
        OperationsOnly: the principal is not of operations.
        BatchUnknown: there is no such run.
    """
    require_operations(principal)
    _known(batch_id)
    found = items.items_in(batch_id, FAILED, "", 0, FAILURES_MAX)
    return failures_csv([(e.line, e.key, e.state, e.code, e.reason) for e in found])


def _known(batch_id: UUID) -> BatchRow:
    row = batch_rows.read(batch_id)
    if row is None:
        raise BatchUnknown(str(batch_id))
    return row


def _view(row: BatchRow) -> BatchView:
    (view,) = _views((row,))
    return view


def _views(found: Sequence[BatchRow]) -> tuple[BatchView, ...]:
    """Count the items of runs that are not over; of the others it is known."""
    counted = items.counts([each.id for each in found if each.ended_at is None or not each.tally])
    return tuple(_shown(each, counted.get(each.id, each.tally)) for each in found)


def _shown(row: BatchRow, counted: Mapping[str, int]) -> BatchView:
    return BatchView(
        id=row.id,
        process=row.process,
        name=row.name,
        file_name=row.file_name,
        items=row.items,
        stuck=counted.get("stuck", 0),
        stands=_stands(row),
        made_by=row.made_by,
        made_at=row.made_at,
        ended_at=row.ended_at,
        **{state: counted.get(state, 0) for state in STATES},
    )


def _stands(row: BatchRow) -> Stands:
    if row.ended_at is not None:
        return "over"
    if row.read_at is None and row.standing == "going":
        return "reading"
    return row.standing


def _folder(source: str) -> str:
    if not source:
        return ""
    entity = sentinel.public.current_entity()
    incoming = incoming_of(Path(settings.FILES_DROP) / entity, source)
    return str(incoming.relative_to(Path(settings.FILES_DROP).parent))


def _named(event_id: str) -> str:
    """Return the name of a file without the checksum that is kept behind it."""
    name, colon, digest = event_id.rpartition(":")
    return name if colon and len(digest) == len("0" * 64) else event_id
