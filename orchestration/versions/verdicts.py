"""Whether a running case can go on in another version, asked of its state and of its effects."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from orchestration.core import Verdict, judge
from orchestration.core.definition import Definition
from orchestration.core.migration import Judgement, Obstacle
from orchestration.core.state import InstanceState
from orchestration.durable import statements

Unsettled = Mapping[UUID, Sequence[str]]


def unsettled_effects(instance_ids: Sequence[UUID], mapping: Mapping[str, str]) -> Unsettled:
    """Return by instance the renamed nodes of which it is not known what another system has done.

    The name of a node is part of the key under which an effect happens once.
    """
    rows = statements.run(
        "SELECT DISTINCT instance_id, node FROM orch_effect"
        " WHERE instance_id = ANY(%s) AND node = ANY(%s) AND state <> 'taken'"
        " ORDER BY instance_id, node",
        [list(instance_ids), [node for node, new in mapping.items() if node != new]],
    )
    found: dict[UUID, list[str]] = {}
    for instance_id, node in rows:
        found.setdefault(instance_id, []).append(node)
    return found


def judged(
    *,
    old: Definition,
    new: Definition,
    state: InstanceState,
    mapping: Mapping[str, str],
    unsettled: Sequence[str],
) -> Judgement:
    """Say whether an instance can go on in another version, with everything that stands in the way.

    `unsettled` are the nodes that may not be renamed now, as `unsettled_effects` gives them.
    """
    found = judge(old=old, new=new, state=state, mapping=mapping)
    if not unsettled:
        return found
    held = tuple(
        Obstacle(
            node,
            Verdict.BLOCKED,
            f"{node} keeps its name until it is known what another system has done for it",
        )
        for node in unsettled
    )
    return Judgement(Verdict.BLOCKED, (*held, *found.obstacles))
