"""Errors and escalations: from where they are thrown outward to the boundary that catches them."""

from collections.abc import Iterator
from dataclasses import replace

from orchestration.bpmn.model import EventType, Node
from orchestration.core import history as past
from orchestration.core.commands import OutcomeKind, RaiseEscalation, RaiseIncident
from orchestration.core.ears import trigger
from orchestration.core.flows import end_instance
from orchestration.core.run import CannotGoOn, Run
from orchestration.core.state import Token, Variables, Wait


def throw_error(run: Run, token: Token, code: str, payload: Variables) -> None:
    """Throw a business error at a token: the nearest boundary takes it, or the instance ends."""
    run.record(past.EventThrown(token.node, EventType.ERROR.value, code))
    caught = _catcher(run, token, EventType.ERROR, code)
    if caught is None:
        end_instance(run, OutcomeKind.ERROR, code)
        return
    host, boundary = caught
    trigger(run, host, boundary, {**payload, "code": code})


def throw_escalation(run: Run, token: Token, code: str, payload: Variables) -> None:
    """Throw an escalation at a token; without a boundary that takes it, the caller hears of it."""
    run.record(past.EventThrown(token.node, EventType.ESCALATION.value, code))
    caught = _catcher(run, token, EventType.ESCALATION, code)
    if caught is None:
        run.command(RaiseEscalation(token.node, token.visit, code, payload))
        return
    host, boundary = caught
    trigger(run, host, boundary, {**payload, "code": code})


def raise_incident(run: Run, token: Token, error: CannotGoOn, work: Wait | None) -> None:
    """Stop a token until a person resolves what is in its way."""
    if work is None:
        # Entering starts anew after the incident, so what it armed already must not stay.
        run.disarm(token.id)
    run.put(replace(token, wait=Wait.INCIDENT, work=work))
    run.record(past.IncidentRaised(token.node, token.id, error.incident, error.words))
    run.command(RaiseIncident(token.id, token.node, token.visit, error.incident, error.words))


def _catcher(run: Run, token: Token, wanted: EventType, code: str) -> tuple[Token, Node] | None:
    for host in _hosts(run, token):
        boundaries = [
            boundary
            for boundary in run.definition.boundaries.get(host.node, ())
            if boundary.event.type is wanted
        ]
        for name in (code, None):
            for boundary in boundaries:
                if boundary.event.name == name:
                    return host, boundary
    return None


def _hosts(run: Run, token: Token) -> Iterator[Token]:
    """Walk outward over the tokens whose boundary events may catch what this token throws."""
    if token.item is None:
        yield token
    scope = run.scopes.get(token.scope)
    while scope is not None:
        if scope.owner is None:
            scope = run.scopes.get(scope.parent or "")
            continue
        owner = run.tokens[scope.owner]
        if owner.item is None:
            yield owner
        scope = run.scopes.get(owner.scope)
