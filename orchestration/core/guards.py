"""What changes with an instance that goes over to another version: names, ears, and offers."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from orchestration.bpmn.expressions import as_expression
from orchestration.bpmn.model import ACTIVITIES, EARS, Node
from orchestration.core.arming import arm
from orchestration.core.choosing import offer
from orchestration.core.deadlines import is_deadline
from orchestration.core.definition import Definition
from orchestration.core.flows import is_offering
from orchestration.core.run import Run
from orchestration.core.state import (
    InstanceState,
    Scope,
    Subscription,
    Timer,
    Token,
    Trigger,
    Undo,
)


def renamed(state: InstanceState, new: Definition, mapping: Mapping[str, str]) -> InstanceState:
    """Give the state with every node under the name it has in the new version."""

    def name(node: str) -> str:
        return mapping.get(node, node)

    def undone(each: Undo) -> Undo:
        return replace(
            each,
            node=name(each.node),
            handler=None if each.handler is None else name(each.handler),
            inner=tuple(undone(inner) for inner in each.inner),
        )

    scopes = tuple(
        replace(
            scope,
            node=None if scope.node is None else name(scope.node),
            undo=tuple(undone(each) for each in scope.undo),
        )
        for scope in state.scopes
    )
    return replace(
        state,
        process=new.process.id,
        tokens=tuple(replace(each, node=name(each.node)) for each in state.tokens),
        scopes=scopes,
        timers=tuple(replace(each, node=name(each.node)) for each in state.timers),
        subscriptions=tuple(replace(each, node=name(each.node)) for each in state.subscriptions),
    )


def renew_guards(run: Run, old: Definition, mapping: Mapping[str, str]) -> None:
    """Give everything under way the boundary events and event sub-processes of the new version.

    Raises:
        CannotGoOn: a new one has no time, or no correlation.
    """
    for timer in tuple(run.timers.values()):
        if _is_gone(run, timer):
            run.drop_timer(timer)
    for ear in tuple(run.subscriptions.values()):
        if _is_gone(run, ear):
            run.drop_subscription(ear)
        elif ear.trigger is Trigger.CONDITION:
            _rewrite(run, ear)
    had = {mapping.get(node.id, node.id): node for node in old.process.nodes.values()}
    for owner, guard in tuple(_guards(run)):
        if not _is_same(had.get(guard.id), guard, mapping):
            arm(run, owner, guard)
    _offer_again(run, old, mapping)


def _is_gone(run: Run, ear: Timer | Subscription) -> bool:
    node = run.definition.process.nodes.get(ear.node)
    if isinstance(ear, Timer) and node is not None and is_deadline(run, ear):
        return False
    if node is None or ear.event >= len(node.events):
        return True
    if (ear.id in run.timers) != (node.events[ear.event].type.value == "timer"):
        return True
    if ear.owner in run.tokens:
        return node.attached_to not in {None, run.tokens[ear.owner].node}
    container = run.scopes[ear.owner].node or run.definition.process.id
    return node not in run.definition.event_starts.get(container, ())


def _rewrite(run: Run, ear: Subscription) -> None:
    """Let an open condition ask what the new version asks."""
    event = run.definition.node(ear.node).events[ear.event]
    text = as_expression(event.condition) or ""
    if text != ear.name:
        run.subscriptions[ear.id] = replace(ear, name=text)


def _guards(run: Run) -> Iterator[tuple[Token | Scope, Node]]:
    for token in run.tokens.values():
        if run.definition.node(token.node).kind in ACTIVITIES and token.item is None:
            for boundary in run.definition.boundaries.get(token.node, ()):
                yield token, boundary
    for scope in run.scopes.values():
        if scope.is_inside and not scope.is_interrupted:
            container = scope.node or run.definition.process.id
            for start in run.definition.event_starts.get(container, ()):
                yield scope, start


def _is_same(before: Node | None, after: Node, mapping: Mapping[str, str]) -> bool:
    """Tell whether a guard was there before, so that what it was armed with stays."""
    if not any(event.type in EARS for event in after.events):
        return True
    if before is None or [each.type for each in before.events] != [
        each.type for each in after.events
    ]:
        return False
    host = before.attached_to
    return (host is None) or mapping.get(host, host) == after.attached_to


def _offer_again(run: Run, old: Definition, mapping: Mapping[str, str]) -> None:
    """Offer the activities of an ad-hoc sub-process again where they have changed."""
    before = {
        mapping.get(node, node): tuple(mapping.get(each, each) for each in activities)
        for node, activities in old.offers.items()
    }
    for scope in tuple(run.scopes.values()):
        if is_offering(run, scope) and scope.owner is not None:
            token = run.tokens[scope.owner]
            if before.get(token.node) != run.definition.offers[token.node]:
                offer(run, token, scope.variables)
