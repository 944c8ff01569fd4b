"""Standard loops: the same activity again while a condition holds, one round after the other."""

from dataclasses import replace
from decimal import Decimal

from orchestration.bpmn.elements import number_of
from orchestration.bpmn.expressions import as_expression
from orchestration.bpmn.model import Node, StandardLoop
from orchestration.core.loops import go_on
from orchestration.core.run import Arrival, Run
from orchestration.core.state import Loop, Scope, Token, Wait


def start_rounds(run: Run, token: Token, node: Node, repeat: StandardLoop) -> None:
    """Begin a looped activity on behalf of the token that came to it."""
    scope = Scope(
        id=f"s{run.next_number()}",
        node=node.id,
        parent=token.scope,
        owner=token.id,
        loop=Loop((), 0, 0, ()),
    )
    run.open_scope(scope)
    run.waiting(token, Wait.SCOPE)
    if repeat.is_tested_first:
        _go_round(run, scope, node, repeat)
    else:
        _start_round(run, scope, node)


def round_done(run: Run, token: Token, node: Node) -> None:
    """End one round and begin the next while the condition holds."""
    repeat = node.repeat
    item_scope = run.scopes[token.scope]
    assert repeat is not None
    run.remove(token, "done")
    run.close_scope(item_scope)
    scope = run.scopes[item_scope.parent or ""]
    assert scope.loop is not None
    scope = replace(scope, loop=replace(scope.loop, done=scope.loop.done + 1))
    run.open_scope(scope)
    _go_round(run, scope, node, repeat)


def _go_round(run: Run, scope: Scope, node: Node, repeat: StandardLoop) -> None:
    if _goes_on(run, scope, node, repeat):
        _start_round(run, scope, node)
        return
    owner = run.tokens[scope.owner or ""]
    run.close_scope(scope)
    go_on(run, owner, scope.undo)


def _goes_on(run: Run, scope: Scope, node: Node, repeat: StandardLoop) -> bool:
    assert scope.loop is not None
    done = scope.loop.done
    maximum = number_of(repeat.maximum, otherwise=0)
    if maximum is not None and done >= maximum:
        return False
    condition = as_expression(repeat.condition)
    if condition is None:
        return True
    counted = {"loopCounter": Decimal(done)}
    return run.compute(node, scope.id, "loop condition", condition, counted) is True


def _start_round(run: Run, scope: Scope, node: Node) -> None:
    assert scope.loop is not None
    number = scope.loop.started
    item_scope = Scope(
        id=f"s{run.next_number()}",
        node=node.id,
        parent=scope.id,
        owner=None,
        variables={"loopCounter": Decimal(number + 1)},
    )
    run.open_scope(item_scope)
    run.open_scope(replace(scope, loop=replace(scope.loop, started=number + 1)))
    run.agenda.append(Arrival(node.id, item_scope.id, item=number))
