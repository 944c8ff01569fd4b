"""What happens when an event that was waited for comes: who is stopped, and where it goes on."""

from dataclasses import replace

from orchestration.bpmn.model import EventDefinition, EventType, Kind, Node
from orchestration.core import history as past
from orchestration.core.flows import interrupt, stop_inside, take
from orchestration.core.run import Arrival, Enter, Finish, Run
from orchestration.core.state import Scope, Token, Undo, Variables


def trigger(run: Run, owner: str, node: Node, event: EventDefinition, payload: Variables) -> None:
    """Let an event happen at a node for the token, or the scope, that waited for it."""
    if node.kind is Kind.START:
        begin_event_sub_process(run, run.scopes[owner], node, event, payload)
        return
    token = run.tokens[owner]
    is_interrupting = node.kind is not Kind.BOUNDARY or node.is_interrupting
    run.record(past.EventCaught(node.id, event.type.value, event.name, is_interrupting))
    if node.kind is Kind.BOUNDARY:
        arrival = Arrival(node.id, token.scope, is_triggered=True, payload=payload)
        if is_interrupting:
            interrupt(run, token, node.id)
        run.agenda.append(arrival)
    elif token.node == node.id:
        run.disarm(token.id)
        run.agenda.append(Finish(token.id, token.scope, payload))
    else:
        _leave_event_gateway(run, token, node, payload)


def _leave_event_gateway(run: Run, token: Token, node: Node, payload: Variables) -> None:
    flow = next(each for each in run.definition.outgoing[token.node] if each.target == node.id)
    run.remove(token, node.id)
    arrival = take(run, token, flow, reads={}, is_default=False)
    run.agenda[-1] = replace(arrival, is_triggered=True, payload=payload)


def begin_event_sub_process(
    run: Run, scope: Scope, start: Node, event: EventDefinition, payload: Variables
) -> None:
    """Run an event sub-process in a scope; an interrupting one takes the whole scope over."""
    is_interrupting = start.is_interrupting or event.type is EventType.ERROR
    run.record(past.EventCaught(start.id, event.type.value, event.name, is_interrupting))
    if is_interrupting:
        stop_inside(run, scope, start.id)
        run.disarm(scope.id)
        run.open_scope(replace(run.scopes[scope.id], is_interrupted=True))
    open_event_sub_process(run, scope.id, start, payload)


def open_event_sub_process(
    run: Run, scope_id: str, start: Node, payload: Variables, inner: tuple[Undo, ...] = ()
) -> None:
    """Put a token on the event sub-process of a start event; it begins there with the payload."""
    token = run.place(Arrival(start.container, scope_id))
    run.agenda.append(Enter(token.id, scope_id, payload=payload, inner=inner))
