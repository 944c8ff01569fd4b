"""Errors and escalations: from where they are thrown outward to the event that catches them."""

from collections.abc import Iterator
from dataclasses import replace

from orchestration.bpmn.model import EventDefinition, EventType, Node
from orchestration.core import history as past
from orchestration.core.commands import OutcomeKind, RaiseEscalation, RaiseIncident
from orchestration.core.flows import end_instance
from orchestration.core.run import CannotGoOn, Run
from orchestration.core.state import Scope, Token, Variables, Wait
from orchestration.core.triggers import trigger

# Who caught it (a token or a scope), at which node, and by which of its definitions.
Caught = tuple[str, Node, EventDefinition]


def throw_error(run: Run, token: Token, code: str, payload: Variables) -> None:
    """Throw a business error at a token: what is nearest catches it, or the instance ends."""
    run.record(past.EventThrown(token.node, EventType.ERROR.value, code))
    caught = catcher_of(run, token, EventType.ERROR, code)
    if caught is None:
        end_instance(run, OutcomeKind.ERROR, code)
        return
    owner, node, event = caught
    trigger(run, owner, node, event, {**payload, "code": code})


def throw_escalation(run: Run, token: Token, code: str, payload: Variables) -> None:
    """Throw an escalation at a token; where nothing takes it, the caller hears of it."""
    run.record(past.EventThrown(token.node, EventType.ESCALATION.value, code))
    caught = catcher_of(run, token, EventType.ESCALATION, code)
    if caught is None:
        run.command(RaiseEscalation(token.node, token.visit, code, payload))
        return
    owner, node, event = caught
    trigger(run, owner, node, event, {**payload, "code": code})


def raise_incident(run: Run, token: Token, error: CannotGoOn, work: Wait | None) -> None:
    """Stop a token until a person resolves what is in its way."""
    if work is None:
        # Entering starts anew after the incident, so what it armed already must not stay.
        run.disarm(token.id)
    run.put(replace(token, wait=Wait.INCIDENT, work=work))
    run.record(past.IncidentRaised(token.node, token.id, error.incident, error.words))
    run.command(RaiseIncident(token.id, token.node, token.visit, error.incident, error.words))


def catcher_of(run: Run, token: Token, wanted: EventType, code: str) -> Caught | None:
    """Find what catches an error, an escalation or a cancellation thrown at a token.

    The nearest wins, and there the one for this code before the one for all.
    """
    for owner, nodes in _places(run, token):
        found = [(node, event) for node in nodes for event in node.events if event.type is wanted]
        for name in (code, None):
            for node, event in found:
                if event.name == name:
                    return owner, node, event
    return None


def _places(run: Run, token: Token) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """Walk outward over boundary events and event sub-processes that may catch what is thrown."""
    if token.item is None:
        yield token.id, run.definition.boundaries.get(token.node, ())
    scope = run.scopes.get(token.scope)
    left = token.node
    while scope is not None:
        if scope.is_inside and not scope.is_interrupted:
            yield scope.id, _event_starts(run, scope, left)
        if scope.owner is None:
            scope = run.scopes.get(scope.parent or "")
            continue
        owner = run.tokens[scope.owner]
        left = owner.node
        if owner.item is None:
            yield owner.id, run.definition.boundaries.get(owner.node, ())
        scope = run.scopes.get(owner.scope)


def _event_starts(run: Run, scope: Scope, left: str) -> tuple[Node, ...]:
    """List the starts of a scope's event sub-processes, but not of the one thrown out of."""
    starts = run.definition.event_starts.get(scope.node or run.definition.process.id, ())
    return tuple(start for start in starts if start.container != left)
