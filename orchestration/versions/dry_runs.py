"""What would become of each running case if it went on in another version: nothing is moved."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

import sentinel.public
from orchestration.core import Verdict
from orchestration.core.definition import Definition
from orchestration.core.state import InstanceState
from orchestration.durable.texts import from_text
from orchestration.versions.operations import INSTANCES_MAX
from orchestration.versions.verdicts import judged, unsettled_effects

_NO_MAPPING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class InstanceVerdict:
    """Whether one running case can go on in another version, and what stands in the way."""

    instance_id: UUID
    case_id: UUID
    case_number: str
    nodes: tuple[str, ...]
    verdict: Verdict
    words: tuple[str, ...]


def dry_run(
    *,
    old_digest: str,
    old: Definition,
    new: Definition,
    mapping: Mapping[str, str] = _NO_MAPPING,
) -> tuple[InstanceVerdict, ...]:
    """Return the verdict on every running instance of a version, those in trouble first.

    At most `INSTANCES_MAX` are looked at, the oldest first.
    """
    order = (Verdict.BLOCKED, Verdict.NEEDS_MAPPING, Verdict.SAFE)
    found = list(_verdicts(old_digest, old, new, mapping))
    return tuple(sorted(found, key=lambda each: (order.index(each.verdict), each.case_number)))


def hash_of(verdicts: tuple[InstanceVerdict, ...], mapping: Mapping[str, str]) -> str:
    """Return the digest of what was found for each case, whatever order they stand in.

    Where a case stands is no part of it: it is what a verdict depends on, and the verdict is.
    """
    found = {str(each.instance_id): [each.verdict.value, sorted(each.words)] for each in verdicts}
    report = {"verdicts": found, "mapping": dict(mapping)}
    return sentinel.public.digest(domain="flow-move", value=report)


def counted(verdicts: tuple[InstanceVerdict, ...]) -> dict[str, int]:
    """Return how many instances have which verdict; every verdict is named."""
    counts = Counter(each.verdict for each in verdicts)
    return {verdict.value: counts[verdict] for verdict in Verdict}


def _verdicts(
    old_digest: str, old: Definition, new: Definition, mapping: Mapping[str, str]
) -> Iterator[InstanceVerdict]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT i.id, i.case_id, coalesce(c.number, ''), i.state
              FROM orch_instance i LEFT JOIN orch_case c ON c.id = i.case_id
             WHERE i.definition = %s AND i.ended_at IS NULL
             ORDER BY i.started_at, i.id LIMIT %s
            """,
            [old_digest, INSTANCES_MAX],
        )
        rows = cursor.fetchall()
    unsettled = unsettled_effects([row[0] for row in rows], mapping)
    for instance_id, case_id, number, text in rows:
        state = from_text(text, InstanceState)
        found = judged(
            old=old,
            new=new,
            state=state,
            mapping=mapping,
            unsettled=unsettled.get(instance_id, ()),
        )
        yield InstanceVerdict(
            instance_id=instance_id,
            case_id=case_id,
            case_number=number,
            nodes=tuple(sorted({token.node for token in state.tokens})),
            verdict=found.verdict,
            words=tuple(obstacle.words for obstacle in found.obstacles),
        )
