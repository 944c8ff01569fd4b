"""What a step that was done found: the values it was really done with, and where they came from.

A flow may have been asked for other values than were planned, so that its own variables tell.
"""

from collections.abc import Mapping

from orchestration.durable import store
from orchestration.plain import plain_mapping
from orchestration.planning.checking import is_of_type
from orchestration.planning.graph import Found
from orchestration.planning.kinds import parameter_of, request_of, value_of
from orchestration.planning.rows import Plan, Step
from sentinel.vocabulary import Provenance, Source


def outputs_of(step: Step) -> dict[str, object]:
    """Return what the flow of a step ended with, by output; what is not there is left out."""
    request, ended = request_of(step.planned.task.kind), _variables(step)
    found = {
        name: value_of(request.slots[name], ended)
        for name in request.outputs
        if name in request.slots
    }
    return {
        name: value for name, value in found.items() if is_of_type(value, request.outputs[name])
    }


def origin_of(plan: Plan, found: Found, part: str) -> Source:
    """Return where a part of an output came from when the step was done with it.

    What the bank itself looked up is of its records; what nobody vouches for is unknown.
    """
    step = plan.step(found.task)
    assert step is not None
    if step.instance_id is None:
        return Source(Provenance.SYSTEM_OF_RECORD, f"plan:{plan.id}:{step.id}")
    slot = request_of(step.planned.task.kind).slots[found.output]
    ended = _variables(step)
    kept, parameter = ended.get("sources"), parameter_of(slot, part, ended)
    source = kept.get(parameter) if isinstance(kept, Mapping) else None
    if not isinstance(source, Mapping) or source.get("provenance") not in [*Provenance]:
        return Source(Provenance.UNKNOWN)
    return Source(Provenance(source["provenance"]), str(source.get("reference", "")))


def _variables(step: Step) -> Mapping[str, object]:
    assert step.instance_id is not None
    return plain_mapping(store.read_instance(step.instance_id).state.variables)
