"""Compensation: completed activities are undone, the last first, by the handlers drawn for them."""

from dataclasses import replace

from orchestration.bpmn.model import EventDefinition, Node
from orchestration.core import history as past
from orchestration.core.commands import CancelChild
from orchestration.core.flows import clear_scope, interrupt, stop_inside
from orchestration.core.run import Arrival, Finish, Run
from orchestration.core.state import ROOT_SCOPE, Scope, Token, Undo, Wait
from orchestration.core.triggers import open_event_sub_process


def remember(run: Run, token: Token, inner: tuple[Undo, ...]) -> None:
    """Note that an activity was completed which can be undone, as a whole or by what is inside.

    A handler on a sub-process, or a compensation event sub-process in it, stands for all of it. Of
    a repeated activity every completed item is noted for itself.
    """
    handler = run.definition.handler_of(token.node)
    home = run.home_of(token.scope)
    if home.is_compensation or (handler is None and not inner):
        return
    seen = {} if handler is None else run.visible(token.scope)
    _note(run, home, Undo(token.node, token.visit, handler, seen, inner))


def remember_loop(run: Run, owner: Token, items: tuple[Undo, ...]) -> None:
    """Note that a repeated activity was completed, of which each item is undone for itself."""
    home = run.home_of(owner.scope)
    if items and not home.is_compensation:
        _note(run, home, Undo(owner.node, owner.visit, None, {}, items))


def _note(run: Run, home: Scope, undo: Undo) -> None:
    run.open_scope(replace(home, undo=(*home.undo, undo)))


def compensate(run: Run, token: Token, node: Node, event: EventDefinition) -> bool:
    """Begin to undo what the scope of a token has completed; say whether the token goes on at once.

    In an event sub-process that is also what the scope around it has completed, because that is
    what it was begun for.
    """
    run.record(past.EventThrown(node.id, event.type.value, event.name))
    chosen = _take_undone(run, token, event.name)
    if not chosen:
        return True
    owner = token if event.is_waited_for else None
    _begin_undoing(run, token, owner, chosen)
    return not event.is_waited_for


def _take_undone(run: Run, token: Token, wanted: str | None) -> tuple[Undo, ...]:
    """Take what is to be undone out of the scopes it was noted in, so that none is undone twice."""
    chosen: tuple[Undo, ...] = ()
    scope: Scope | None = run.home_of(token.scope)
    while scope is not None:
        found = tuple(each for each in scope.undo if wanted is None or each.node == wanted)
        kept = tuple(each for each in scope.undo if each not in found)
        run.open_scope(replace(scope, undo=kept))
        chosen = (*found, *chosen)
        scope = _around_event_sub_process(run, scope)
    return chosen


def _around_event_sub_process(run: Run, scope: Scope) -> Scope | None:
    if scope.node is None or scope.owner is None:
        return None
    if not run.definition.node(scope.node).is_event_sub_process:
        return None
    around = run.scopes[run.tokens[scope.owner].scope]
    return None if around.is_compensation else run.home_of(around.id)


def _begin_undoing(run: Run, token: Token, owner: Token | None, chosen: tuple[Undo, ...]) -> None:
    undoing = Scope(
        id=f"s{run.next_number()}",
        node=token.node,
        parent=token.scope,
        owner=owner.id if owner else None,
        undo=chosen,
        is_compensation=True,
    )
    if owner is not None:
        run.waiting(owner, Wait.SCOPE)
    undo_next(run, undoing)


def undo_next(run: Run, scope: Scope) -> None:
    """Start the handler of the last activity still to be undone, or let the thrower go on.

    A called process undoes for itself what it did, and nothing before it is undone meanwhile.
    """
    left = scope.undo
    while left and left[-1].handler is None and left[-1].child is None:
        left = (*left[:-1], *left[-1].inner)
    if not left:
        run.scopes.pop(scope.id, None)
        if scope.owner is not None:
            owner = run.tokens[scope.owner]
            run.agenda.append(Finish(owner.id, owner.scope))
        return
    last = left[-1]
    run.open_scope(replace(scope, undo=left[:-1], variables=last.variables))
    run.record(past.EventCaught(last.node, "compensate", last.handler, is_interrupting=False))
    if last.child is not None:
        caller = Token(last.child, last.node, scope.id, last.visit, Wait.CHILD)
        _have_child_undo(run, caller)
        return
    handler = last.handler or ""
    if run.definition.node(handler).is_event_sub_process:
        start = run.definition.starts[handler][0]
        open_event_sub_process(run, scope.id, start, {}, last.inner)
    else:
        run.agenda.append(Arrival(handler, scope.id))


