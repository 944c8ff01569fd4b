"""Entering and finishing nodes: what each kind of node does with a token that comes to it."""

from collections.abc import Callable

from orchestration.bpmn.model import ACTIVITIES, EventType, Kind, Node
from orchestration.core.activities import keep_outputs, open_inside, start_work
from orchestration.core.arming import arm, arm_boundaries, arm_event_sub_processes
from orchestration.core.choosing import see_whether_enough
from orchestration.core.commands import OutcomeKind
from orchestration.core.ears import hear_conditions
from orchestration.core.flows import choose, end_instance, leave, take
from orchestration.core.joins import enter_complex, enter_inclusive, enter_parallel
from orchestration.core.loops import item_done, start_loop
from orchestration.core.repeating import round_done, start_rounds
from orchestration.core.run import Arrival, Enter, Finish, Run
from orchestration.core.state import Scope, Token, Wait
from orchestration.core.throwing import leave_cancelled, throw
from orchestration.core.undoing import remember, undo_next


def enter(run: Run, token: Token, planned: Enter | None = None) -> None:
    """Do what the node of a token does when a token comes to it.

    Raises:
        CannotGoOn: it cannot.
    """
    node = run.definition.node(token.node)
    if node.is_event_sub_process:
        _enter_event_sub_process(run, token, node, planned)
    elif node.kind in ACTIVITIES:
        _enter_activity(run, token, node)
    else:
        _ENTRANCES[node.kind](run, token, node)


def _enter_activity(run: Run, token: Token, node: Node) -> None:
    if token.item is None:
        arm_boundaries(run, token)
        hear_conditions(run, token.id)
        if token.id not in run.tokens:
            return  # A condition that was true already has interrupted it.
        if node.loop is not None:
            start_loop(run, token, node, node.loop)
            return
        if node.repeat is not None:
            start_rounds(run, token, node, node.repeat)
            return
    start_work(run, token, node)


def _enter_event_sub_process(run: Run, token: Token, node: Node, planned: Enter | None) -> None:
    scope = open_inside(run, token, node, {}, planned.inner if planned else ())
    start = run.definition.starts[node.id][0]
    payload = planned.payload if planned else {}
    run.agenda.append(Arrival(start.id, scope.id, is_triggered=True, payload=payload))


def finish(run: Run, token: Token, planned: Finish) -> None:
    """Take in what came back for a token, and let it go on."""
    node = run.definition.node(token.node)
    if node.kind is Kind.END and node.event.type is EventType.CANCEL:
        leave_cancelled(run, token)
        return
    if not planned.is_repeated:
        keep_outputs(run, token, node, planned.payload)
        if node.kind in ACTIVITIES:
            remember(run, token, planned.inner)
    if token.item is None:
        leave(run, token)
    elif node.repeat is not None:
        round_done(run, token, node)
    else:
        item_done(run, token, node, planned.payload)
    if node.kind in ACTIVITIES:
        see_whether_enough(run, token.scope)


def scope_done(run: Run, scope: Scope) -> None:
    """Close a scope in which nothing happens any more."""
    if scope.is_compensation:
        undo_next(run, scope)
    elif scope.parent is None:
        is_cancelled = scope.cancelled is not None
        outcome = OutcomeKind.CANCELLED if is_cancelled else OutcomeKind.COMPLETED
        end_instance(run, outcome, scope.cancelled)
    elif scope.owner is None:
        run.close_scope(scope)
    else:
        owner = run.tokens[scope.owner]
        run.close_scope(scope)
        run.agenda.append(Finish(owner.id, owner.scope, scope.variables, inner=scope.undo))


def _exclusive(run: Run, token: Token, node: Node) -> None:
    ((flow, reads),) = choose(run, token, node, is_exclusive=True)
    run.remove(token, "done")
    take(run, token, flow, reads=reads, is_default=flow.id == node.default_flow)


def _event_based(run: Run, token: Token, node: Node) -> None:
    run.waiting(token, Wait.EVENT)
    for flow in run.definition.outgoing[node.id]:
        arm(run, token, run.definition.node(flow.target))


def _begin(run: Run, token: Token, node: Node) -> None:
    # A start is entered only when its process could not begin before: that is done again.
    scope = run.scopes[token.scope]
    if scope.parent is None:
        arm_event_sub_processes(run, scope, node.container)
    run.agenda.append(Finish(token.id, token.scope, scope.variables))


def _pass(run: Run, token: Token, node: Node) -> None:
    del node
    leave(run, token)


def _catch(run: Run, token: Token, node: Node) -> None:
    if node.event.type is EventType.NONE:
        leave(run, token)
    else:
        arm(run, token, node)


_ENTRANCES: dict[Kind, Callable[[Run, Token, Node], None]] = {
    Kind.START: _begin,
    Kind.BOUNDARY: _pass,
    Kind.CATCH: _catch,
    Kind.THROW: throw,
    Kind.END: throw,
    Kind.EXCLUSIVE: _exclusive,
    Kind.INCLUSIVE: enter_inclusive,
    Kind.PARALLEL: enter_parallel,
    Kind.COMPLEX: enter_complex,
    Kind.EVENT_BASED: _event_based,
}
