"""Entering and finishing nodes: what each kind of node does with a token that comes to it."""

from collections.abc import Callable

from orchestration.bpmn.model import ACTIVITIES, EventType, Kind, Node
from orchestration.core import history as past
from orchestration.core.activities import inputs_of, keep_outputs, send_message, start_work
from orchestration.core.commands import BroadcastSignal, OutcomeKind
from orchestration.core.ears import arm, arm_boundaries
from orchestration.core.failures import throw_error, throw_escalation
from orchestration.core.flows import choose, clear_scope, end_instance, leave, take
from orchestration.core.loops import item_done, start_loop
from orchestration.core.run import Arrival, Finish, Run
from orchestration.core.state import Scope, Token, Wait
from orchestration.core.undoing import compensate, hand_over, remember, undo_next


def place(run: Run, arrival: Arrival) -> Token:
    """Put a new token on the node an arrival leads to."""
    visit = run.next_number()
    token = Token(
        id=f"t{visit}",
        node=arrival.node,
        scope=arrival.scope,
        visit=visit,
        wait=Wait.EVENT,
        flow=arrival.flow,
        item=arrival.item,
    )
    run.put(token)
    run.record(past.NodeEntered(token.node, token.id, visit, token.scope))
    return token


def enter(run: Run, token: Token) -> None:
    """Do what the node of a token does when a token comes to it.

    Raises:
        CannotGoOn: it cannot.
    """
    node = run.definition.node(token.node)
    if node.kind in ACTIVITIES:
        _enter_activity(run, token, node)
    else:
        _ENTRANCES[node.kind](run, token, node)


def _enter_activity(run: Run, token: Token, node: Node) -> None:
    if token.item is None:
        arm_boundaries(run, token)
        if node.loop is not None:
            start_loop(run, token, node, node.loop)
            return
    start_work(run, token, node)


def finish(run: Run, token: Token, planned: Finish) -> None:
    """Take in what came back for a token, and let it go on."""
    node = run.definition.node(token.node)
    if not planned.is_repeated:
        keep_outputs(run, token, node, planned.payload)
        if node.kind in ACTIVITIES and token.item is None:
            remember(run, token)
    if token.item is not None:
        item_done(run, token, node, planned.payload)
    else:
        leave(run, token)


def scope_done(run: Run, scope: Scope) -> None:
    """Close a scope in which nothing happens any more."""
    if scope.owner is None:
        end_instance(run, OutcomeKind.COMPLETED, None)
    elif scope.is_compensation:
        undo_next(run, scope)
    else:
        owner = run.tokens[scope.owner]
        run.scopes.pop(scope.id)
        hand_over(run, scope, owner)
        run.agenda.append(Finish(owner.id, owner.scope, scope.variables))


def open_inclusive_join(run: Run) -> bool:
    """Let one inclusive join go on to which no further token can come; say if there was one."""
    for token in run.tokens.values():
        node = run.definition.node(token.node)
        if token.wait is Wait.JOIN and node.kind is Kind.INCLUSIVE:
            parked = _parked(run, token)
            if not _is_awaited(run, token, {each.flow for each in parked}):
                _merge(run, parked)
                return True
    return False


def _parked(run: Run, token: Token) -> list[Token]:
    """Find the oldest token of every flow that waits at the same join."""
    found: dict[str | None, Token] = {}
    for each in run.tokens_in(token.scope):
        if each.node == token.node and each.wait is Wait.JOIN:
            found.setdefault(each.flow, each)
    return list(found.values())


def _is_awaited(run: Run, token: Token, arrived: set[str | None]) -> bool:
    reach = run.definition.reach[token.node]
    covered = {node for flow, nodes in reach.items() if flow in arrived for node in nodes}
    others = {each.node for each in run.tokens_in(token.scope) if each.node != token.node}
    return any(
        node in nodes and node not in covered
        for flow, nodes in reach.items()
        if flow not in arrived
        for node in others
    )


