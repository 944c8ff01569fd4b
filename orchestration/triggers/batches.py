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
from orchestration.durable.calls import STEP_FAULTS
from orchestration.durable.definitions import flow_of
from orchestration.durable.doorbell import database_time
from orchestration.durable.faults import crash_point
from orchestration.durable.large_values import ValueTooLarge, require_carriable
from orchestration.durable.mass import begin_all
from orchestration.durable.starting import NewInstance
from orchestration.triggers import batch_endings
from orchestration.triggers import batch_items as items
from orchestration.triggers import batch_rows as rows
from orchestration.triggers.batch_items import ItemEnd, ItemRow
from orchestration.triggers.batch_reading import declared_in
from orchestration.triggers.batch_rows import BatchRow
from orchestration.triggers.content import BatchContent, is_own_mandate
from orchestration.triggers.receiving import computed
from orchestration.versions.rollouts import Allotment, allotment_of
from sentinel.vocabulary import Principal

BEGUN_AT_ONCE = 500
AMOUNT_MAX = 1_000_000_000_000_000
POSTED = ("posted", "exists")
REFUSED = "item_refused"
TOO_LARGE = "a value of it is too large"
NAMES_NOBODY = "whom it is about cannot be told"
NOT_POSTABLE = "it names no two accounts, or no amount that can be posted"


def run_batches_once(*, rounds: int = 10) -> int:
    """Go on with the open runs of this legal entity; return how many items were begun or ended."""
    moved = 0
    for _ in range(rounds):
        went_on = _go_on_with_all()
        if not went_on:
            break
        moved += went_on
    return moved


def begin_failed_again(batch_id: UUID) -> int:
    """Begin the items anew that failed, each under an id of its own; return how many."""
    restarted = items.restart_failed(batch_id)
    if restarted:
        rows.open_again(batch_id)
    return restarted


def _go_on_with_all() -> int:
    """Go on with each; what breaks one of them holds up none of the others.

    Raises:
        Exception: what the first broke with, after the others had their turn.
    """
    moved = 0
    broken: Exception | None = None
    for batch_id in rows.open_batches():
        try:
            moved += _go_on(batch_id)
        except STEP_FAULTS as error:
            broken = broken or error
    if broken is not None:
        raise broken
    return moved


def _go_on(batch_id: UUID) -> int:
    with transaction.atomic():
        batch = rows.lock_open(batch_id)
        if batch is None:
            return 0
        declared = declared_in(flow_of(batch.definition), batch.name)
        at = database_time()
        ended = batch_endings.settle(batch_id)
        waiting = _taken(batch, declared)
        if waiting and declared.action:
            _post(batch, declared, waiting, at)
        elif waiting:
            _begin(batch, declared, waiting, at)
        crash_point("batch_begun")
        batch_endings.close_if_over(batch_id)
    crash_point("batch_committed")
    return ended + len(waiting)


def _taken(batch: BatchRow, declared: BatchContent) -> tuple[ItemRow, ...]:
    if batch.standing != "going":
        return ()
    limit = declared.items_at_once if declared.action else BEGUN_AT_ONCE
    return items.take(batch.id, limit, declared.running_max)


def _begin(
    batch: BatchRow, declared: BatchContent, waiting: tuple[ItemRow, ...], at: datetime
) -> None:
    versions = allotment_of(batch.process)
    readable, refused = list[tuple[int, NewInstance]](), dict[int, str]()
    for item in waiting:
        try:
            new = _new_instance(batch, declared, versions, item, at)
            require_carriable(new.variables)
        except ValueTooLarge:
            refused[item.line] = TOO_LARGE
        except ValueError:
            # One item that names nobody holds up none of the others.
            refused[item.line] = NAMES_NOBODY
        else:
            readable.append((item.line, new))
    refused |= dict.fromkeys(_begin_all(readable), TOO_LARGE)
    items.note_begun(batch.id, [(line, new.id) for line, new in readable if line not in refused])
    items.note_ended(
        batch.id,
        [ItemEnd(line, "refused", REFUSED, why) for line, why in sorted(refused.items())],
    )


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
    ended = [ItemEnd(item.line, "refused", REFUSED, NOT_POSTABLE) for item, p in readable if not p]
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
        ended += [
            ItemEnd(item.line, "done" if status in POSTED else "failed", status)
            for (item, _), status in zip(sound, statuses, strict=True)
        ]
    items.note_ended(batch.id, ended)


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
