"""A checkpoint kept elsewhere beside the log as it was put back: held, lost, or another history."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection

from sentinel.entities import current_entity
from sentinel.key_views import public_keys
from sentinel.log.merkle import EMPTY, extend
from sentinel.log.note import parse_vkey, verify_note
from sentinel.refusals import SentinelError

_LEAVES = "SELECT leaf FROM sentinel_leaf WHERE idx >= %s AND idx < %s ORDER BY idx"
_PAGE = 5000


class AnotherHistory(SentinelError):
    """What was witnessed is not what this log holds: it was altered, not merely cut."""

    code = "another_history"

    def __init__(self, entity: str, size: int) -> None:
        super().__init__(entity, size)
        self.entity, self.size = entity, size


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What was kept elsewhere of a log, and how the log stands to it.

    `lost` names the first and the last record that was witnessed and was not put back.
    """

    size: int
    root: bytes
    lost: tuple[int, int] | None


def compare_witnessed(*, notes: Sequence[str], size: int) -> Witnessed | None:
    """Hold the log of this legal entity, put back with `size` records, beside checkpoints of it.

    Whatever they say of the records that were put back must be so. What they saw beyond is lost,
    unless the log holds that, too.

    Raises:
        CheckpointRefused: one of them is no checkpoint that this log signed.
        AnotherHistory: the log holds other records than were witnessed.
    """
    keys = tuple(
        parse_vkey(each.verification_key) for each in public_keys() if each.purpose == "log"
    )
    known = sorted((verify_note(note, keys) for note in notes), key=lambda each: each.size)
    if not known:
        return None
    roots = _roots(sorted({each.size for each in known}))
    unheld = [each for each in known if roots.get(each.size) != each.root]
    if unheld and unheld[0].size <= size:
        raise AnotherHistory(current_entity(), unheld[0].size)
    newest = (unheld or known)[-1]
    return Witnessed(newest.size, newest.root, (size, newest.size - 1) if unheld else None)


def _roots(sizes: list[int]) -> dict[int, bytes]:
    """Return the roots of the log at these sizes, recomputed from its leaves, as far as it goes."""
    frontier, found = EMPTY, dict[int, bytes]()
    for size in sizes:
        for leaves in _pages(frontier.size, size):
            frontier, _ = extend(frontier, leaves)
        if frontier.size != size:
            break
        found[size] = frontier.root()
    return found


def _pages(start: int, end: int) -> Iterator[list[bytes]]:
    for first in range(start, end, _PAGE):
        with connection.cursor() as cursor:
            cursor.execute(_LEAVES, [first, min(first + _PAGE, end)])
            yield [bytes(leaf) for (leaf,) in cursor.fetchall()]
