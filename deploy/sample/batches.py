"""Sends items through the bank's one path to an effect, in batches under a system mandate."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TypeVar

import grand_central.public
import orchestration.public
from deploy.sample.story import sample_id
from grand_central.public import BatchItem, PostingItem

BATCH_ITEMS = 500
# Progress is said about once a second.
SAID_EVERY = 10 * BATCH_ITEMS
Say = Callable[[str], None]
_Item = TypeVar("_Item", bound=BatchItem)


@dataclass(frozen=True, slots=True)
class Mandate:
    """Under which system mandate, for which legal entity, and as of when work is done."""

    name: str
    entity: str
    at: datetime

    def perform(
        self, kind: str, parameters: dict[str, object], payload: object | None, key: str
    ) -> str:
        """Do one action, once per key, and return the words of its outcome.

        Raises:
            grand_central.public.CoreRefused: the core refused it.
        """
        outcome = orchestration.public.perform(
            mandate=self.name,
            kind=kind,
            parameters=parameters,
            resource=f"bank:{self.entity}",
            payload=payload,
            idempotency_key=f"{self.name}:{kind}:{key}",
            at=self.at,
        )
        return outcome.words


def send(mandate: Mandate, kind: str, items: Sequence[BatchItem]) -> None:
    """Send register entries of one kind; those that are known already stay as they are."""
    for chunk in chunked(items):
        lines = tuple(item.line() for item in chunk)
        send_lines(mandate, kind, lines)


def send_lines(mandate: Mandate, kind: str, lines: tuple[str, ...], **more: object) -> str:
    """Send the lines of one batch; the same lines are sent once only."""
    root = grand_central.public.items_root(lines=lines)
    parameters: dict[str, object] = {
        "batch_id": str(sample_id(mandate.entity, kind, root)),
        "items_root": root,
        "count": len(lines),
        **more,
    }
    return mandate.perform(kind, parameters, lines, root)


def post(mandate: Mandate, items: Sequence[PostingItem], say: Say) -> None:
    """Post transfers of one currency in the order of their booking dates, saying how far it is."""
    done = 0
    for chunk in chunked(items):
        post_chunk(mandate, chunk)
        done += len(chunk)
        if done % SAID_EVERY == 0 or done == len(items):
            say(f"{done} of {len(items)} bookings")


def post_chunk(mandate: Mandate, chunk: Sequence[PostingItem]) -> str:
    """Post one batch and return the words of its outcome."""
    total = sum(item.amount for item in chunk)
    money = {"minor_units": total, "currency": chunk[0].currency}
    lines = tuple(item.line() for item in chunk)
    return send_lines(mandate, "ledger.post_batch", lines, total=money)


def chunked(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    """Yield the items in lists of the size of a batch."""
    left = iter(items)
    while chunk := list(islice(left, BATCH_ITEMS)):
        yield chunk
