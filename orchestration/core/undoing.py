"""Compensation: completed activities are undone, the last first, by the handlers drawn for them."""

from dataclasses import replace

from orchestration.bpmn.model import Node
from orchestration.core import history as past
from orchestration.core.run import Arrival, Finish, Run
from orchestration.core.state import Scope, Token, Undo, Wait


def remember(run: Run, token: Token) -> None:
    """Note that an activity with a compensation handler was completed."""
    handler = run.definition.handler_of(token.node)
    if handler is None:
        return
    scope = run.scopes[token.scope]
    undo = Undo(token.node, token.visit, handler, run.visible(token.scope))
    run.open_scope(replace(scope, undo=(*scope.undo, undo)))


def hand_over(run: Run, scope: Scope, owner: Token) -> None:
    """Let the scope around a finished sub-process undo what was done inside it.

    A handler on the sub-process itself stands for all of it.
    """
    if scope.undo and run.definition.handler_of(owner.node) is None:
        outer = run.scopes[owner.scope]
        run.open_scope(replace(outer, undo=(*outer.undo, *scope.undo)))


def compensate(run: Run, token: Token, node: Node) -> None:
    """Begin to undo what the scope of a token has completed; the token waits until it is done."""
    run.record(past.EventThrown(node.id, node.event.type.value, node.event.name))
    scope = run.scopes[token.scope]
    wanted = node.event.name
    chosen = tuple(each for each in scope.undo if wanted is None or each.node == wanted)
    if not chosen:
        run.agenda.append(Finish(token.id, token.scope))
        return
    run.open_scope(replace(scope, undo=tuple(each for each in scope.undo if each not in chosen)))
    undoing = Scope(
        id=f"s{run.next_number()}",
        node=node.id,
        parent=token.scope,
        owner=token.id,
        undo=chosen,
        is_compensation=True,
    )
    run.waiting(token, Wait.SCOPE)
    undo_next(run, undoing)


def undo_next(run: Run, scope: Scope) -> None:
    """Start the handler of the last activity still to be undone, or let the thrower go on."""
    if not scope.undo:
        run.scopes.pop(scope.id, None)
        owner = run.tokens[scope.owner or ""]
        run.agenda.append(Finish(owner.id, owner.scope))
        return
    last = scope.undo[-1]
    run.open_scope(replace(scope, undo=scope.undo[:-1], variables=last.variables))
    run.record(past.EventCaught(last.node, "compensate", last.handler, is_interrupting=False))
    run.agenda.append(Arrival(last.handler, scope.id))
