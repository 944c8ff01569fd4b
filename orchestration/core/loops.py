"""Multi-instance activities: once for each item, in turn or at the same time."""

from dataclasses import replace
from decimal import Decimal

from orchestration.bpmn.expressions import as_expression
from orchestration.bpmn.model import MultiInstance, Node
from orchestration.core.flows import clear_scope
from orchestration.core.run import Arrival, CannotGoOn, Finish, Run
from orchestration.core.state import Loop, Scope, Token, Undo, Variables, Wait
from orchestration.core.undoing import remember_loop
from orchestration.feel.values import FeelValue

ITEMS_MAX = 1000


def start_loop(run: Run, token: Token, node: Node, loop: MultiInstance) -> None:
    """Begin a multi-instance activity on behalf of the token that came to it.

    Raises:
        CannotGoOn: there is no list to go through, or it is too long.
    """
    items = _items(run, token, node, loop)
    if not items:
        _finish(run, token, node, (), ())
        return
    scope = Scope(
        id=f"s{run.next_number()}",
        node=node.id,
        parent=token.scope,
        owner=token.id,
        loop=Loop(items, 0, 0, (None,) * len(items)),
    )
    run.open_scope(scope)
    run.waiting(token, Wait.SCOPE)
    for _ in range(1 if loop.is_sequential else len(items)):
        _start_item(run, scope.id, node, loop)


def _items(run: Run, token: Token, node: Node, loop: MultiInstance) -> tuple[FeelValue, ...]:
    collection = as_expression(loop.collection)
    if collection is not None:
        found = run.compute(node, token.scope, "collection", collection)
        items = found if isinstance(found, tuple) else None
    else:
        count = run.compute(node, token.scope, "cardinality", as_expression(loop.cardinality) or "")
        items = _numbers(count)
    if items is None:
        raise CannotGoOn("loop_has_no_items", f"{node.id}: there is no list to go through")
    if len(items) > ITEMS_MAX:
        raise CannotGoOn("loop_too_long", f"{node.id}: more than {ITEMS_MAX} items")
    return items


def _numbers(count: FeelValue) -> tuple[FeelValue, ...] | None:
    if not isinstance(count, Decimal) or count != int(count) or count < 0:
        return None
    # One more than may be is enough to be refused.
    return tuple(Decimal(number) for number in range(1, min(int(count), ITEMS_MAX + 1) + 1))


def _start_item(run: Run, scope_id: str, node: Node, loop: MultiInstance) -> None:
    scope = run.scopes[scope_id]
    progress = scope.loop
    assert progress is not None
    index = progress.started
    item_scope = Scope(
        id=f"s{run.next_number()}",
        node=node.id,
        parent=scope_id,
        owner=None,
        variables={loop.item: progress.items[index], "loopCounter": Decimal(index + 1)},
    )
    run.open_scope(item_scope)
    run.open_scope(replace(scope, loop=replace(progress, started=index + 1)))
    run.agenda.append(Arrival(node.id, item_scope.id, item=index))


def item_done(run: Run, token: Token, node: Node, payload: Variables) -> None:
    """Take in the result of one item, then go on with the next or finish the activity."""
    loop = node.loop
    item_scope = run.scopes[token.scope]
    scope = run.scopes[item_scope.parent or ""]
    assert loop is not None
    assert scope.loop is not None
    assert token.item is not None
    text = as_expression(loop.result)
    result = (
        payload
        if text is None
        else run.compute(node, token.scope, "loop result", text, {"result": payload})
    )
    results = list(scope.loop.results)
    results[token.item] = result
    progress = replace(scope.loop, done=scope.loop.done + 1, results=tuple(results))
    run.open_scope(replace(scope, loop=progress))
    is_enough = _is_enough(run, node, token.scope, loop, progress)
    run.remove(token, "done")
    run.close_scope(item_scope)
    if is_enough or progress.done == len(progress.items):
        _close(run, scope.id, node)
    elif loop.is_sequential:
        _start_item(run, scope.id, node, loop)


def _is_enough(run: Run, node: Node, scope: str, loop: MultiInstance, progress: Loop) -> bool:
    text = as_expression(loop.completion)
    if text is None:
        return False
    counts: Variables = {
        "numberOfInstances": Decimal(len(progress.items)),
        "numberOfCompletedInstances": Decimal(progress.done),
        "numberOfActiveInstances": Decimal(progress.started - progress.done),
    }
    return run.compute(node, scope, "completion condition", text, counts) is True


def _close(run: Run, scope_id: str, node: Node) -> None:
    scope = run.scopes[scope_id]
    assert scope.loop is not None
    owner = run.tokens[scope.owner or ""]
    clear_scope(run, scope, node.id)
    _finish(run, owner, node, scope.loop.results, scope.undo)


def _finish(
    run: Run, owner: Token, node: Node, results: tuple[FeelValue, ...], inner: tuple[Undo, ...]
) -> None:
    if node.loop is not None and node.loop.into is not None:
        run.set_variable(owner.scope, node.loop.into, results, node.id)
    go_on(run, owner, inner)


def go_on(run: Run, owner: Token, inner: tuple[Undo, ...]) -> None:
    """Let the token go on that waited for a repeated activity.

    Planned, not done here, so that a way out that cannot be found stops the owner and not the item
    that happened to be the last.
    """
    remember_loop(run, owner, inner)
    run.waiting(owner, Wait.EVENT)
    run.agenda.append(Finish(owner.id, owner.scope, is_repeated=True))
