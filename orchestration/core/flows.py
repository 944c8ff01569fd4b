"""Leaving nodes: which flows a token takes, and when a scope or the instance is over."""

from collections.abc import Callable

from orchestration.bpmn.expressions import condition_of
from orchestration.bpmn.model import Flow, Kind, Node
from orchestration.core import history as past
from orchestration.core.commands import (
    CancelChild,
    CancelHumanTask,
    CancelService,
    Command,
    Complete,
    OutcomeKind,
)
from orchestration.core.run import Arrival, CannotGoOn, Run
from orchestration.core.state import Scope, Status, Token, Variables, Wait

_STATUSES = {
    OutcomeKind.COMPLETED: Status.COMPLETED,
    OutcomeKind.TERMINATED: Status.TERMINATED,
    OutcomeKind.ERROR: Status.FAILED,
    OutcomeKind.CANCELLED: Status.CANCELLED,
}

_NOTHING: Variables = {}
_CALL_OFF: dict[Wait, Callable[[str, str, int], Command]] = {
    Wait.SERVICE: CancelService,
    Wait.HUMAN: CancelHumanTask,
    Wait.CHILD: CancelChild,
}


def take(run: Run, token: Token, flow: Flow, *, reads: past.Variables, is_default: bool) -> Arrival:
    """Send a token along a flow; the arrival it plans is the last of the agenda."""
    run.record(
        past.FlowTaken(
            flow.id, flow.source, flow.target, token.id, condition_of(flow), reads, is_default
        )
    )
    arrival = Arrival(flow.target, token.scope, flow.id)
    run.agenda.append(arrival)
    return arrival


def leave(run: Run, token: Token) -> None:
    """Finish a node: an unconditional flow is always taken, a conditional one when it holds.

    Raises:
        CannotGoOn: the node has flows, and none may be taken.
    """
    outgoing = run.definition.outgoing[token.node]
    node = run.definition.node(token.node)
    chosen = choose(run, token, node) if outgoing else ()
    run.remove(token, "done")
    for flow, reads in chosen:
        take(run, token, flow, reads=reads, is_default=flow.id == node.default_flow)


def choose(
    run: Run,
    token: Token,
    node: Node,
    *,
    is_exclusive: bool = False,
    extra: Variables = _NOTHING,
    may_be_none: bool = False,
) -> tuple[tuple[Flow, past.Variables], ...]:
    """Find the flows to take out of a node, each with the values its condition read.

    With `may_be_none` only flows whose condition holds are taken, and there need be none.

    Raises:
        CannotGoOn: no condition holds and there is no default flow.
    """
    chosen: list[tuple[Flow, past.Variables]] = []
    default: Flow | None = None
    for flow in run.definition.outgoing[node.id]:
        if flow.id == node.default_flow:
            default = flow
            continue
        if may_be_none and condition_of(flow) is None:
            continue
        reads = _holds(run, token, flow, extra)
        if reads is not None:
            chosen.append((flow, reads))
            if is_exclusive:
                return tuple(chosen)
    if not chosen and default is not None and not may_be_none:
        chosen.append((default, {}))
    if not chosen and not may_be_none:
        raise CannotGoOn("no_flow_holds", f"{node.id}: no condition holds and none is the default")
    return tuple(chosen)


def _holds(run: Run, token: Token, flow: Flow, extra: Variables) -> past.Variables | None:
    """Give the values read when the flow may be taken, None when it may not."""
    condition = condition_of(flow)
    if condition is None:
        return {}
    result, expression, context = run.evaluate(condition, token.scope, extra)
    reads = expression.values_read(context)
    if result.value is True:
        return reads
    reasons = result.reasons
    if not isinstance(result.value, bool):
        reasons = (*reasons, "not a boolean")
    run.record(past.FlowNotTaken(flow.id, flow.source, condition, reads, reasons))
    return None


def quiet_scope(run: Run) -> Scope | None:
    """Find a scope in which nothing happens any more, innermost first."""
    busy = {token.scope for token in run.tokens.values()}
    busy |= {planned.scope for planned in run.agenda}
    busy |= {scope.parent for scope in run.scopes.values() if scope.parent is not None}
    quiet = (scope for scope in run.scopes.values() if scope.id not in busy)
    return next((scope for scope in quiet if not is_offering(run, scope)), None)


def is_offering(run: Run, scope: Scope) -> bool:
    """Tell whether activities of an ad-hoc sub-process may still be chosen in a scope."""
    if scope.node is None or not scope.is_inside or scope.is_closing or scope.is_interrupted:
        return False
    return run.definition.node(scope.node).kind is Kind.AD_HOC


def clear_scope(run: Run, scope: Scope, because: str) -> None:
    """Stop everything in a scope, innermost first, and forget the scope."""
    stop_inside(run, scope, because)
    if scope.id in run.scopes:
        run.close_scope(run.scopes[scope.id])


def stop_inside(run: Run, scope: Scope, because: str, *, but: str | None = None) -> None:
    """Stop everything in a scope, innermost first, except one token."""
    inner = [each for each in run.scopes.values() if each.parent == scope.id]
    for each in inner:
        if but is None or each.owner != but:
            clear_scope(run, each, because)
    for token in run.tokens_in(scope.id):
        if token.id != but:
            interrupt(run, token, because)
    kept = [planned for planned in run.agenda if planned.scope != scope.id]
    run.agenda.clear()
    run.agenda.extend(kept)


def interrupt(run: Run, token: Token, because: str) -> None:
    """Stop a token, what it asked for, and everything inside it."""
    for scope in run.scopes_of(token.id):
        clear_scope(run, scope, because)
    if token.id in run.tokens:
        call_off(run, token)
        run.remove(token, because)


def call_off(run: Run, token: Token) -> None:
    """Tell the shell that the answer a token waits for is no longer wanted."""
    wait = token.work if token.wait is Wait.INCIDENT else token.wait
    command = _CALL_OFF.get(wait) if wait is not None else None
    if command is not None:
        run.command(command(token.id, token.node, token.visit))


def end_instance(run: Run, outcome: OutcomeKind, code: str | None) -> None:
    """Stop whatever still runs and end the instance."""
    root = next(iter(run.scopes.values()))
    run.agenda.clear()
    for token in run.tokens_in(root.id):
        interrupt(run, token, outcome.value)
    for scope in [each for each in run.scopes.values() if each.id != root.id]:
        clear_scope(run, scope, outcome.value)
    run.disarm(root.id)
    run.status, run.code = _STATUSES[outcome], code
    run.record(past.InstanceEnded(outcome.value, code))
    run.command(Complete(outcome, code, root.variables))
