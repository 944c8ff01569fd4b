"""Waiting for events: arming timers and subscriptions, and what happens when one goes off."""

from dataclasses import replace

from orchestration.bpmn.expressions import as_expression
from orchestration.bpmn.model import EventType, Kind, Node
from orchestration.core import history as past
from orchestration.core.commands import ArmTimer, SubscribeMessage, SubscribeSignal
from orchestration.core.flows import interrupt, take
from orchestration.core.run import Arrival, CannotGoOn, Finish, Run
from orchestration.core.state import Subscription, Timer, Token, Trigger, Variables
from orchestration.core.timing import due_of, next_due
from orchestration.feel.formatting import text_of

_WAITED_FOR = {EventType.TIMER, EventType.MESSAGE, EventType.SIGNAL}


def arm(run: Run, token: Token, node: Node) -> None:
    """Open the ear of an event node on behalf of a token.

    Raises:
        CannotGoOn: the timer has no time, or the correlation no value.
    """
    if node.event.type is EventType.TIMER:
        _arm_timer(run, token, node)
    elif node.event.type in {EventType.MESSAGE, EventType.SIGNAL}:
        _subscribe(run, token, node)


def arm_boundaries(run: Run, token: Token) -> None:
    """Open the ears of all boundary events of the activity a token is at."""
    for boundary in run.definition.boundaries.get(token.node, ()):
        if boundary.event.type in _WAITED_FOR:
            arm(run, token, boundary)


def _arm_timer(run: Run, token: Token, node: Node) -> None:
    due = due_of(run, node, token.scope)
    timer = Timer(f"m{run.next_number()}", node.id, token.id, due.at, due.repeats, due.every)
    run.timers[timer.id] = timer
    run.command(ArmTimer(timer.id, node.id, due.at))
    run.record(past.EventWaited(node.id, token.id, "timer", None, due.at))


def _subscribe(run: Run, token: Token, node: Node) -> None:
    name = node.event.name or ""
    identity = f"e{run.next_number()}"
    if node.event.type is EventType.SIGNAL:
        ear = Subscription(identity, node.id, token.id, Trigger.SIGNAL, name)
        run.command(SubscribeSignal(identity, node.id, name))
    else:
        key = correlation_of(run, node, token.scope)
        ear = Subscription(identity, node.id, token.id, Trigger.MESSAGE, name, key)
        run.command(SubscribeMessage(identity, node.id, name, key))
    run.subscriptions[ear.id] = ear
    run.record(past.EventWaited(node.id, token.id, ear.trigger.value, name, None))


def correlation_of(run: Run, node: Node, scope: str) -> str | None:
    """Work out the key that ties a message to this instance; None when the drawing names none.

    Raises:
        CannotGoOn: the drawing names one, and it has no value.
    """
    text = as_expression(node.event.correlation)
    if text is None:
        return None
    value = run.compute(node, scope, "correlation", text)
    if value is None:
        raise CannotGoOn("correlation_has_no_value", f"{node.id}: the correlation key is null")
    return text_of(value)


def timer_fired(run: Run, timer: Timer) -> None:
    """Let a timer do what it is there for, and arm it again if it repeats."""
    token = run.tokens[timer.owner]
    del run.timers[timer.id]
    node = run.definition.node(timer.node)
    repeats = timer.repeats is None or timer.repeats > 0
    if repeats and timer.every is not None and not node.is_interrupting:
        _arm_again(run, timer, timer.every)
    trigger(run, token, node, {})


def _arm_again(run: Run, timer: Timer, every: str) -> None:
    due_at = next_due(timer.due_at, every)
    if due_at is None:
        return
    left = None if timer.repeats is None else timer.repeats - 1
    again = replace(timer, id=f"m{run.next_number()}", due_at=due_at, repeats=left)
    run.timers[again.id] = again
    run.command(ArmTimer(again.id, again.node, due_at))


def trigger(run: Run, token: Token, node: Node, payload: Variables) -> None:
    """Let an event happen at a node for the token that waited for it."""
    is_interrupting = node.kind is not Kind.BOUNDARY or node.is_interrupting
    run.record(past.EventCaught(node.id, node.event.type.value, node.event.name, is_interrupting))
    arrival = Arrival(node.id, token.scope, is_triggered=True, payload=payload)
    if node.kind is Kind.BOUNDARY:
        if is_interrupting:
            interrupt(run, token, node.id)
        run.agenda.append(arrival)
    elif token.node == node.id:
        run.disarm(token.id)
        run.agenda.append(Finish(token.id, token.scope, payload))
    else:
        _leave_event_gateway(run, token, node, payload)


def _leave_event_gateway(run: Run, token: Token, node: Node, payload: Variables) -> None:
    flow = next(each for each in run.definition.outgoing[token.node] if each.target == node.id)
    run.remove(token, node.id)
    arrival = take(run, token, flow, reads={}, is_default=False)
    run.agenda[-1] = replace(arrival, is_triggered=True, payload=payload)