def _have_child_undo(run: Run, token: Token) -> None:
    """Let a token wait until the process it has called has undone what it did."""
    run.disarm(token.id)
    run.waiting(token, Wait.CHILD)
    run.command(CancelChild(token.id, token.node, token.visit, is_undone=True))


def is_undone_by_child(run: Run, token: Token) -> bool:
    """Tell whether a token waits for the process it has called to undo what it did."""
    is_handler = token.node in run.definition.process.handlers.values()
    return run.scopes[token.scope].is_compensation and not is_handler


def cancel(run: Run, token: Token, node: Node) -> None:
    """Stop everything else in a transaction and undo all that was completed in it."""
    run.record(past.EventThrown(node.id, node.event.type.value, None))
    stop_inside(run, run.scopes[token.scope], node.id, but=token.id)
    run.disarm(token.scope)
    scope = run.scopes[token.scope]
    # Nothing may begin in the transaction any more.
    run.open_scope(replace(scope, is_interrupted=True, undo=()))
    if scope.undo:
        _begin_undoing(run, token, token, scope.undo)
    else:
        run.agenda.append(Finish(token.id, token.scope))


def undo_all(run: Run, reason: str) -> None:
    """Stop everything but what undoes something already, undo all that was done, and then end.

    What a part that still runs has completed is undone, too, and before what was done around it;
    so is what the processes it has called and not ended have done.
    """
    chosen: tuple[Undo, ...] = ()
    under_way: list[Scope] = []
    for scope in run.scopes.values():
        if not _is_undoing(run, scope):
            chosen = (*chosen, *scope.undo)
        elif not _is_undoing(run, run.scopes[scope.parent or ROOT_SCOPE]):
            under_way.append(scope)
    for scope in under_way:
        # Nobody waits for it any more.
        run.open_scope(replace(scope, parent=ROOT_SCOPE, owner=None))
    callers = [
        token
        for token in run.tokens.values()
        if token.wait is Wait.CHILD and not _is_undoing(run, run.scopes[token.scope])
    ]
    first = under_way[0] if under_way else _new_undoing(run) if callers or chosen else None
    if first is not None:
        first = run.scopes.get(first.id, first)
        run.open_scope(replace(first, undo=(*chosen, *first.undo)))
        for token in callers:
            _have_child_undo(run, replace(token, scope=first.id, item=None))
    _stop_all_but(run, {scope.id for scope in (*under_way, first) if scope})
    root = run.scopes[ROOT_SCOPE]
    run.open_scope(replace(root, is_interrupted=True, undo=(), cancelled=reason))


def _new_undoing(run: Run) -> Scope:
    """Return a scope in which everything is undone, and nobody waits for it."""
    return Scope(
        id=f"s{run.next_number()}", node=None, parent=ROOT_SCOPE, owner=None, is_compensation=True
    )


def _is_undoing(run: Run, scope: Scope) -> bool:
    """Tell whether a scope undoes something, or stands in one that does."""
    inside: Scope | None = scope
    while inside is not None and not inside.is_compensation:
        inside = run.scopes.get(inside.parent or "")
    return inside is not None


def _stop_all_but(run: Run, kept: set[str]) -> None:
    """Stop everything in the process except some scopes."""
    for token in run.tokens_in(ROOT_SCOPE):
        interrupt(run, token, "cancelled")
    for scope in tuple(run.scopes.values()):
        if scope.parent == ROOT_SCOPE and scope.id not in kept:
            clear_scope(run, scope, "cancelled")
    run.disarm(ROOT_SCOPE)
