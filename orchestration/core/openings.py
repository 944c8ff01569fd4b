"""How an instance begins: by whom it may be begun from outside, and its first step."""

from dataclasses import dataclass
from datetime import datetime

from orchestration.bpmn.expressions import as_expression
from orchestration.bpmn.model import EventDefinition, Kind, Node, Process
from orchestration.core import history as past
from orchestration.core.arming import arm_event_sub_processes
from orchestration.core.deadlines import opened
from orchestration.core.definition import Definition
from orchestration.core.events import Started
from orchestration.core.failures import raise_incident
from orchestration.core.run import Arrival, CannotGoOn, Run
from orchestration.core.state import ROOT_SCOPE, Scope, Status, Variables, Wait
from orchestration.feel import to_feel


@dataclass(frozen=True, slots=True)
class Opening:
    """A message, signal, timer or condition that begins a process at a node."""

    node: str
    event: EventDefinition


def openings(definition: Definition) -> tuple[Opening, ...]:
    """List what begins a process from outside, by `Started(start_node=opening.node)`."""
    nodes = _entrances(definition.process)
    return tuple(Opening(node.id, event) for node in nodes for event in node.events)


def begins_plainly(definition: Definition) -> bool:
    """Tell whether a process can begin without anything that sets it off from outside."""
    return any(not node.events for node in _entrances(definition.process))


def awaits_others(definition: Definition, node_id: str) -> bool:
    """Tell whether an instance begun at a node waits for other events that may begin it as well."""
    return bool(_also_awaited(definition.process, definition.node(node_id)))


def opens(definition: Definition, opening: Opening, variables: Variables, at: datetime) -> bool:
    """Tell whether the condition of a conditional start holds for some variables."""
    text = as_expression(opening.event.condition)
    if text is None:
        return False
    seen = {name: to_feel(value) for name, value in variables.items()}
    return definition.expressions[text].evaluate(seen, at=at).value is True


def _entrances(process: Process) -> list[Node]:
    """List the nodes a process may begin at."""
    found: list[Node] = []
    for node in process.nodes.values():
        if node.container != process.id or node.incoming:
            continue
        if node.kind is Kind.START or (node.kind is Kind.RECEIVE and node.instantiates):
            found.append(node)
        elif node.kind is Kind.EVENT_BASED and node.instantiates:
            found += _behind(process, node)
    return found


def _behind(process: Process, gateway: Node) -> list[Node]:
    return [process.nodes[process.flows[flow].target] for flow in gateway.outgoing]


def begin(run: Run, event: Started, variables: Variables) -> str | None:
    """Begin an instance at its plain start, or at the one named; or say why it cannot."""
    if run.status is not Status.CREATED:
        return "already_started"
    process = run.definition.process
    wanted = event.start_node
    candidates = _entrances(process)
    chosen = next(
        (node for node in candidates if (node.id == wanted if wanted else not node.events)), None
    )
    if chosen is None:
        return "unknown_start"
    run.status, run.requires_inputs = Status.RUNNING, event.requires_inputs
    root = opened(run, Scope(ROOT_SCOPE, None, None, None, variables), event.deadline)
    run.open_scope(root)
    run.record(past.InstanceStarted(chosen.id, variables, event.started_by))
    arrival = Arrival(chosen.id, ROOT_SCOPE, is_triggered=True, payload=variables)
    try:
        arm_event_sub_processes(run, root, process.id)
    except CannotGoOn as error:
        run.disarm(ROOT_SCOPE)
        work = None if chosen.kind is Kind.START else Wait.LEAVING
        raise_incident(run, run.place(arrival), error, work)
        return None
    run.agenda.append(arrival)
    run.agenda.extend(Arrival(node.id, ROOT_SCOPE) for node in _also_awaited(process, chosen))
    return None


def _also_awaited(process: Process, chosen: Node) -> list[Node]:
    """List the other events a parallel event-based gateway waits for once one has come."""
    for flow in chosen.incoming:
        gateway = process.nodes[process.flows[flow].source]
        if gateway.kind is Kind.EVENT_BASED and gateway.is_parallel:
            return [node for node in _behind(process, gateway) if node.id != chosen.id]
    return []
