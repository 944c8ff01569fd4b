"""Which version of a called process a drawing means; a version on trial gets its share of calls."""

from collections.abc import Mapping
from uuid import UUID

from orchestration.durable import statements
from orchestration.durable.definitions import FlowUnknown, PublishedFlow, flow_of
from orchestration.versions.rollouts import flow_to_start


def bound_flow(
    *,
    process: str,
    binding: str,
    fixed: Mapping[str, str],
    instance_id: UUID,
    roles: tuple[str, ...],
) -> PublishedFlow:
    """Return the version in which a called process begins as an instance of this id.

    `binding` is `latest`, `start` (which `fixed` names by process), or a version's number. Latest
    is what new work gets at this moment, of somebody with these roles.

    Raises:
        FlowUnknown: there is none.
    """
    if binding == "start" and process in fixed:
        return flow_of(fixed[process])
    if not binding.isdigit():
        return flow_to_start(process=process, instance_id=instance_id, roles=roles)
    return numbered_flow(process, binding)


def numbered_flow(process: str, version: str) -> PublishedFlow:
    """Return a version of a flow by its number.

    Raises:
        FlowUnknown: there is none.
    """
    rows = statements.run(
        "SELECT hash FROM orch_definition WHERE process = %s AND version = %s",
        [process, int(version)],
    )
    if not rows:
        raise FlowUnknown(f"{process} {version}")
    return flow_of(rows[0][0])


def fixed_at_start(
    flow: PublishedFlow, instance_id: UUID, roles: tuple[str, ...]
) -> dict[str, str]:
    """Return the versions of called processes that are fixed now, because the drawing says so.

    They are those that new work of the caller's id gets, so that all its calls get the same one.

    Raises:
        FlowUnknown: a called process is not published.
    """
    return {
        process: flow_to_start(process=process, instance_id=instance_id, roles=roles).digest
        for process in flow.fixes
    }