def _merge(run: Run, parked: list[Token]) -> None:
    survivor = parked[-1]
    for token in parked[:-1]:
        run.remove(token, "joined")
    run.waiting(survivor, Wait.EVENT)
    run.agenda.append(Finish(survivor.id, survivor.scope, is_repeated=True))


def _exclusive(run: Run, token: Token, node: Node) -> None:
    ((flow, reads),) = choose(run, token, node, is_exclusive=True)
    run.remove(token, "done")
    take(run, token, flow, reads=reads, is_default=flow.id == node.default_flow)


def _inclusive(run: Run, token: Token, node: Node) -> None:
    if len(node.incoming) > 1:
        run.waiting(token, Wait.JOIN)
    else:
        leave(run, token)


def _parallel(run: Run, token: Token, node: Node) -> None:
    parked = [token]
    if len(node.incoming) > 1:
        run.waiting(token, Wait.JOIN)
        parked = _parked(run, token)
        if len(parked) < len(node.incoming):
            return
    for each in parked[:-1]:
        run.remove(each, "joined")
    survivor = parked[-1]
    run.remove(survivor, "done")
    for flow in run.definition.outgoing[node.id]:
        take(run, survivor, flow, reads={}, is_default=False)


def _event_based(run: Run, token: Token, node: Node) -> None:
    run.waiting(token, Wait.EVENT)
    for flow in run.definition.outgoing[node.id]:
        arm(run, token, run.definition.node(flow.target))


def _pass(run: Run, token: Token, node: Node) -> None:
    del node
    leave(run, token)


def _catch(run: Run, token: Token, node: Node) -> None:
    if node.event.type is EventType.NONE:
        leave(run, token)
    else:
        arm(run, token, node)


def _throw(run: Run, token: Token, node: Node) -> None:
    _THROWS.get(node.event.type, _throw_nothing)(run, token, node)


def _throw_nothing(run: Run, token: Token, node: Node) -> None:
    del node
    run.agenda.append(Finish(token.id, token.scope))


def _throw_message(run: Run, token: Token, node: Node) -> None:
    send_message(run, token, node)
    run.agenda.append(Finish(token.id, token.scope))


def _throw_signal(run: Run, token: Token, node: Node) -> None:
    name = node.event.name or ""
    run.record(past.EventThrown(node.id, "signal", name))
    run.command(BroadcastSignal(node.id, token.visit, name, inputs_of(run, token, node)))
    run.agenda.append(Finish(token.id, token.scope))


def _throw_escalation(run: Run, token: Token, node: Node) -> None:
    run.agenda.append(Finish(token.id, token.scope))
    throw_escalation(run, token, node.event.name or "", inputs_of(run, token, node))


def _throw_error(run: Run, token: Token, node: Node) -> None:
    throw_error(run, token, node.event.name or "", inputs_of(run, token, node))


def _terminate(run: Run, token: Token, node: Node) -> None:
    scope = run.scopes[token.scope]
    if scope.owner is None:
        end_instance(run, OutcomeKind.TERMINATED, node.id)
        return
    owner = run.tokens[scope.owner]
    clear_scope(run, scope, node.id)
    run.agenda.append(Finish(owner.id, owner.scope, scope.variables))


_THROWS: dict[EventType, Callable[[Run, Token, Node], None]] = {
    EventType.MESSAGE: _throw_message,
    EventType.SIGNAL: _throw_signal,
    EventType.ESCALATION: _throw_escalation,
    EventType.ERROR: _throw_error,
    EventType.TERMINATE: _terminate,
    EventType.COMPENSATION: compensate,
}
_ENTRANCES: dict[Kind, Callable[[Run, Token, Node], None]] = {
    Kind.START: _pass,
    Kind.BOUNDARY: _pass,
    Kind.CATCH: _catch,
    Kind.THROW: _throw,
    Kind.END: _throw,
    Kind.EXCLUSIVE: _exclusive,
    Kind.INCLUSIVE: _inclusive,
    Kind.PARALLEL: _parallel,
    Kind.EVENT_BASED: _event_based,
}
