"""Throwing events: what intermediate throw and end events do, one or several at once."""

from collections.abc import Callable

from orchestration.bpmn.model import EventDefinition, EventType, Node
from orchestration.core import history as past
from orchestration.core.activities import inputs_of, send_message
from orchestration.core.commands import BroadcastSignal, OutcomeKind
from orchestration.core.failures import catcher_of, throw_error, throw_escalation
from orchestration.core.flows import clear_scope, end_instance
from orchestration.core.run import Arrival, Finish, Run
from orchestration.core.state import Token
from orchestration.core.triggers import trigger
from orchestration.core.undoing import cancel, compensate

# These take the token somewhere else, or make it wait: they come last, and one is enough.
_TAKES_OVER = (
    EventType.COMPENSATION,
    EventType.LINK,
    EventType.ERROR,
    EventType.CANCEL,
    EventType.TERMINATE,
)


def throw(run: Run, token: Token, node: Node) -> None:
    """Throw every event of a node, then let its token go on unless one of them takes it.

    Raises:
        CannotGoOn: a message has no correlation.
    """
    for event in node.events:
        if event.type is EventType.MESSAGE:
            send_message(run, token, node, event)
        elif event.type is EventType.SIGNAL:
            _throw_signal(run, token, node, event)
    last = next((each for each in node.events if each.type in _TAKES_OVER), None)
    if last is None:
        run.agenda.append(Finish(token.id, token.scope))
    for event in node.events:
        if event.type is EventType.ESCALATION:
            throw_escalation(run, token, event.name or "", inputs_of(run, token, node))
    if last is not None and token.id in run.tokens:
        _LAST[last.type](run, token, node, last)


def _throw_signal(run: Run, token: Token, node: Node, event: EventDefinition) -> None:
    name = event.name or ""
    run.record(past.EventThrown(node.id, "signal", name))
    run.command(BroadcastSignal(node.id, token.visit, name, inputs_of(run, token, node)))


def _compensate(run: Run, token: Token, node: Node, event: EventDefinition) -> None:
    if compensate(run, token, node, event):
        run.agenda.append(Finish(token.id, token.scope))


def _go_to_link(run: Run, token: Token, node: Node, event: EventDefinition) -> None:
    run.record(past.EventThrown(node.id, event.type.value, event.name))
    target = run.definition.links[node.id]
    run.remove(token, "done")
    run.record(past.EventCaught(target, event.type.value, event.name, is_interrupting=False))
    run.agenda.append(Arrival(target, token.scope, is_triggered=True))


def _throw_error(run: Run, token: Token, node: Node, event: EventDefinition) -> None:
    throw_error(run, token, event.name or "", inputs_of(run, token, node))


def _cancel(run: Run, token: Token, node: Node, event: EventDefinition) -> None:
    del event
    cancel(run, token, node)


def leave_cancelled(run: Run, token: Token) -> None:
    """Leave a transaction whose work is undone by its cancel boundary event."""
    caught = catcher_of(run, token, EventType.CANCEL, "")
    assert caught is not None  # The linter refuses a transaction that is cancelled without one.
    owner, boundary, event = caught
    trigger(run, owner, boundary, event, {})


def _terminate(run: Run, token: Token, node: Node, event: EventDefinition) -> None:
    del event
    scope = run.scopes[token.scope]
    if scope.owner is None:
        end_instance(run, OutcomeKind.TERMINATED, node.id)
        return
    owner = run.tokens[scope.owner]
    clear_scope(run, scope, node.id)
    run.agenda.append(Finish(owner.id, owner.scope, scope.variables))


_LAST: dict[EventType, Callable[[Run, Token, Node, EventDefinition], None]] = {
    EventType.COMPENSATION: _compensate,
    EventType.LINK: _go_to_link,
    EventType.ERROR: _throw_error,
    EventType.CANCEL: _cancel,
    EventType.TERMINATE: _terminate,
}
