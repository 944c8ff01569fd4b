"""Taking a file of items in: checked to its end first, then kept piece by piece, each a commit.

Nothing of it is begun before all of it is kept. A process that ends in between is met by the next
one that is given the same file: it goes on after the last item that is kept.
"""

from datetime import datetime
from typing import BinaryIO
from uuid import UUID, uuid5

from django.db import transaction

import sentinel.public
from orchestration.durable.definitions import PublishedFlow, flow_of
from orchestration.durable.faults import crash_point
from orchestration.triggers import batch_items, batch_rows
from orchestration.triggers.batch_files import FileItem, check_file, digest_of, pieces_of
from orchestration.triggers.batch_rows import BatchRow
from orchestration.triggers.content import BatchContent
from orchestration.triggers.receiving import NAMESPACE, TriggerUnknown
from orchestration.versions.rollouts import rule_of
from sentinel.vocabulary import Principal

FILE_NAME_LENGTH_MAX = 200


def keep_batch(
    *,
    process: str,
    name: str,
    file_name: str,
    file: BinaryIO,
    made_by: Principal,
    at: datetime,
) -> UUID:
    """Take a file, every item checked; the same file again is the run it was, and reads on.

    Whoever hands it in may be of a team that has a version on trial: their roles are kept.

    Raises:
        TriggerUnknown: the flow declares no such batch.
        FileNotUnderstood: the file cannot be read, or two items have one key.
    """
    flow = rule_of(process)
    declared = declared_in(flow, name)
    digest = digest_of(file)
    batch_id = batch_id_of(process, name, digest)
    known = batch_rows.read(batch_id)
    if known is not None:
        if known.read_at is not None:
            return batch_id
        # What has begun to be read is read as it was meant then.
        declared = declared_in(flow_of(known.definition), name)
    check_file(file, declared)
    if known is None:
        batch_rows.insert(
            BatchRow(
                batch_id,
                process,
                name,
                file_name[:FILE_NAME_LENGTH_MAX],
                flow.digest,
                0,
                made_by.id,
                at,
                roles=made_by.roles,
            ),
            digest,
        )
    _read_on(batch_id, file, declared)
    return batch_id


def batch_id_of(process: str, name: str, digest: bytes) -> UUID:
    """Return the id of the run over a file of this content."""
    entity = sentinel.public.current_entity()
    return uuid5(NAMESPACE, f"{entity}|batch|{process}/{name}|{digest.hex()}")


def declared_in(flow: PublishedFlow, name: str) -> BatchContent:
    """Return what a version of a flow says of such files.

    Raises:
        TriggerUnknown: it takes none.
    """
    declared = flow.content.batches.get(name)
    if declared is None:
        raise TriggerUnknown(f"{flow.process}/{name}")
    return declared


def _read_on(batch_id: UUID, file: BinaryIO, declared: BatchContent) -> None:
    known = batch_rows.read(batch_id)
    assert known is not None
    number = known.items
    for piece in pieces_of(file, declared, after=number):
        with transaction.atomic():
            _keep_piece(batch_id, piece, number)
            crash_point("piece_read")
        number += len(piece)
        crash_point("piece_committed")
    with transaction.atomic():
        batch_rows.read_to_end(batch_id)
        crash_point("batch_loaded")


def _keep_piece(batch_id: UUID, piece: tuple[FileItem, ...], number: int) -> None:
    """Keep the items behind the first `number`, but those another process has kept meanwhile."""
    batch = batch_rows.lock(batch_id)
    assert batch is not None
    fresh = piece[max(0, batch.items - number) :]
    if fresh:
        batch_items.insert(batch_id, fresh, are_stopped=batch.standing == "stopped")
        batch_rows.read_so_far(batch_id, batch.items + len(fresh))
