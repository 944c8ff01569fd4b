"""Runs over files of many items: what is begun is kept item by item, so that any process goes on.

Each item begins an instance of its own, or many are decided upon together and posted in one
commit. Where an item stands commits with what was begun for it: a killed run goes on where it was.
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID, uuid5

from django.db import transaction

import sentinel.public
from orchestration import act
from orchestration.durable.definitions import PublishedFlow, flow_of
from orchestration.durable.doorbell import database_time
from orchestration.durable.faults import crash_point
from orchestration.durable.large_values import ValueTooLarge, require_carriable
from orchestration.durable.mass import begin_all
from orchestration.durable.starting import NewInstance
from orchestration.triggers import batch_rows as rows
from orchestration.triggers.batch_files import read_items
from orchestration.triggers.batch_rows import BatchRow, ItemRow
from orchestration.triggers.content import BatchContent, is_own_mandate
from orchestration.triggers.receiving import NAMESPACE, TriggerUnknown, computed
from orchestration.versions.rollouts import Allotment, allotment_of, rule_of
from sentinel.vocabulary import Principal

BEGUN_AT_ONCE = 500
AMOUNT_MAX = 1_000_000_000_000_000
POSTED = ("posted", "exists")


def keep_batch(
    *,
    process: str,
    name: str,
    file_name: str,
    content: bytes,
    made_by: Principal,
    at: datetime,
) -> UUID:
    """Take a file whole, every item checked; the same file again is the run it was.

    Whoever hands it in may be of a team that has a version on trial: their roles are kept.

    Raises:
        TriggerUnknown: the flow declares no such batch.
        FileNotUnderstood: the file cannot be read, or two items have one key.
    """
    flow = rule_of(process)
    declared = _declared(flow, name)
    items = read_items(content, declared)
    digest = rows.digest_of(content)
    entity = sentinel.public.current_entity()
    batch_id = uuid5(NAMESPACE, f"{entity}|batch|{process}/{name}|{digest.hex()}")
    batch = BatchRow(
        batch_id,
        process,
        name,
        file_name[:200],
        flow.digest,
        len(items),
        made_by.id,
        at,
        None,
        made_by.roles,
    )
    with transaction.atomic():
        if rows.insert(batch, digest):
            rows.insert_items(batch_id, items)
        crash_point("batch_loaded")
    return batch_id


def run_batches_once(*, rounds: int = 10) -> int:
    """Go on with the open runs of this legal entity; return how many items were begun or ended."""
    moved = 0
    for _ in range(rounds):
        went_on = sum(_go_on(batch_id) for batch_id in rows.open_batches())
        if not went_on:
            break
        moved += went_on
    return moved


def begin_failed_again(batch_id: UUID) -> int:
    """Begin the items anew that failed, each under an id of its own; return how many."""
    with transaction.atomic():
        return rows.restart_failed(batch_id)


def _go_on(batch_id: UUID) -> int:
    with transaction.atomic():
        batch = rows.lock(batch_id)
        if batch is None:
            return 0
        declared = _declared(flow_of(batch.definition), batch.name)
        at = database_time()
        ended = rows.settle(batch_id)
        limit = declared.items_at_once if declared.action else BEGUN_AT_ONCE
        waiting = rows.take(batch_id, limit)
        if declared.action:
            _post(batch, declared, waiting, at)
        else:
            _begin(batch, declared, waiting, at)
        crash_point("batch_begun")
        rows.close_if_over(batch_id)
    crash_point("batch_committed")
    return ended + len(waiting)


def _begin(
    batch: BatchRow, declared: BatchContent, waiting: tuple[ItemRow, ...], at: datetime
) -> None:
    versions = allotment_of(batch.process)
    readable, refused = list[tuple[int, NewInstance]](), list[int]()
    for item in waiting:
        try:
            new = _new_instance(batch, declared, versions, item, at)
            require_carriable(new.variables)
        except ValueError:
            # One item that names nobody, or is too large, holds up none of the others.
            refused.append(item.line)
        else:
            readable.append((item.line, new))
    too_large = _begin_all(readable)
    rows.note_begun(batch.id, [(line, new.id) for line, new in readable if line not in too_large])
    ended = sorted({*refused, *too_large})
    rows.note_ended(batch.id, [(line, "refused", "item_refused") for line in ended])


def _begin_all(readable: list[tuple[int, NewInstance]]) -> set[int]:
    """Begin all together or, should one be too large as written, each alone; return which are."""
    try:
        with transaction.atomic():
            begin_all([new for _, new in readable])
    except ValueTooLarge:
        if len(readable) == 1:
            return {readable[0][0]}
        half = len(readable) // 2
        return _begin_all(readable[:half]) | _begin_all(readable[half:])
    return set()


def _new_instance(
    batch: BatchRow, declared: BatchContent, versions: Allotment, item: ItemRow, at: datetime
) -> NewInstance:
    """Return the instance of an item, in the version that new work of its id gets.

    A version that takes no such files cannot say what an item means to it; then it is begun in
    the one that read the file.
    """
    instance_id = uuid5(batch.id, f"{item.line}|{item.attempt}")
    flow = versions.flow_for(instance_id, batch.roles)
    meant = flow.content.batches.get(batch.name)
    if meant is None or meant.action:
        flow = flow_of(batch.definition)
    else:
        declared = meant
    if not is_own_mandate(flow.process, declared.mandate):
        raise ValueError(declared.mandate)
    mandate = f"system:{declared.mandate}"
    event = item.values
    return NewInstance(
        id=instance_id,
        flow=flow,
        principal=Principal(mandate, "system", mandate, sentinel.public.current_entity()),
        variables={name: computed(text, event) for name, text in _wanted(declared)}
        or {"event": dict(event)},
        at=at,
        customer_id=_customer(declared, event),
        is_by_name=True,
    )


def _post(
    batch: BatchRow, declared: BatchContent, waiting: tuple[ItemRow, ...], at: datetime
) -> None:
    """Decide upon items together and post them; each gets the status the core gave it."""
    readable = [(item, _posting(batch, declared, item)) for item in waiting]
    sound = [(item, posting) for item, posting in readable if posting is not None]
    refused = [(item.line, "refused", "item_refused") for item, posting in readable if not posting]
    if sound:
        first = sound[0][0]
        try:
            statuses = act.post_items(
                mandate=declared.mandate,
                batch_id=uuid5(batch.id, f"{first.line}|{first.attempt}"),
                items=[posting for _, posting in sound],
                at=at,
            )
        except (act.CoreRefused, act.MandateRefused) as error:
            statuses = (error.code,) * len(sound)
        refused += [
            (item.line, "done" if status in POSTED else "failed", status)
            for (item, _), status in zip(sound, statuses, strict=True)
        ]
    rows.note_ended(batch.id, refused)


def _posting(batch: BatchRow, declared: BatchContent, item: ItemRow) -> act.PostingItem | None:
    said = {name: computed(text, item.values) for name, text in declared.line.items()}
    try:
        amount = int(str(said["amount"]))
        # An amount that the core will not post must not lessen the sum that is permitted.
        if not 0 < amount <= AMOUNT_MAX:
            return None
        return act.PostingItem(
            id=uuid5(batch.id, f"posting|{item.line}|{item.attempt}"),
            debit=UUID(str(said["debit"])),
            credit=UUID(str(said["credit"])),
            amount=amount,
            currency=declared.currency,
            remittance=str(said.get("remittance") or "")[:140],
        )
    except (KeyError, ValueError):
        return None


def _wanted(declared: BatchContent) -> tuple[tuple[str, str], ...]:
    return tuple(declared.variables.items())


def _customer(declared: BatchContent, event: Mapping[str, object]) -> UUID | None:
    value = computed(declared.customer, event) if declared.customer else None
    return UUID(str(value)) if value else None


def _declared(flow: PublishedFlow, name: str) -> BatchContent:
    declared = flow.content.batches.get(name)
    if declared is None:
        raise TriggerUnknown(f"{flow.process}/{name}")
    return declared
