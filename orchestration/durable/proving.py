"""Proves running work from its history: what an instance's row says follows from what happened."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from orchestration.durable import engine, store

PAGE = 500
ROUND = 100
_ROUND_SECONDS = 3_600
FAULTS_MAX = 50

_logger = logging.getLogger(__name__)


class HistoryNotSound(RuntimeError):
    """Running work is not what its history leads to: a row was altered past the engine."""

    code = "history_not_sound"
    is_retryable = False

    def __init__(self, instance_ids: tuple[str, ...]) -> None:
        super().__init__(instance_ids)
        self.instance_ids = instance_ids


@dataclass(frozen=True, slots=True)
class HistoryProof:
    """How many instances were rebuilt from their history, and which of them came out otherwise."""

    instances: int
    faults: tuple[str, ...]

    @property
    def is_sound(self) -> bool:
        """Whether every row is what its history leads to."""
        return not self.faults


def prove_history(*, is_ended_included: bool = False) -> HistoryProof:
    """Rebuild every live instance of this legal entity from its history and compare it to its row.

    Ended ones are rebuilt too when asked for; that reads the whole history.
    """
    count, faults = 0, list[str]()
    for instance_id in _instances(is_ended_included=is_ended_included):
        count += 1
        words = _fault_of(instance_id)
        if words and len(faults) < FAULTS_MAX:
            faults.append(f"instance {instance_id}: {words}")
    return HistoryProof(count, tuple(faults))


def prove_histories_once() -> int:
    """Prove the next part of this legal entity's live instances; return how many were proved.

    A part is `ROUND` instances and each hour has its own, so that all have their turn.

    Raises:
        HistoryNotSound: after the part, when one of them came out otherwise.
    """
    found = _next_part()
    faulty = {each: words for each in found if (words := _fault_of(each))}
    for instance_id, words in faulty.items():
        _logger.error("history_not_sound instance=%s: %s", instance_id, words)
    if faulty:
        raise HistoryNotSound(tuple(str(each) for each in faulty))
    return len(found)


def _next_part() -> tuple[UUID, ...]:
    with connection.cursor() as cursor:
        cursor.execute(_PART, {"round": ROUND, "seconds": _ROUND_SECONDS})
        return tuple(row[0] for row in cursor.fetchall())


# The hour says which part: nothing is kept, and a process that begins anew loses no place.
_PART = """
SELECT id FROM orch_instance WHERE ended_at IS NULL ORDER BY id LIMIT %(round)s
OFFSET (SELECT %(round)s * (floor(extract(epoch FROM now()) / %(seconds)s)::bigint
                            %% greatest(1, ceil(count(*) / %(round)s::numeric)::bigint))
          FROM orch_instance WHERE ended_at IS NULL)
"""


def _instances(*, is_ended_included: bool) -> Iterator[UUID]:
    last = UUID(int=0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM orch_instance WHERE id > %s AND (%s OR ended_at IS NULL)"
                " ORDER BY id LIMIT %s",
                [last, is_ended_included, PAGE],
            )
            found = [row[0] for row in cursor.fetchall()]
        yield from found
        if len(found) < PAGE:
            return
        last = found[-1]


def _fault_of(instance_id: UUID) -> str:
    try:
        row = store.read_instance(instance_id)
        rebuilt = engine.rebuilt_state(instance_id)
        if store.read_instance(instance_id).rev != row.rev:
            # It went on meanwhile: row and history are of different moments.
            return ""
    except Exception as error:  # noqa: BLE001 - see below
        # An altered row may break the replay in any way: that is what is looked for.
        return f"its row or history cannot be read ({type(error).__name__})"
    if rebuilt != row.state:
        return "its state is not what its history leads to"
    if rebuilt.status.value != row.status:
        return f"its row says {row.status}, its history {rebuilt.status.value}"
    return ""
